"""The increment: marks drawn, signature field made, a gap left. A pure function of document and request."""

import hashlib
from binascii import hexlify
from dataclasses import dataclass

import msgspec

from meterai.pdf import fast
from meterai.pdf.desk import Desk, Standing
from meterai.pdf.document import Document, Page, page_at, pages_of, read_document, shared_pages
from meterai.pdf.errors import (
    CannotStamp,
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
from meterai.pdf.request import RANGE_ROOM, RECIPE, Increment, Mark, Request, Slot, check
from meterai.pdf.revision import Placeholder, Revision
from meterai.pdf.road import Oddity, Road, Unusual

__all__ = ["RECIPE", "Mark", "Prepared", "Request", "Slot", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its increment; what is missing is the seal in the gap."""

    document: bytes
    before: bytes
    """What follows the document, up to the ``<`` of the gap."""
    after: bytes
    """What follows the ``>`` of the gap."""
    gap_bytes: int
    digest: bytes
    """SHA-256 over the signed range: everything but the gap."""
    source_sha256: bytes
    """Of the document before the increment."""
    road: Road
    oddity: Oddity | None = None
    """Why it is not the fast road."""

    @property
    def gap_start(self) -> int:
        """Offset in the whole file of the ``<`` before the seal."""
        return len(self.document) + len(self.before)

    @property
    def gap_end(self) -> int:
        """Offset after the ``>`` behind it."""
        return self.gap_start + 2 * self.gap_bytes + 2

    @property
    def byte_range(self) -> tuple[int, int, int, int]:
        """As it stands in the signature dictionary (ISO 32000-2 §12.8.1)."""
        return 0, self.gap_start, self.gap_end, len(self.after)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.gap_end + len(self.after)

    @property
    def increment(self) -> bytes:
        """What follows the document, with noughts in the gap."""
        return b"%b<%b>%b" % (self.before, b"0" * (2 * self.gap_bytes), self.after)

    def sealed_with(self, seal: bytes) -> bytes:
        """The whole file with this seal (DER) in its gap. Raises :class:`GapTooSmall`."""
        return b"".join(self.pieces(seal))

    def pieces(self, seal: bytes) -> tuple[bytes, ...]:
        """The whole file in pieces, the document first, uncopied. Raises :class:`GapTooSmall`."""
        if len(seal) > self.gap_bytes:
            raise GapTooSmall(room=self.gap_bytes, size=len(seal))
        blank = b"0" * (2 * (self.gap_bytes - len(seal)))
        return self.document, self.before, b"<", hexlify(seal).upper(), blank, b">", self.after

    def is_sealed_in(self, whole: bytes) -> bool:
        """``whole`` is this very file with a complete seal in the gap; what it is worth is not judged here."""
        start, end = self.gap_start, self.gap_end
        return (
            len(whole) == self.size
            and whole.startswith(self.document)
            and whole[len(self.document) : start + 1] == self.before + b"<"
            and whole[end - 1 :] == b">" + self.after
            and _is_complete(whole[start + 1 : end - 1])
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

    It takes the fast road where it can, and else the careful one, which has the last word on what is refused.
    Raises classes below :class:`~meterai.pdf.errors.CannotStamp`.
    """
    check(request)
    digest = hashlib.sha256(document)
    try:
        increment = fast.write(document, digest.digest(), request)
    except Unusual as unusual:
        oddity = unusual.oddity
    except CannotStamp:
        oddity = Oddity.REFUSED
    except Exception:  # noqa: BLE001 - strange bytes; whatever it is, the careful road decides and tells
        oddity = Oddity.STUMBLED
    else:
        return _prepared(document, digest, request, increment, Road.FAST)
    return prepare_carefully(document, request, oddity)


def prepare_carefully(document: bytes, request: Request, oddity: Oddity | None = None) -> Prepared:
    """As :func:`prepare`, on the careful road; ``oddity`` is why."""
    check(request)
    increment = read_document(document, lambda opened: _write(opened, request))
    digest = hashlib.sha256(document)
    return _prepared(document, digest, request, increment, Road.CAREFUL, oddity)


def _prepared(
    document: bytes,
    digest: "hashlib._Hash",
    request: Request,
    increment: Increment,
    road: Road,
    oddity: Oddity | None = None,
) -> Prepared:
    """``digest`` has seen the document, and nothing else."""
    source = digest.digest()
    digest.update(increment.before)
    digest.update(increment.after)
    return Prepared(
        document,
        increment.before,
        increment.after,
        request.gap_bytes,
        digest.digest(),
        source,
        road,
        oddity,
    )


def _write(document: Document, request: Request) -> Increment:
    """The increment as the careful road makes it."""
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
    return _filled(len(document.data), *desk.write(request, standing))


def _filled(base: int, increment: bytes, gap: Placeholder, byte_range: Placeholder) -> Increment:
    """Cut at the gap, the byte range in its hole."""
    size = base + len(increment)
    said = (b"[0 %d %d %d]" % (gap.start, gap.end, size - gap.end)).ljust(RANGE_ROOM)
    hole, after_hole = byte_range.start - base, byte_range.end - base
    before = increment[:hole] + said + increment[after_hole : gap.start - base]
    return Increment(before, increment[gap.end - base :])


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
