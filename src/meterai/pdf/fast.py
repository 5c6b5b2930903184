"""The fast road: the objects that change are read as raw spans, and one section is written by hand.

It does what the careful road does, for documents in which nothing is out of the ordinary. What it meets else,
or what would have to be refused, raises :class:`~meterai.pdf.road.Unusual`: then the careful road decides.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from meterai.pdf import mark as art
from meterai.pdf import syntax
from meterai.pdf.fields import FIELD_PREFIX
from meterai.pdf.geometry import MM_PER_POINT, UPRIGHT, Rectangle, rectangle_of
from meterai.pdf.model import Box, Place
from meterai.pdf.raw import RawDocument, RawPage
from meterai.pdf.raw_form import fields_of, form_of, signature_boxes
from meterai.pdf.request import (
    OURS_KEY,
    PRINTED_LOCKED,
    RANGE_ROOM,
    RECIPE,
    UNTOUCHABLE,
    Increment,
    Mark,
    Request,
    Slot,
    said,
)
from meterai.pdf.road import Oddity, Unusual
from meterai.pdf.section import Ref, Section


@dataclass(slots=True)
class _Sheet:
    """A page on which something shall stand."""

    page: RawPage
    annotations: bytes
    """The array as it is written in the document."""
    taken: list[Box]
    """Fields for signatures, and what stands there already."""
    added: list[Ref] = field(default_factory=list)


def write(document: bytes, source: bytes, request: Request) -> Increment:
    """The increment for a document with this SHA-256, the byte range filled in."""
    if request.certify is None:
        raise Unusual(Oddity.REQUEST)
    return _Writing(document, source, request).write()


class _Writing:
    """One increment under way."""

    def __init__(self, document: bytes, source: bytes, request: Request) -> None:
        self._raw = RawDocument(document)
        self._source = source
        self._request = request
        self._root = self._raw.dictionary(self._raw.root)
        self._form = form_of(self._raw, self._root)
        self._names = {one.name for one in fields_of(self._raw, self._form)}
        self._sheets: dict[Ref, _Sheet] = {}
        self._base = len(document)
        self._section = Section(self._base + 1, self._raw.references, self._ids())

    def _ids(self) -> bytes:
        """The first id stays; the second names this revision."""
        salt = hashlib.sha256(
            self._source + msgspec.json.encode((RECIPE, self._request))
        ).hexdigest()
        known = self._raw.references.trailer.get(b"ID")
        if known is None:
            return b"[<%b><%b>]" % (self._source[:16].hex().encode(), salt[:32].encode())
        start = syntax.blank_end(known, 1)
        first = known[start : syntax.value_end(known, start)]
        if not known.startswith(b"[") or first[:1] not in {b"(", b"<"} or first.startswith(b"<<"):
            raise Unusual(Oddity.SYNTAX)
        return b"[%b<%b>]" % (first, salt[:32].encode())

    def write(self) -> Increment:
        section, request = self._section, self._request
        signature, ground = section.new(), section.add(_GROUND)
        fields = []
        for place, mark in enumerate(request.marks):
            side = mark.size_pt * MM_PER_POINT
            sheet, where = self._stand(mark.place, side, side)
            drawn = section.add(_face(mark, ground, sheet.page.frame.rotation))
            if place:
                body = _stamp(mark, where, drawn)
            else:
                self._take_name(FIELD_PREFIX + mark.serial)
                body = _seal(mark, where, drawn, signature)
            sheet.added.append(section.add(body))
            fields += [] if place else [sheet.added[-1]]
        for slot in request.slots:
            sheet, where = self._stand(slot.place, slot.width_mm, slot.height_mm)
            self._take_name(slot.name)
            body = _slot(slot, where, section.add(where.blank))
            sheet.added.append(section.add(body))
            fields.append(sheet.added[-1])
        for ref, sheet in self._sheets.items():
            changed = sheet.page.spans | {b"Annots": _longer(sheet.annotations, sheet.added)}
            section.write(ref, syntax.written(changed))
        self._write_root(signature, fields)
        return self._finish(signature)

    def _stand(self, place: Place, width_mm: float, height_mm: float) -> "tuple[_Sheet, _Where]":
        """Where a thing stands: wholly on its page, on nothing that matters."""
        page = self._raw.page(place.page)
        sheet = self._sheets.get(page.ref)
        if sheet is None:
            array = self._raw.array(page.spans, b"Annots")
            sheet = _Sheet(page, array, list(signature_boxes(self._raw, page, array)))
            self._sheets[page.ref] = sheet
        box = Box(place.left_mm, place.top_mm, width_mm, height_mm)
        rectangle = rectangle_of(page.frame, box, page=place.page)
        if any(box.overlaps(other) for other in sheet.taken):
            raise Unusual(Oddity.PLACE)
        sheet.taken.append(box)
        return sheet, _Where(page, rectangle)

    def _take_name(self, name: str) -> None:
        if name in self._names or not name or "." in name:
            raise Unusual(Oddity.PLACE)
        self._names.add(name)

    def _write_root(self, signature: Ref, fields: list[Ref]) -> None:
        """The form knows the new fields, and the catalogue names the certification."""
        form = dict(self._form)
        form[b"Fields"] = _longer(self._raw.array(form, b"Fields"), fields)
        form[b"SigFlags"] = b"3"
        root = self._root | {b"Perms": b"<</DocMDP %d %d R>>" % signature}
        before = syntax.reference(self._root.get(b"AcroForm", b""))
        if before is None:
            root[b"AcroForm"] = b"%d %d R" % self._section.add(syntax.written(form))
        else:
            self._section.write(before, syntax.written(form))
        self._section.write(self._raw.root, syntax.written(root))

    def _finish(self, signature: Ref) -> Increment:
        """Everything around the gap, with the byte range that leaves it out."""
        said = self._signature()
        self._section.open(signature, b"%b/ByteRange %b/Contents " % (said, b" " * RANGE_ROOM))
        start = self._section.at
        end = start + 2 * self._request.gap_bytes + 2
        after = self._section.close(end, b">>")
        covered = (b"[0 %d %d %d]" % (start, end, len(after))).ljust(RANGE_ROOM)
        before = self._section.taken()
        hole = RANGE_ROOM + len(b"/Contents ")
        return Increment(b"\n%b%b/Contents " % (before[:-hole], covered), after)

    def _signature(self) -> bytes:
        """The start of the signature dictionary."""
        request = self._request
        parts = [
            b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:%b)"
            % _date(request.signing_time),
            b"%b<</Serials[%b]/Length %d/SHA256<%b>>>"
            % (
                OURS_KEY.encode(),
                b" ".join([_string(mark.serial) for mark in request.marks]),
                self._base,
                self._source.hex().encode(),
            ),
            b"/Reference[<</Type/SigRef/TransformMethod/DocMDP"
            b"/TransformParams<</Type/TransformParams/V/1.2/P %d>>>>]" % (request.certify or 0),
        ]
        said = (
            (b"/Name", request.name),
            (b"/Reason", request.reason),
            (b"/Location", request.location),
        )
        parts += [key + _string(text) for key, text in said if text]
        return b"".join(parts)


def _longer(array: bytes, added: list[Ref]) -> bytes:
    """The array with references behind what is in it."""
    return b"%b %b]" % (array[:-1], b" ".join([b"%d %d R" % ref for ref in added]))


@dataclass(frozen=True, slots=True)
class _Where:
    """Where an annotation is."""

    page: RawPage
    rectangle: Rectangle

    def start(self, flags: int) -> bytes:
        """The keys that every annotation has."""
        box = self.rectangle
        return b"<</Type/Annot/F %d/Rect[%.3f %.3f %.3f %.3f]/P %d %d R" % (
            *(flags, box.x0, box.y0, box.x1, box.y1),
            *self.page.ref,
        )

    def widget(self) -> bytes:
        """The keys that every field for a signature has; it says how it is turned against the page."""
        turned = b"/MK<</R %d>>" % self.page.frame.rotation if self.page.frame.rotation else b""
        return b"%b%b/Subtype/Widget/FT/Sig" % (self.start(PRINTED_LOCKED), turned)

    @property
    def blank(self) -> bytes:
        """A drawing of nothing in its size."""
        return _form(
            b"", b"[0 0 %.3f %.3f]" % (self.rectangle.width, self.rectangle.height), b"<<>>"
        )


def _seal(mark: Mark, where: _Where, drawn: Ref, signature: Ref) -> bytes:
    return b"%b/T%b/TU%b/AP<</N %d %d R>>/V %d %d R>>" % (
        where.widget(),
        _string(FIELD_PREFIX + mark.serial),
        _string(said(mark)),
        *drawn,
        *signature,
    )


def _stamp(mark: Mark, where: _Where, drawn: Ref) -> bytes:
    return b"%b/Subtype/Stamp/NM%b/Contents%b/AP<</N %d %d R>>>>" % (
        where.start(UNTOUCHABLE),
        _string(FIELD_PREFIX + mark.serial),
        _string(said(mark)),
        *drawn,
    )


def _slot(slot: Slot, where: _Where, blank: Ref) -> bytes:
    return b"%b/T%b/AP<</N %d %d R>>>>" % (where.widget(), _string(slot.name), *blank)


def _form(content: bytes, box: bytes, resources: bytes) -> bytes:
    """A form XObject."""
    return b"<</Type/XObject/Subtype/Form/BBox%b/Resources%b/Length %d>>stream\n%b\nendstream" % (
        *(box, resources, len(content), content),
    )


_COLOURS = b"/ColorSpace<</C %b>>" % art.COLOUR_SPACE
_SQUARE = b"[0 0 %d %d]" % (art.SIDE, art.SIDE)
_GROUND = _form(art.ground(), _SQUARE, b"<<%b>>" % _COLOURS)


def _face(mark: Mark, ground: Ref, rotation: int) -> bytes:
    """The mark itself; its matrix turns it against the page (ISO 32000-2 §12.5.5, algorithm 8)."""
    resources = b"<<%b/XObject<</G %d %d R>>>>" % (_COLOURS, *ground)
    if rotation:
        resources += b"/Matrix[%d %d %d %d 0 0]" % UPRIGHT[rotation]
    return _form(art.face(mark.serial, mark.address), _SQUARE, resources)


def _string(text: str) -> bytes:
    """A text string (ISO 32000-2 §7.9.2.2)."""
    if text.isascii() and text.isprintable():
        text = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        return b"(%b)" % text.encode()
    return b"<FEFF%b>" % text.encode("utf-16-be").hex().upper().encode()


def _date(moment: datetime) -> bytes:
    """The moment with its zone (ISO 32000-2 §7.9.4)."""
    day = b"%04d%02d%02d" % (moment.year, moment.month, moment.day)
    time = b"%02d%02d%02d" % (moment.hour, moment.minute, moment.second)
    offset = moment.utcoffset()
    assert offset is not None  # checked with the request
    minutes = offset // timedelta(minutes=1)
    if not minutes:
        return day + time + b"Z"
    sign = b"+" if minutes > 0 else b"-"
    return b"%b%b%b%02d'%02d'" % (day, time, sign, *divmod(abs(minutes), 60))
