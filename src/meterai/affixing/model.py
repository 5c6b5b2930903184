"""Affixings and their states, and the decisions along the way. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, IntEnum
from uuid import UUID

import msgspec

from meterai.pdf.road import Road

RECIPE = 2
"""The version of the engine that new affixings are made with; the row remembers its own."""

LEASE = timedelta(seconds=20)
"""How long a claim may work before it must stop itself (never beyond the deadline)."""


class Lane(IntEnum):
    """Who waits with whom: bulk work never starves people."""

    PEOPLE = 0
    BULK = 1


LANE_WEIGHTS = {Lane.PEOPLE: 4, Lane.BULK: 1}
"""Of five claims, four go to people while both lanes wait."""


class AffixingState(Enum):
    """The life of an affixing; the words on screen in brackets."""

    WAITING = "waiting"
    """Units reserved, serials bound; no worker has it now (*Antre*)."""
    WORKING = "working"
    """Claimed under a fence until ``seal_until`` (*Diproses*)."""
    AFFIXED = "affixed"
    """Settled: the stamped file is durable and registered. Final (*Berhasil*)."""
    RESTORED = "restored"
    """The units came back and the serials are void. Final (*Refund — kuota kembali*)."""
    CANCELLED = "cancelled"
    """Taken back by the person while it waited; units back, serials void. Final (*Dibatalkan*)."""

    @property
    def final(self) -> bool:
        """Whether nothing changes any more."""
        return self not in (AffixingState.WAITING, AffixingState.WORKING)


class Reason(Enum):
    """Why an affixing waits again or gave its units back; a stable code with words at the doors."""

    WORKER_DIED = "worker_died"
    """The process that had it died or its host was lost."""
    SIGNER_DOWN = "signer_down"
    TIME_STAMP_DOWN = "time_stamp_down"
    STORE_DOWN = "store_down"
    """The stamped file could not be written durably."""
    CANNOT_STAMP = "cannot_stamp"
    """The document turned out not to be stampable after all."""
    OVERDUE = "overdue"
    """Not affixed at the deadline."""
    TAKEN_BACK = "taken_back"
    """Cancelled by the person."""
    INTERNAL = "internal"
    """A defect of ours."""


class MarkPlace(msgspec.Struct, frozen=True):
    """Where one mark stands: page from 1, its top-left corner in mm from that of the page as seen."""

    page: int
    left_mm: float
    top_mm: float


@dataclass(frozen=True, slots=True)
class Document:
    """A document somebody brought, and what they want done with it."""

    id: UUID
    code: str
    party: UUID
    channel: str
    file_name: str
    sha256: bytes
    size: int
    pages: int
    inspection: bytes
    """The intake's findings, JSON."""
    object: str
    kind: str | None
    number: str | None
    dated: date | None
    place: MarkPlace | None
    still_to_sign: bool
    received_at: datetime
    keep_until: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Affixing:
    """One affixing as its row says."""

    id: UUID
    document: UUID
    party: UUID
    channel: str
    lane: Lane
    units: int
    marks: tuple[MarkPlace, ...]
    certify: int | None
    recipe: int
    source_sha256: bytes
    reserved_at: datetime
    deadline: datetime
    attempts: int
    attempts_max: int
    state: AffixingState
    fence: int
    seal_until: datetime | None
    reason: Reason | None
    object: str | None
    signed_sha256: bytes | None
    file_sha256: bytes | None
    size: int | None
    ended_at: datetime | None
    certificate: str | None
    road: Road | None
    """How the bytes of the stamped document came about; None until then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on an affixing until ``seal_until``; any newer claim ends it."""

    affixing: Affixing
    fence: int
    seal_until: datetime
    source_object: str
    size: int
    """Of the document, in bytes."""
    pages: int
    numbers: tuple[str, ...]
    """The serials, in the order of the marks."""
    repaired: bool
    """The document was written anew when it came in."""
    left_s: float
    """How long, from now, the claim is good for: the worker keeps its own time from here."""

    @property
    def object(self) -> str:
        """The name of what this claim stores: no two claims write the same object."""
        return object_name(self.affixing.id, self.fence)

    @property
    def object_before(self) -> str | None:
        """What the claim before this one may have left, complete."""
        return object_name(self.affixing.id, self.fence - 1) if self.fence > 1 else None


def object_name(affixing: UUID, fence: int) -> str:
    """``stamped/<id>-<fence>.pdf``."""
    return f"stamped/{affixing}-{fence}.pdf"


def pause_after(attempts: int) -> timedelta:
    """How long an affixing rests after its ``attempts``-th try: 1, 2, 4, then 5 seconds."""
    return timedelta(seconds=min(2 ** (attempts - 1), 5))


def may_try_again(affixing: Affixing, now: datetime) -> bool:
    """Whether another attempt, with the same serials, can still end before the deadline."""
    if affixing.attempts >= affixing.attempts_max:
        return False
    return now + pause_after(affixing.attempts) < affixing.deadline
