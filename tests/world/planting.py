"""A document with a trap in it: a signature dictionary planted before sealing, which takes the seal over.

The signed bytes do not say where the gap was. Whoever knows the serial beforehand plants a catalogue, pages, a
signature dictionary and cross-references in a stream that nothing names; after sealing he closes the gap, opens
another in the planted dictionary, so wide that the old ``startxref`` now names the planted cross-references.
Every signed byte is the same, in the same order: the digest holds, and the reader shows another document.
"""

import hashlib
from dataclasses import dataclass

from meterai.pdf.increment import prepare
from world import pki
from world.documents import SERIAL, appended, letter, request
from world.tampering import gap

PAGE = b"BT /F1 40 Tf 72 700 Td (Utang sudah lunas) Tj ET"
ROOT, PAGES, SHEET, FONT, CONTENT, FIELD, VALUE, FORM = range(1001, 1009)


@dataclass(frozen=True, slots=True)
class Trap:
    """The document as it was sealed, and after the trap was sprung."""

    whole: bytes
    sprung: bytes


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What must be known before the planted bytes can be written; all are written at one width."""

    gap_start: int = 0
    gap_end: int = 0
    rest: int = 0
    source: bytes = bytes(32)
    start: int = 0
    """Where the planted part begins."""


def _planted(at: _Numbers, serial: str) -> tuple[bytes, bytes]:
    """The planted bytes before and after the gap that will be opened."""
    objects = (
        (ROOT, b"<</Type/Catalog/Pages %d 0 R/AcroForm %d 0 R/Perms<</DocMDP %d 0 R>>>>"
         % (PAGES, FORM, VALUE)),
        (PAGES, b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % SHEET),
        (SHEET, b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
         b"/Resources<</Font<</F1 %d 0 R>>>>/Annots[%d 0 R]>>" % (PAGES, CONTENT, FONT, FIELD)),
        (FONT, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"),
        (CONTENT, b"<</Length %d>>stream\n%b\nendstream" % (len(PAGE), PAGE)),
        (FIELD, b"<</Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P %d 0 R/FT/Sig"
         b"/T(Meterai-%b)/V %d 0 R>>" % (SHEET, serial.encode(), VALUE)),
        (FORM, b"<</Fields[%d 0 R]/SigFlags 3>>" % FIELD),
    )  # fmt: skip
    body, places = b"", {}
    for number, content in objects:
        places[number] = at.start + len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    places[VALUE] = at.start + len(body)
    body += (
        b"%d 0 obj\n<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached "
        b"/M (D:20261124070509Z) /XXMeterai <</Serials [(%b)] /Length %010d /SHA256 <%b>>> "
        b"/Reference [<</Type /SigRef /TransformMethod /DocMDP "
        b"/TransformParams <</Type /TransformParams /V /1.2 /P 1>>>>] "
        b"/ByteRange [0 %010d %010d %010d] /Contents "
        % (VALUE, serial.encode(), at.start, at.source.hex().encode(), at.gap_start, at.gap_end,
           at.rest)
    )  # fmt: skip
    table = b"xref\n0 1\n0000000000 65535 f \n%d 8\n" % ROOT
    table += b"".join(b"%010d 00000 n \n" % places[number] for number in range(ROOT, FORM + 1))
    table += b"trailer\n<</Size 1009/Root %d 0 R>>\n" % ROOT
    return body, b"\n>>\nendobj\n" + table


def _source(at: _Numbers, serial: str) -> tuple[bytes, int, int]:
    """The document with the planted part in a stream, where that begins, and where its gap will be."""
    before, after = _planted(at, serial)
    stream = b"<</Length %d>>stream\n%b\nendstream" % (len(before + after), before + after)
    document = appended(letter(), (90, stream))
    start = document.index(before)
    return document, start, start + len(before)


async def sprung(serial: str = SERIAL) -> Trap:
    """A sealed document whose trap was sprung."""
    document, start, place = _source(_Numbers(), serial)
    document, start, place = _source(_Numbers(start=start), serial)
    table = document.index(b"xref\n0 1\n0000000000 65535 f \n1001 8", start)
    blank = prepare(document, request())
    points_to = int(blank.increment.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    width = points_to - table
    signed = blank.size - (blank.gap_end - blank.gap_start)
    document, start, place = _source(
        _Numbers(
            gap_start=place,
            gap_end=place + width,
            rest=signed - place,
            source=hashlib.sha256(document[:start]).digest(),
            start=start,
        ),
        serial,
    )
    prepared = prepare(document, request())
    assert prepared.size == blank.size
    whole = prepared.sealed_with(await pki.sealer().seal(prepared.digest))
    begin, end = gap(whole)
    same = whole[:begin] + whole[end:]
    seal = whole[begin + 1 : end - 1].rstrip(b"0")
    seal += b"0" * (len(seal) % 2)
    room = b"<" + seal.ljust(width - 2, b"0") + b">"
    return Trap(whole, same[:place] + room + same[place:])
