"""What is asked of the engine (marks, where they stand, how the seal binds), and what follows from it.

Values, frozen.
"""

from dataclasses import dataclass
from datetime import datetime

from meterai.pdf.errors import RequestNotUnderstood
from meterai.pdf.mark import SIDE, SIZE_MAX_PT, SIZE_MIN_PT
from meterai.pdf.model import Place

RECIPE = 2
"""Which way of making the bytes this is; a change that alters any byte makes it the next number."""
MARKS_MAX = 50
GAP_MIN = 1024
OURS_KEY = "/XXMeterai"
"""Third-class name (ISO 32000-2 Annex E) of what is ours in the signature dictionary: ``/Serials`` in the order
of the marks, ``/Length`` and ``/SHA256`` of the document before."""
RANGE_ROOM = 40
"""Bytes for the byte range, which is known only when everything else is written."""
PRINTED_LOCKED = 4 | 128
"""Annotation flags (ISO 32000-2 §12.5.3): print, locked."""
UNTOUCHABLE = PRINTED_LOCKED | 64 | 512
"""Read only and with locked contents too."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One visible mark."""

    serial: str
    """22 signs of ``[0-9A-Z]``."""
    address: str
    """What the QR code says."""
    place: Place
    size_pt: float = SIDE
    """Side of the square."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An empty signature field for somebody who signs afterwards."""

    name: str
    place: Place
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that decides the bytes, besides the document itself."""

    marks: tuple[Mark, ...]
    signing_time: datetime
    """With a zone; stands in the signature dictionary."""
    gap_bytes: int
    """Room for the seal in DER."""
    certify: int | None = 1
    """1: final. 2: the slots may still be signed. None: an approval beside others' signatures."""
    slots: tuple[Slot, ...] = ()
    """Only with ``certify=2``."""
    name: str | None = None
    reason: str | None = None
    location: str | None = None


def check(request: Request) -> None:
    """The request makes sense by itself. Raises :class:`RequestNotUnderstood`."""
    if not 1 <= len(request.marks) <= MARKS_MAX:
        raise RequestNotUnderstood(why="marks")
    if len({mark.serial for mark in request.marks}) < len(request.marks):
        raise RequestNotUnderstood(why="serial twice")
    if request.signing_time.tzinfo is None:
        raise RequestNotUnderstood(why="signing time without zone")
    if request.certify not in {None, 1, 2}:
        raise RequestNotUnderstood(why="certify")
    if request.slots and request.certify != 2:
        raise RequestNotUnderstood(why="slots need certify=2")
    if request.gap_bytes < GAP_MIN:
        raise RequestNotUnderstood(why="gap")
    for mark in request.marks:
        if not SIZE_MIN_PT <= mark.size_pt <= SIZE_MAX_PT:
            raise RequestNotUnderstood(why="size")


def said(mark: Mark) -> str:
    """What a screen reader says of a mark."""
    groups = " ".join(mark.serial[start : start + 4] for start in range(0, len(mark.serial), 4))
    return f"CONTOH meterai elektronik, bukan meterai sah. Nomor seri {groups}."


@dataclass(frozen=True, slots=True)
class Increment:
    """What follows a document, around the gap for the seal, the byte range filled in."""

    before: bytes
    """Up to the ``<`` of the gap."""
    after: bytes
    """From behind its ``>``."""
