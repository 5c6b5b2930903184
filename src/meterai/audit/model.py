"""What an audit finds. Pure."""

from dataclasses import dataclass, field
from enum import Enum


class Invariant(Enum):
    """The seven sentences that are always true."""

    BOOKS = 1
    """Each transfer balances; nothing that must not be negative is; balances are the sums; the chain holds."""
    UNITS = 2
    """Issued = stock of all channels + available + reserved + used + retired, per channel and nation."""
    SERIALS = 3
    """Each affixed serial has exactly one settled affixing and one source hash; void serials have none."""
    PAYMENTS = 4
    """Every payment ends exactly once; no unpaid order is credited."""
    FILES = 5
    """Affixed means: the file is durable, its digest is the registry's, and it verifies."""
    DEADLINES = 6
    """Not affixed at the deadline means: the unit is back, exactly once."""
    PROMISES = 7
    """Nothing that somebody was told is lost; every row still has what it promises."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One contradiction: which invariant, about what, and in which way."""

    invariant: Invariant
    about: str
    detail: str


@dataclass(slots=True)
class Report:
    """What was looked at and what contradicts the invariants."""

    discrepancies: list[Discrepancy] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether all invariants hold."""
        return not self.discrepancies

    def add(self, invariant: Invariant, about: object, detail: str) -> None:
        """One more contradiction."""
        self.discrepancies.append(Discrepancy(invariant, str(about), detail))
