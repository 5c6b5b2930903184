"""The increment: marks drawn, signature field made, a gap left. A pure function of document and request.

The first mark is the widget of the one signature field ``Meterai-<serial>``; every further mark is a locked,
printable stamp annotation in the same revision. All serials and the digest of the document before stand in the
signature dictionary under ``/XXMeterai``, where the seal covers them and nothing that was in the document
before can claim to be them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NumberObject,
    PdfObject,
    Reference,
    StreamObject,
    pdf_date,
    pdf_name,
    pdf_string,
)

from meterai.pdf import mark as art
from meterai.pdf.document import (
    Document,
    Page,
    page_at,
    pages_of,
    raw_items_of,
    read_document,
    shared_pages,
)
from meterai.pdf.errors import (
    CoversSignature,
    GapTooSmall,
    MarksOverlap,
    NameTaken,
    OneMarkAtATime,
    RequestNotUnderstood,
    SharedPage,
)
from meterai.pdf.fields import (
    FIELD_PREFIX,
    array_at,
    check_open,
    dictionary_at,
    fields_of,
    signature_boxes,
)
from meterai.pdf.geometry import MM_PER_POINT, UPRIGHT, Rectangle, rectangle_of
from meterai.pdf.model import Box, Place
from meterai.pdf.revision import Placeholder, Revision

RECIPE = 1
"""Which way of making the bytes this is; a change that alters any byte makes it the next number."""

OURS_KEY = "/XXMeterai"
"""Third-class name (ISO 32000-2 Annex E) of what is ours in the signature dictionary: ``/Serials`` in the order
of the marks, ``/Length`` and ``/SHA256`` of the document before."""

MARKS_MAX = 50
_PRINTED_LOCKED = 4 | 128
_UNTOUCHABLE = 4 | 64 | 128 | 512  # print, read only, locked, contents locked


@dataclass(frozen=True, slots=True)
class Mark:
    """One visible mark."""

    serial: str
    """22 signs of ``[0-9A-Z]``."""
    address: str
    """What the QR code says."""
    place: Place
    size_pt: float = art.SIDE
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
    _check(request)
    increment, gap, byte_range = read_document(document, lambda opened: _write(opened, request))
    base = len(document)
    size = base + len(increment)
    said = b"[0 %d %d %d]" % (gap.start, gap.end, size - gap.end)
    whole = bytearray(increment)
    whole[byte_range.start - base : byte_range.end - base] = said.ljust(_RANGE_ROOM)
    digest = hashlib.sha256(document)
    source = digest.digest()
    digest.update(memoryview(whole)[: gap.start - base])
    digest.update(memoryview(whole)[gap.end - base :])
    return Prepared(document, bytes(whole), gap.start, gap.end, digest.digest(), source)


_RANGE_ROOM = 40


def _check(request: Request) -> None:
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
    if request.gap_bytes < 1024:
        raise RequestNotUnderstood(why="gap")
    for mark in request.marks:
        if not art.SIZE_MIN_PT <= mark.size_pt <= art.SIZE_MAX_PT:
            raise RequestNotUnderstood(why="size")


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
    desk = _Desk(document, Revision(document, salt), keep_arrays=request.certify is None)
    return desk.write(request, standing)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Something that shall stand on a page."""

    thing: Mark | Slot
    page: Page
    rectangle: Rectangle
    box: Box


def _stand(pages: list[Page], request: Request) -> list[_Standing]:
    """Where everything stands; nothing lies outside, on a signature, or on one another."""
    standing: list[_Standing] = []
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
        standing.append(_Standing(thing, page, rectangle, box))
    return standing


class _Desk:
    """Puts things into a revision."""

    def __init__(self, document: Document, revision: Revision, *, keep_arrays: bool) -> None:
        self._document = document
        self._revision = revision
        self._keep_arrays = keep_arrays
        """Annotation arrays of their own are extended in place, as earlier signatures expect. Otherwise the
        page gets a copy: an array that two pages share would show the mark on both."""
        self._own_arrays: dict[int, ArrayObject] = {}

    def write(
        self, request: Request, standing: Sequence[_Standing]
    ) -> tuple[bytes, Placeholder, Placeholder]:
        """All of it is in the revision; returns its bytes, the gap, and the hole for the byte range."""
        gap = Placeholder(b"<" + b"0" * (2 * request.gap_bytes) + b">")
        byte_range = Placeholder(b" " * _RANGE_ROOM)
        signature = self._revision.add_object(
            _signature(self._document.data, request, gap, byte_range)
        )
        if request.certify is not None:
            self._certify(signature)
        new_fields = []
        for place, one in enumerate(standing):
            if isinstance(one.thing, Slot):
                new_fields.append(self._add_slot(one, one.thing))
            elif place == 0:
                new_fields.append(self._add_seal(one, one.thing, signature))
            else:
                self._add_stamp(one, one.thing)
        self._extend_form(new_fields)
        return self._revision.section(), gap, byte_range

    def _certify(self, signature: IndirectObject) -> None:
        """The catalogue names the certification; usage rights of before end with this change."""
        root = self._revision.root
        perms = dictionary_at(root, "/Perms")
        if perms is None:
            perms = DictionaryObject()
            root[pdf_name("/Perms")] = perms
            self._revision.touch_root()
        for right in ("/UR", "/UR3"):
            perms.pop(right, None)
        perms[pdf_name("/DocMDP")] = signature
        self._revision.update_container(perms)

    def _add_seal(self, one: _Standing, mark: Mark, signature: IndirectObject) -> IndirectObject:
        widget = self._annotation(one, "/Widget", _PRINTED_LOCKED, self._drawing(one, mark))
        widget[pdf_name("/FT")] = pdf_name("/Sig")
        widget[pdf_name("/T")] = pdf_string(FIELD_PREFIX + mark.serial)
        widget[pdf_name("/TU")] = pdf_string(_said(mark))
        widget[pdf_name("/V")] = signature
        return self._attach(one, widget)

    def _add_slot(self, one: _Standing, slot: Slot) -> IndirectObject:
        widget = self._annotation(one, "/Widget", _PRINTED_LOCKED, self._blank(one))
        widget[pdf_name("/FT")] = pdf_name("/Sig")
        widget[pdf_name("/T")] = pdf_string(slot.name)
        return self._attach(one, widget)

    def _add_stamp(self, one: _Standing, mark: Mark) -> None:
        stamp = self._annotation(one, "/Stamp", _UNTOUCHABLE, self._drawing(one, mark))
        stamp[pdf_name("/NM")] = pdf_string(FIELD_PREFIX + mark.serial)
        stamp[pdf_name("/Contents")] = pdf_string(_said(mark))
        self._attach(one, stamp)

    def _annotation(
        self, one: _Standing, kind: str, flags: int, appearance: IndirectObject
    ) -> DictionaryObject:
        annotation = DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(kind),
                pdf_name("/Rect"): _numbers(
                    one.rectangle.x0, one.rectangle.y0, one.rectangle.x1, one.rectangle.y1
                ),
                pdf_name("/F"): NumberObject(flags),
                pdf_name("/AP"): DictionaryObject({pdf_name("/N"): appearance}),
            }
        )
        if kind == "/Widget" and one.page.frame.rotation:
            turned = NumberObject(one.page.frame.rotation)
            annotation[pdf_name("/MK")] = DictionaryObject({pdf_name("/R"): turned})
        if one.page.reference is not None:
            annotation[pdf_name("/P")] = _to(one.page.reference)
        return annotation

    def _drawing(self, one: _Standing, mark: Mark) -> IndirectObject:
        content = art.appearance(mark.serial, mark.address)
        form = _form(content, art.SIDE, art.SIDE, one.page.frame.rotation)
        form[pdf_name("/Resources")] = DictionaryObject(
            {
                pdf_name("/ColorSpace"): DictionaryObject(
                    {pdf_name("/C"): _Verbatim(art.COLOUR_SPACE)}
                )
            }
        )
        return self._revision.add_object(form)

    def _blank(self, one: _Standing) -> IndirectObject:
        form = _form(b"", one.rectangle.width, one.rectangle.height, 0)
        form[pdf_name("/Resources")] = DictionaryObject()
        return self._revision.add_object(form)

    def _attach(self, one: _Standing, annotation: DictionaryObject) -> IndirectObject:
        """The annotation is on its page."""
        reference = self._revision.add_object(annotation)
        page = one.page.dictionary
        known = array_at(page, "/Annots")
        if one.page.number in self._own_arrays:
            self._own_arrays[one.page.number].append(reference)
        elif known is not None and self._keep_arrays:
            known.append(reference)
            self._revision.update_container(known)
        else:
            raw = () if known is None else raw_items_of(known)
            annotations = ArrayObject([*raw, reference])
            page[pdf_name("/Annots")] = annotations
            self._own_arrays[one.page.number] = annotations
            self._revision.update_container(page)
        return reference

    def _extend_form(self, fields: Sequence[IndirectObject]) -> None:
        """The form knows the new fields and that there are signatures which forbid a rewrite."""
        root = self._revision.root
        form = dictionary_at(root, "/AcroForm")
        if form is None:
            form = DictionaryObject()
            root[pdf_name("/AcroForm")] = self._revision.add_object(form)
            self._revision.touch_root()
        known = array_at(form, "/Fields")
        if known is None:
            form[pdf_name("/Fields")] = ArrayObject(fields)
        else:
            known.extend(fields)
            self._revision.update_container(known)
        form[pdf_name("/SigFlags")] = NumberObject(3)
        self._revision.update_container(form)


class _Verbatim(PdfObject):
    """PDF syntax without strings, written as it is."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def write_to_stream(
        self, stream: object, handler: object = None, container_ref: object = None
    ) -> None:
        """See pyHanko."""
        del handler, container_ref
        stream.write(self._content)  # type: ignore[attr-defined]  # a binary stream


def _form(content: bytes, width: float, height: float, rotation: int) -> StreamObject:
    """A form XObject; its matrix turns it against the page (ISO 32000-2 §12.5.5, algorithm 8)."""
    form = StreamObject(stream_data=content)
    form[pdf_name("/Type")] = pdf_name("/XObject")
    form[pdf_name("/Subtype")] = pdf_name("/Form")
    form[pdf_name("/BBox")] = _numbers(0, 0, width, height)
    if rotation:
        form[pdf_name("/Matrix")] = _numbers(*UPRIGHT[rotation], 0, 0)
    return form


def _signature(
    document: bytes, request: Request, gap: Placeholder, byte_range: Placeholder
) -> DictionaryObject:
    signature = DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Sig"),
            pdf_name("/Filter"): pdf_name("/Adobe.PPKLite"),
            pdf_name("/SubFilter"): pdf_name("/ETSI.CAdES.detached"),
            pdf_name("/M"): pdf_date(request.signing_time),
            pdf_name(OURS_KEY): DictionaryObject(
                {
                    pdf_name("/Serials"): ArrayObject(pdf_string(m.serial) for m in request.marks),
                    pdf_name("/Length"): NumberObject(len(document)),
                    pdf_name("/SHA256"): ByteStringObject(hashlib.sha256(document).digest()),
                }
            ),
        }
    )
    for key, text in (
        ("/Name", request.name),
        ("/Reason", request.reason),
        ("/Location", request.location),
    ):
        if text:
            signature[pdf_name(key)] = pdf_string(text)
    if request.certify is not None:
        signature[pdf_name("/Reference")] = ArrayObject([_docmdp(request.certify)])
    signature[pdf_name("/ByteRange")] = byte_range
    signature[pdf_name("/Contents")] = gap
    return signature


def _docmdp(level: int) -> DictionaryObject:
    """The promise that is certified (ISO 32000-2 §12.8.2.2)."""
    return DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/SigRef"),
            pdf_name("/TransformMethod"): pdf_name("/DocMDP"),
            pdf_name("/TransformParams"): DictionaryObject(
                {
                    pdf_name("/Type"): pdf_name("/TransformParams"),
                    pdf_name("/V"): pdf_name("/1.2"),
                    pdf_name("/P"): NumberObject(level),
                }
            ),
        }
    )


def _said(mark: Mark) -> str:
    groups = " ".join(mark.serial[start : start + 4] for start in range(0, len(mark.serial), 4))
    return f"CONTOH meterai elektronik, bukan meterai sah. Nomor seri {groups}."


def _numbers(*values: float) -> ArrayObject:
    return ArrayObject(
        NumberObject(value) if isinstance(value, int) else FloatObject(f"{value:.3f}")
        for value in values
    )


def _to(reference: Reference) -> IndirectObject:
    return IndirectObject(reference.idnum, reference.generation, reference.pdf)
