"""The increment: marks drawn, signature field made, a gap left. A pure function of document and request."""

import hashlib
from dataclasses import dataclass

import msgspec

from meterai.pdf.desk import RANGE_ROOM, Desk, Standing
from meterai.pdf.document import Document, Page, page_at, pages_of, read_document, shared_pages
from meterai.pdf.errors import (
    CoversSignature,
    GapTooSmall,
    MarksOverlap,
    NameTaken,
    OneMarkAtATime,
    RequestNotUnderstood,
    SharedPage,
)
from meterai.pdf.fields import FIELD_PREFIX, check_open, fields_of, signature_boxes
from meterai.pdf.geometry import MM_PER_POINT, rectangle_of
from meterai.pdf.model import Box
from meterai.pdf.request import Mark, Request, Slot, check
from meterai.pdf.revision import Placeholder, Revision

__all__ = ["RECIPE", "Mark", "Prepared", "Request", "Slot", "prepare"]

RECIPE = 1
"""Which way of making the bytes this is; a change that alters any byte makes it the next number."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its increment; what is missing is the seal in the gap."""

    document: bytes
    increment: bytes
    """What follows the document's bytes, with noughts in the gap."""
    gap_start: int
    """Offset in the whole file of the ``<`` before the seal."""
    gap_end: int
    """Offset after the ``>`` behind it."""
    digest: bytes
    """SHA-256 over the signed range: everything but the gap."""
    source_sha256: bytes
    """Of the document before the increment."""

    @property
    def byte_range(self) -> tuple[int, int, int, int]:
        """As it stands in the signature dictionary (ISO 32000-2 §12.8.1)."""
        return 0, self.gap_start, self.gap_end, self.size - self.gap_end

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.document) + len(self.increment)

    def sealed_with(self, seal: bytes) -> bytes:
        """The whole file with this seal (DER) in its gap. Raises :class:`GapTooSmall`."""
        room = self.gap_end - self.gap_start - 2
        if 2 * len(seal) > room:
            raise GapTooSmall(room=room // 2, size=len(seal))
        start = self.gap_start - len(self.document)
        return b"".join(
            (
                self.document,
                memoryview(self.increment)[: start + 1],
                seal.hex().upper().encode().ljust(room, b"0"),
                memoryview(self.increment)[start + 1 + room :],
            )
        )

    def is_sealed_in(self, whole: bytes) -> bool:
        """``whole`` is this very file with a complete seal in the gap; what it is worth is not judged here."""
        start = self.gap_start - len(self.document)
        after = self.gap_end - len(self.document)
        return (
            len(whole) == self.size
            and whole.startswith(self.document)
            and whole[len(self.document) : self.gap_start + 1] == self.increment[: start + 1]
            and whole[self.gap_end - 1 :] == self.increment[after - 1 :]
            and _is_complete(whole[self.gap_start + 1 : self.gap_end - 1])
        )


def _is_complete(gap: bytes) -> bool:
    """One DER element of some length, then nothing but noughts."""
    try:
        content = bytes.fromhex(gap.decode("ascii"))
    except ValueError:
        return False
    if content[:2] != b"\x30\x82":
        return False
    end = 4 + int.from_bytes(content[2:4], "big")
    return end <= len(content) and not any(content[end:])


def prepare(document: bytes, request: Request) -> Prepared:
    """The document with its marks and a gap, ready for the seal; the same for the same input, always.

    Raises classes below :class:`~meterai.pdf.errors.CannotStamp`.
    """
    check(request)
    increment, gap, byte_range = read_document(document, lambda opened: _write(opened, request))
    base = len(document)
    size = base + len(increment)
    said = b"[0 %d %d %d]" % (gap.start, gap.end, size - gap.end)
    whole = bytearray(increment)
    whole[byte_range.start - base : byte_range.end - base] = said.ljust(RANGE_ROOM)
    digest = hashlib.sha256(document)
    source = digest.digest()
    digest.update(memoryview(whole)[: gap.start - base])
    digest.update(memoryview(whole)[gap.end - base :])
    return Prepared(document, bytes(whole), gap.start, gap.end, digest.digest(), source)


def _write(document: Document, request: Request) -> tuple[bytes, Placeholder, Placeholder]:
    """The increment with its two holes, not filled yet."""
    fields = list(fields_of(document.root))
    check_open(document.root, fields)
    signed = any(field.signed for field in fields)
    if signed and request.certify is not None:
        raise RequestNotUnderstood(why="a signed document cannot be certified")
    if signed and len(request.marks) > 1:
        raise OneMarkAtATime  # a stamp annotation would change what others signed
    names = {field.name for field in fields}
    for name in (FIELD_PREFIX + request.marks[0].serial, *(slot.name for slot in request.slots)):
        if name in names or not name or "." in name:
            raise NameTaken(name=name)
        names.add(name)
    standing = _stand(pages_of(document), request)
    salt = msgspec.json.encode((RECIPE, request))
    desk = Desk(document, Revision(document, salt), keep_arrays=request.certify is None)
    return desk.write(request, standing)


def _stand(pages: list[Page], request: Request) -> list[Standing]:
    """Where everything stands; nothing lies outside, on a signature, or on one another."""
    standing: list[Standing] = []
    boxes: dict[int, list[Box]] = {}
    shared = shared_pages(pages)
    things: tuple[Mark | Slot, ...] = (*request.marks, *request.slots)
    for thing in things:
        page = page_at(pages, thing.place.page)
        if isinstance(thing, Mark):
            width = height = thing.size_pt * MM_PER_POINT
        else:
            width, height = thing.width_mm, thing.height_mm
        box = Box(thing.place.left_mm, thing.place.top_mm, width, height)
        rectangle = rectangle_of(page.frame, box, page=page.number)
        if page.number in shared:
            raise SharedPage(page=page.number)
        if page.number not in boxes:
            boxes[page.number] = signature_boxes(page)
        if any(box.overlaps(other) for other in boxes[page.number]):
            raise CoversSignature(page=page.number)
        if any(box.overlaps(o.box) for o in standing if o.page.number == page.number):
            raise MarksOverlap(page=page.number)
        standing.append(Standing(thing, page, rectangle, box))
    return standing
