"""Putting marks, fields and the signature dictionary into a revision.

The first mark is the widget of the one signature field ``Meterai-<serial>``; every further mark is a locked,
printable stamp annotation in the same revision. All serials and the digest of the document before stand in the
signature dictionary under ``/XXMeterai``, where the seal covers them and nothing that was in the document
before can claim to be them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

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
from meterai.pdf.document import Document, Page, raw_items_of
from meterai.pdf.fields import FIELD_PREFIX, array_at, dictionary_at
from meterai.pdf.geometry import UPRIGHT, Rectangle
from meterai.pdf.model import Box
from meterai.pdf.request import (
    OURS_KEY,
    PRINTED_LOCKED,
    RANGE_ROOM,
    UNTOUCHABLE,
    Mark,
    Request,
    Slot,
    said,
)
from meterai.pdf.revision import Placeholder, Revision


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that shall stand on a page."""

    thing: Mark | Slot
    page: Page
    rectangle: Rectangle
    box: Box


class Desk:
    """Puts things into a revision."""

    def __init__(self, document: Document, revision: Revision, *, keep_arrays: bool) -> None:
        self._document = document
        self._revision = revision
        self._keep_arrays = keep_arrays
        """Annotation arrays of their own are extended in place, as earlier signatures expect. Otherwise the
        page gets a copy: an array that two pages share would show the mark on both."""
        self._own_arrays: dict[int, ArrayObject] = {}
        self._ground: IndirectObject | None = None
        """What all marks share."""

    def write(
        self, request: Request, standing: Sequence[Standing]
    ) -> tuple[bytes, Placeholder, Placeholder]:
        """All of it is in the revision; returns its bytes, the gap, and the hole for the byte range."""
        gap = Placeholder(b"<" + b"0" * (2 * request.gap_bytes) + b">")
        byte_range = Placeholder(b" " * RANGE_ROOM)
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

    def _add_seal(self, one: Standing, mark: Mark, signature: IndirectObject) -> IndirectObject:
        widget = self._annotation(one, "/Widget", PRINTED_LOCKED, self._drawing(one, mark))
        widget[pdf_name("/FT")] = pdf_name("/Sig")
        widget[pdf_name("/T")] = pdf_string(FIELD_PREFIX + mark.serial)
        widget[pdf_name("/TU")] = pdf_string(said(mark))
        widget[pdf_name("/V")] = signature
        return self._attach(one, widget)

    def _add_slot(self, one: Standing, slot: Slot) -> IndirectObject:
        widget = self._annotation(one, "/Widget", PRINTED_LOCKED, self._blank(one))
        widget[pdf_name("/FT")] = pdf_name("/Sig")
        widget[pdf_name("/T")] = pdf_string(slot.name)
        return self._attach(one, widget)

    def _add_stamp(self, one: Standing, mark: Mark) -> None:
        stamp = self._annotation(one, "/Stamp", UNTOUCHABLE, self._drawing(one, mark))
        stamp[pdf_name("/NM")] = pdf_string(FIELD_PREFIX + mark.serial)
        stamp[pdf_name("/Contents")] = pdf_string(said(mark))
        self._attach(one, stamp)

    def _annotation(
        self, one: Standing, kind: str, flags: int, appearance: IndirectObject
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

    def _drawing(self, one: Standing, mark: Mark) -> IndirectObject:
        if self._ground is None:
            self._ground = self._revision.add_object(_art(art.ground(), 0))
        form = _art(art.face(mark.serial, mark.address), one.page.frame.rotation)
        shared = DictionaryObject({pdf_name("/G"): self._ground})
        form[pdf_name("/Resources")][pdf_name("/XObject")] = shared
        return self._revision.add_object(form)

    def _blank(self, one: Standing) -> IndirectObject:
        form = _form(b"", one.rectangle.width, one.rectangle.height, 0)
        form[pdf_name("/Resources")] = DictionaryObject()
        return self._revision.add_object(form)

    def _attach(self, one: Standing, annotation: DictionaryObject) -> IndirectObject:
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


def _art(content: bytes, rotation: int) -> StreamObject:
    """A form XObject with the colours of the mark."""
    form = _form(content, art.SIDE, art.SIDE, rotation)
    colours = DictionaryObject({pdf_name("/C"): _Verbatim(art.COLOUR_SPACE)})
    form[pdf_name("/Resources")] = DictionaryObject({pdf_name("/ColorSpace"): colours})
    return form


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


def _numbers(*values: float) -> ArrayObject:
    return ArrayObject(
        NumberObject(value) if isinstance(value, int) else FloatObject(f"{value:.3f}")
        for value in values
    )


def _to(reference: Reference) -> IndirectObject:
    return IndirectObject(reference.idnum, reference.generation, reference.pdf)
