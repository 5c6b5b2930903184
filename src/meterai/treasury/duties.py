"""Until when duty that was collected is deposited and reported: dated data. Pure."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DueRule:
    """In force for months from ``since`` on: days of the month after."""

    since: date
    deposit_day: int
    report_day: int
    clause: str


RULES = (
    DueRule(date(2021, 11, 1), 10, 20, "PMK 151/2021"),
    DueRule(date(2024, 11, 1), 15, 20, "PMK 78/2024"),
)
"""In order of time; a new rule is a new row."""


@dataclass(frozen=True, slots=True)
class DueDates:
    """Of one month of duty."""

    deposit: date
    report: date
    clause: str


def due_dates(month: date) -> DueDates:
    """For the month that ``month`` lies in, by the rule then in force; the first one for months before it."""
    first = month.replace(day=1)
    rule = next((rule for rule in reversed(RULES) if rule.since <= first), RULES[0])
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return DueDates(
        after.replace(day=rule.deposit_day), after.replace(day=rule.report_day), rule.clause
    )
