"""What is counted of the processes behind the doors."""

from prometheus_client import Counter, Gauge

AFFIXED = Counter("meterai_affixing_attempts_total", "Affixings claimed by this worker")
RESTORED = Counter("meterai_units_restored_total", "Affixings that gave their units back")
HEALED = Counter("meterai_payments_healed_total", "Payments found by asking the provider")
SWEPT = Counter("meterai_objects_swept_total", "Objects that no row names, removed")
LEADER = Gauge("meterai_clock_leader", "1 while this process keeps the clock")
