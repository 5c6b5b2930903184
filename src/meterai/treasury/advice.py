"""Advice (*nasihat*): does this kind of document owe duty, when does it fall due, and who owes. Pure.

The rules are data with a date and a clause. Advice is no ruling: it says which clause it follows.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from meterai.money import Rupiah

MONEY_ABOVE = Rupiah(5_000_000)
"""Documents about a sum of money owe duty above this sum (UU 10/2020 art. 3)."""


class Owed(Enum):
    """Whether duty is owed; this list and no other."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"
    """It depends on what the document says; the list of art. 3 and the exemptions of art. 7 decide."""


class Due(Enum):
    """When duty falls due."""

    SIGNED = "signed"
    """When it is signed: agreements, notarial deeds, deeds of land officers."""
    MADE = "made"
    """When it is complete: securities and their transaction documents."""
    HANDED_OVER = "handed_over"
    """When it is handed to whom it is for: statement letters, auction and money documents."""
    FILED = "filed"
    """When it is filed as evidence with a court."""
    USED_HERE = "used_here"
    """When a document made abroad is used in Indonesia."""


class Debtor(Enum):
    """Who owes it; somebody else may pay."""

    RECEIVER = "receiver"
    """One-sided documents: whoever receives it."""
    EACH = "each"
    """Two or more sides: each for the copy it receives."""
    ISSUER = "issuer"
    """Securities: whoever issues them."""
    FILER = "filer"
    """Court evidence: whoever files it."""
    BENEFITS = "benefits"
    """Documents from abroad: whoever benefits from the document."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the law says of one kind of document from a day on."""

    kind: str
    valid_from: date
    due: Due
    debtor: Debtor
    clause: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer, with the clauses it follows."""

    owed: Owed
    due: Due | None
    debtor: Debtor | None
    clauses: tuple[str, ...]
    valid_from: date


_ACT = date(2021, 1, 1)
_PMK_78 = date(2024, 11, 1)
_KINDS = {
    "agreement": (Due.SIGNED, Debtor.EACH),
    "deed": (Due.SIGNED, Debtor.EACH),
    "securities": (Due.MADE, Debtor.ISSUER),
    "statement": (Due.HANDED_OVER, Debtor.RECEIVER),
    "auction": (Due.HANDED_OVER, Debtor.RECEIVER),
    "receipt": (Due.HANDED_OVER, Debtor.RECEIVER),
    "court": (Due.FILED, Debtor.FILER),
}
RULES = tuple(
    Rule(kind, since, due, debtor, clause)
    for since, clause in (
        (_ACT, "UU 10/2020 Pasal 8 dan 9"),
        (_PMK_78, "PMK 78/2024 Pasal 4 dan 5"),
    )
    for kind, (due, debtor) in _KINDS.items()
)
"""The Act since 1 January 2021; PMK 78/2024, which replaced three regulations, since 1 November 2024."""


def advise(
    kind: str, day: date, *, amount: int | None = None, from_abroad: bool = False
) -> Advice | None:
    """What a document of this kind, dated ``day``, owes; None before the Act of 2020.

    ``amount`` is the sum that a money document names, in rupiah.
    """
    if day < _ACT:
        return None
    rule = max(
        (rule for rule in RULES if rule.kind == kind and rule.valid_from <= day),
        key=lambda rule: rule.valid_from,
        default=None,
    )
    if rule is None:
        return Advice(Owed.PERHAPS, None, None, ("UU 10/2020 Pasal 3 dan 7",), _ACT)
    owed, clauses = _owed(kind, amount)
    if owed is Owed.NO:
        return Advice(owed, None, None, clauses, _ACT)
    due, debtor = (Due.USED_HERE, Debtor.BENEFITS) if from_abroad else (rule.due, rule.debtor)
    return Advice(owed, due, debtor, (*clauses, rule.clause), rule.valid_from)


def _owed(kind: str, amount: int | None) -> tuple[Owed, tuple[str, ...]]:
    if kind == "receipt":
        clause = "UU 10/2020 Pasal 3 ayat (2) huruf g"
        if amount is None:
            return Owed.PERHAPS, (clause,)
        return (Owed.YES if amount > MONEY_ABOVE else Owed.NO), (clause,)
    if kind == "court":
        return Owed.YES, ("UU 10/2020 Pasal 3 ayat (1) huruf b",)
    return Owed.YES, ("UU 10/2020 Pasal 3 ayat (2)",)
