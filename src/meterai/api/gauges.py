"""Gauges of the whole installation, measured when they are asked for."""

from prometheus_client import Gauge

from meterai.affixing import store as affixings
from meterai.db.connection import Database
from meterai.quota.balance import stock

AFFIXINGS = Gauge("meterai_affixings", "Affixings of the last day by state", ["state"])
ROADS = Gauge("meterai_affixing_roads", "Affixed in the last day by the engine's road", ["road"])
WAITING_S = Gauge("meterai_oldest_waiting_seconds", "Age of the oldest affixing under way")
STOCK = Gauge("meterai_stock_units", "Units a channel can still sell", ["channel"])
UNMATCHED = Gauge("meterai_payments_unmatched", "Payments recorded but not matched yet")
UNPLACED = Gauge("meterai_payments_unplaced", "Payments that fit no order")
IMBALANCE = Gauge("meterai_ledger_imbalance", "Posted debits minus posted credits; must be 0")

_QUERY = """
select (select coalesce(extract(epoch from now() - min(reserved_at)), 0)::float8
        from affixing where ended_at is null) as oldest,
       (select count(*) from payment_notice where state = 'new') as unmatched,
       (select count(*) from payment_notice where state = 'unplaced') as unplaced,
       (select coalesce(sum(debits_posted - credits_posted), 0)::bigint from account) as imbalance
"""


async def measure(database: Database) -> None:
    """The gauges say the present state."""
    async with database.reading() as connection:
        for row in await connection.fetch(
            """select state, count(*) as n from affixing
               where reserved_at > now() - interval '24 hours' group by state"""
        ):
            AFFIXINGS.labels(row["state"]).set(row["n"])
        for road, n in (await affixings.roads(connection)).items():
            ROADS.labels(road.value).set(n)
        for channel, units in (await stock(connection)).items():
            STOCK.labels(channel).set(units)
        sums = await connection.fetchrow(_QUERY)
    assert sums is not None
    WAITING_S.set(sums["oldest"])
    UNMATCHED.set(sums["unmatched"])
    UNPLACED.set(sums["unplaced"])
    IMBALANCE.set(sums["imbalance"])
