"""Attacks on a sealed file, each made anew from it: what a forger, a careless tool or a broken disk does.

The names follow the published classes: USF (the signature's own data broken), ISA (something appended), SWA
(the second signed range moved), shadow (prepared before sealing, sprung after), EAA and SSA (annotations and
signatures added to a certified document).
"""

import io
import re
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from meterai.signing.signed_data import SignedData, read_signed_data
from world import pictures
from world.documents import A4, appended, letter, qpdf


def flipped(sealed: bytes, place: int, mask: int = 1) -> bytes:
    broken = bytearray(sealed)
    broken[place] ^= mask
    return bytes(broken)


def gap(sealed: bytes) -> tuple[int, int]:
    """Where the newest seal's ``<`` stands, and what follows its ``>``."""
    found = re.findall(rb"/ByteRange \[0 (\d+) (\d+) \d+\]", sealed)
    return int(found[-1][0]), int(found[-1][1])


def numbers(sealed: bytes) -> dict[str, int]:
    """Object numbers of page, catalogue, field and signature."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        field = next(field for field in pdf.Root.AcroForm.Fields if "/V" in field)
        return {
            "root": pdf.Root.objgen[0],
            "page": pdf.pages[0].obj.objgen[0],
            "field": field.objgen[0],
            "signature": field.V.objgen[0],
            "size": int(pdf.trailer.Size),
        }


def body(sealed: bytes, number: int) -> bytes:
    """The dictionary of an object as it is written, without its streams."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        return pdf.get_object((number, 0)).unparse(resolved=True)


def edited(sealed: bytes, old: bytes, new: bytes) -> bytes:
    """The last ``old`` is now ``new``, padded to the same length so that all offsets stay."""
    if old not in sealed:
        old = old.replace(b" ", b"")  # as the hand-written increments say it
    assert len(new) <= len(old)
    place = sealed.rindex(old)
    return sealed[:place] + new.ljust(len(old)) + sealed[place + len(old) :]


def overlaid(sealed: bytes) -> bytes:
    """A new revision covers the text with a white sheet and other words."""
    at = numbers(sealed)
    text = b"1 1 1 rg 0 0 600 850 re f 0 g BT /F1 30 Tf 80 500 Td (Lunas) Tj ET"
    page = body(sealed, at["page"])
    content = re.search(rb"/Contents (\d+ \d+ R)", page)
    assert content
    fresh = at["size"]
    page = page.replace(content[0], b"/Contents [%b %d 0 R]" % (content[1], fresh))
    stream = b"<</Length %d>>stream\n%b\nendstream" % (len(text), text)
    return appended(sealed, (at["page"], page), (fresh, stream))


def annotated(sealed: bytes) -> bytes:
    """EAA: a free-text note over the amount."""
    at = numbers(sealed)
    page = body(sealed, at["page"])
    note = (
        b"<</Type/Annot/Subtype/FreeText/Rect[60 600 500 800]/F 4/DA(/Helv 20 Tf)/Contents(Rp 1)>>"
    )
    annots = re.search(rb"/Annots (\[[^\]]*\])", page)
    assert annots
    page = page.replace(annots[1], annots[1][:-1] + b" %d 0 R]" % at["size"])
    return appended(sealed, (at["page"], page), (at["size"], note))


def cosigned(sealed: bytes) -> bytes:
    """SSA: a stranger's signature field, visible, over the text; its seal is noise."""
    at = numbers(sealed)
    page = body(sealed, at["page"])
    field, value = at["size"], at["size"] + 1
    annots = re.search(rb"/Annots (\[[^\]]*\])", page)
    assert annots
    page = page.replace(annots[1], annots[1][:-1] + b" %d 0 R]" % field)
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        form = pdf.Root.AcroForm.objgen[0]
        listed = b" ".join(b"%d 0 R" % f.objgen[0] for f in pdf.Root.AcroForm.Fields)
    widget = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Notaris)/V %d 0 R/Rect[50 500 400 800]/F 4>>"
    noise = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached%b>>"
    return appended(
        sealed,
        (at["page"], page),
        (form, b"<</Fields[%b %d 0 R]/SigFlags 3>>" % (listed, field)),
        (field, widget % value),
        (value, noise % b"/ByteRange[0 10 20 30]/Contents<3000>"),
    )


def renamed(sealed: bytes) -> bytes:
    """Another serial is written over ours in a later revision."""
    at = numbers(sealed)
    field = body(sealed, at["field"])
    other = re.sub(rb"\(Meterai-\w{22}\)", b"(Meterai-0000000000000000000000)", field)
    return appended(sealed, (at["field"], other))


def hidden_field(sealed: bytes) -> bytes:
    """The form forgets that there is a signature."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        form = pdf.Root.AcroForm.objgen[0]
    return appended(sealed, (form, b"<</Fields[]>>"))


def appended_without_xref(sealed: bytes) -> bytes:
    """ISA in its crudest form: objects behind the end, no table, and a pointer to the old place."""
    at = numbers(sealed)
    start = sealed[sealed.rindex(b"startxref") :]
    return sealed + b"%d 0 obj\n<</Type/Page>>\nendobj\n" % at["page"] + start


def second_range_moved(sealed: bytes) -> bytes:
    """SWA: foreign objects in a wide gap; the signed bytes behind it are the same, only later in the file."""
    start, end = gap(sealed)
    wedge = b"\n99 0 obj\n<</Type/Page/MediaBox[0 0 10 10]>>\nendobj\n"
    length = len(sealed) - end
    said = b"/ByteRange [0 %d %d %d]" % (start, end, length)
    new = b"/ByteRange [0 %d %d %d]" % (start, end + len(wedge), length)
    place = sealed.rindex(said)
    room = sealed[place:].index(b"\n")
    head = sealed[:place] + new.ljust(room) + sealed[place + room :]
    return head[:end] + wedge + head[end:]


def gap_used(sealed: bytes) -> bytes:
    """SWA without moving anything: the seal is cut to size, and objects stand in the room that is left."""
    start, end = gap(sealed)
    seal = sealed[start + 1 : end - 1].rstrip(b"0")
    seal += b"0" * (len(seal) % 2) + b"00>"
    wedge = b"\n/X 1>>\nendobj\n99 0 obj\n<</Type/Page/MediaBox[0 0 10 10]"
    return sealed[: start + 1] + (seal + wedge).ljust(end - start - 1) + sealed[end:]


def in_seal(sealed: bytes, part: Callable[[SignedData], bytes | None]) -> bytes:
    """One bit is wrong in the middle of a part of the seal."""
    start, end = gap(sealed)
    padded = bytearray.fromhex(sealed[start + 1 : end - 1].decode())
    der = bytes(padded[: 4 + int.from_bytes(padded[2:4], "big")])
    wanted = part(read_signed_data(der))
    assert wanted is not None
    padded[der.index(wanted) + len(wanted) // 2] ^= 1
    return sealed[: start + 1] + padded.hex().upper().encode() + sealed[end - 1 :]


def transplanted(sealed: bytes, other: bytes) -> bytes:
    """The seal of one file, put into the gap of another that was prepared alike."""
    start, end = gap(sealed)
    there, after = gap(other)
    assert end - start == after - there
    return other[:there] + sealed[start:end] + other[after:]


def pasted_picture(sealed: bytes) -> bytes:
    """A screenshot of the mark in another document."""
    shot = pictures.picture(sealed, "poppler", 150)
    stream, png = io.BytesIO(), io.BytesIO()
    shot.save(png, "PNG")
    png.seek(0)
    page = canvas.Canvas(stream, pagesize=A4)
    page.drawImage(ImageReader(Image.open(png)), 0, 0, *A4)
    page.showPage()
    page.save()
    return stream.getvalue()


def merged(sealed: bytes) -> bytes:
    """The stamped page taken over into another document."""
    with pikepdf.open(io.BytesIO(sealed)) as source, pikepdf.open(io.BytesIO(letter())) as target:
        target.pages.append(source.pages[0])
        target.Root.AcroForm = Dictionary(
            Fields=Array(list(target.pages[-1].obj.Annots)), SigFlags=3
        )
        out = io.BytesIO()
        target.save(out)
    return out.getvalue()


def resaved(sealed: bytes) -> bytes:
    """What "compress PDF" and many viewers do."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def flattened(sealed: bytes) -> bytes:
    """Printed to PDF: the mark becomes part of the page."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        pdf.flatten_annotations("all")
        for key in (Name.AcroForm, Name.Perms):
            if key in pdf.Root:
                del pdf.Root[key]
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def _content(sealed: bytes) -> int:
    """A byte of the page's content."""
    return sealed.index(b"stream\n") + 30


def contents(sealed: bytes, new: bytes) -> bytes:
    """The seal is replaced, at the same length, by other PDF syntax."""
    start, end = gap(sealed)
    assert len(new) <= end - start
    return sealed[:start] + new.ljust(end - start) + sealed[end:]


def byte_range(sealed: bytes, new: bytes) -> bytes:
    """The byte range is replaced, at the same length."""
    return edited(sealed, re.findall(rb"\[0 \d+ \d+ \d+\]", sealed)[-1], new)


def _hexadecimal(sealed: bytes) -> bytes:
    start, end = gap(sealed)
    return sealed[start + 1 : end - 1]


INSIDE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "page content flipped": (lambda s: flipped(s, _content(s)), "content_damaged"),
    "mark flipped": (lambda s: flipped(s, s.rindex(b"/C cs") + 60), "content_damaged"),
    "signing time changed": (
        lambda s: edited(s, b"20261124070509", b"20261124070508"),
        "content_damaged",
    ),
    "serial changed": (
        lambda s: edited(s, b"7K4P2M9QAB0O1I5S8BZ2XY", b"7K4P2M9QAB0O1I5S8BZ2XZ"),
        "content_damaged",
    ),
    "permission widened": (lambda s: edited(s, b"/P 1", b"/P 2"), "content_damaged"),
}
"""What differs inside the sealed part."""

SEAL: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "signature flipped": (lambda s: in_seal(s, lambda data: data.signature), "signature_wrong"),
    "signed digest flipped": (
        lambda s: in_seal(s, lambda data: data.attributes["message_digest"].native),
        "signature_wrong",
    ),
    "time stamp flipped": (
        # in its signature: the certificates that ride along decide nothing
        lambda s: in_seal(s, lambda data: read_signed_data(data.time_stamp or b"").signature),
        "time_stamp_wrong",
    ),
    "certificate flipped": (lambda s: in_seal(s, lambda data: data.certificate), "foreign_signer"),
    "padding used": (lambda s: flipped(s, gap(s)[1] - 9), "seal_damaged"),
    "USF contents of noughts": (
        lambda s: contents(s, b"<" + b"0" * len(_hexadecimal(s)) + b">"),
        "seal_damaged",
    ),
    "USF contents empty": (lambda s: contents(s, b"<>"), "range_wrong"),
    "USF contents null": (lambda s: contents(s, b"null"), "range_wrong"),
    "USF contents missing": (lambda s: edited(s, b"/Contents <", b"/Content  <"), "range_wrong"),
    "USF contents no hexadecimal": (
        lambda s: contents(s, b"<zz" + _hexadecimal(s)[2:] + b">"),
        "structure_damaged",
    ),
    "USF contents a literal string": (
        lambda s: contents(s, b"(" + _hexadecimal(s) + b")"),
        "range_wrong",
    ),
    "USF range missing": (lambda s: edited(s, b"/ByteRange", b"/ByteRang"), "seal_damaged"),
    "USF range null": (lambda s: byte_range(s, b"null"), "seal_damaged"),
    "USF range empty": (lambda s: byte_range(s, b"[]"), "range_wrong"),
    "USF range negative": (lambda s: byte_range(s, b"[0 -1 2 3]"), "range_wrong"),
    "USF range of words": (lambda s: byte_range(s, b"[0 /a 2 3]"), "seal_damaged"),
    "USF range shortened": (lambda s: byte_range(s, b"[0 %d %d 100]" % gap(s)), "content_damaged"),
    "USF range narrowed": (
        lambda s: edited(s, b"[0 %d %d" % gap(s), b"[0 %d %d" % (gap(s)[0] - 9, gap(s)[1])),
        "range_wrong",
    ),
    "USF range without a gap": (lambda s: byte_range(s, b"[0 %d 0 0]" % len(s)), "range_wrong"),
}
"""What is wrong with the seal's own data."""

ADDED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "one byte appended": (lambda s: s + b"\n", "changed_after_seal"),
    "junk appended": (lambda s: s + b"junk" * 400, "changed_after_seal"),
    "ISA without cross-references": (appended_without_xref, "changed_after_seal"),
    "ISA empty revision": (appended, "changed_after_seal"),
    "text overlaid": (overlaid, "changed_after_seal"),
    "EAA note added": (annotated, "changed_after_seal"),
    "SSA signature added": (cosigned, "changed_after_seal"),
    "field renamed": (renamed, "changed_after_seal"),
    "form emptied": (hidden_field, "changed_after_seal"),
    "SWA second range moved": (second_range_moved, "structure_damaged"),
    "SWA objects in the gap": (gap_used, "range_wrong"),
}
"""What was added."""

CARRIED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "saved anew": (resaved, "range_wrong"),
    "saved anew by the qpdf program": (
        lambda s: qpdf(s, "--object-streams=generate"),
        "range_wrong",
    ),
    "linearized": (lambda s: qpdf(s, "--linearize"), "range_wrong"),
    "page taken into another document": (merged, "range_wrong"),
    "truncated": (lambda s: s[:-200], "structure_damaged"),
    "cut in the middle": (lambda s: s[: len(s) // 2], "structure_damaged"),
    "junk before the header": (lambda s: b"X-Mailer: surat\r\n\r\n" + s, "junk_before_header"),
    "picture of the mark": (pasted_picture, "no_seal"),
    "flattened": (flattened, "no_seal"),
}
"""What was carried elsewhere, or lost."""

CHANGES = INSIDE | SEAL | ADDED | CARRIED
"""Name → how it is done, and the reason that must be given."""
