"""Documents of every shape that Indonesian users and strange programs make, generated, never collected."""

import io
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Encryption, Name, ObjectStreamMode, Pdf
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from meterai.pdf.increment import Mark, Request
from meterai.pdf.model import Place

MM = 72 / 25.4
A4 = (210 * MM, 297 * MM)
F4 = (215 * MM, 330 * MM)
LEGAL = (8.5 * 72, 14 * 72)

SERIAL = "7K4P2M9QAB0O1I5S8BZ2XY"
OTHER_SERIAL = "7K4P2M9QAB0O1I5S8BZ2XZ"
SIGNED_AT = datetime(2026, 11, 24, 7, 5, 9, tzinfo=UTC)


def address_of(serial: str) -> str:
    return f"https://meterai.example.id/c/{serial}?m=ABCD2345"


def mark(serial: str = SERIAL, place: Place | None = None) -> Mark:
    return Mark(serial, address_of(serial), place or Place(-1, 150, 220))


def request(*marks: Mark, gap_bytes: int = 16384, **changes: Any) -> Request:
    return Request(marks or (mark(),), SIGNED_AT, gap_bytes, **changes)


def letter(
    size: tuple[float, float] = A4, *, pages: int = 1, text: str = "Surat Pernyataan"
) -> bytes:
    """A typed letter with a line to sign on."""
    stream = io.BytesIO()
    page = canvas.Canvas(stream, pagesize=size, invariant=1)
    width, height = size
    for number in range(1, pages + 1):
        page.setFont("Helvetica", 11)
        page.drawString(72, height - 90, f"{text} {number}")
        for line in range(12):
            page.drawString(72, height - 130 - 16 * line, "Yang bertanda tangan di bawah ini " * 2)
        if number == pages:
            page.drawString(width - 220, height - 380, "Jakarta, 24 November 2026")
            page.line(width - 220, height - 470, width - 90, height - 470)
        page.showPage()
    page.save()
    return stream.getvalue()


def scan(size: tuple[float, float] = A4, *, pages: int = 1) -> bytes:
    """A scanned letter: one grey JPEG a page."""
    stream = io.BytesIO()
    page = canvas.Canvas(stream, pagesize=size, invariant=1)
    for _ in range(pages):
        picture = Image.new("L", (850, 1200), 243)
        pen = ImageDraw.Draw(picture)
        for line in range(20):
            pen.rectangle((90, 120 + 30 * line, 760 - 13 * (line % 4), 130 + 30 * line), fill=70)
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=60)
        jpeg.seek(0)
        page.drawImage(ImageReader(jpeg), 0, 0, *size)
        page.showPage()
    page.save()
    return stream.getvalue()


def changed(document: bytes, change: Callable[[Pdf], None], **saving: Any) -> bytes:
    """The document after ``change``, written anew by qpdf."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, static_id=True, **saving)
    return out.getvalue()


def rewritten(document: bytes, **saving: Any) -> bytes:
    return changed(document, lambda _: None, **saving)


def with_xref_stream(document: bytes) -> bytes:
    return rewritten(document, object_stream_mode=ObjectStreamMode.generate)


def linearized(document: bytes) -> bytes:
    return rewritten(document, linearize=True)


def rotated(document: bytes, degrees: int) -> bytes:
    def turn(pdf: Pdf) -> None:
        for page in pdf.pages:
            page.obj.Rotate = degrees

    return changed(document, turn)


def with_boxes(
    document: bytes, media: tuple[float, ...], crop: tuple[float, ...] | None, unit: float = 1.0
) -> bytes:
    def set_boxes(pdf: Pdf) -> None:
        for page in pdf.pages:
            page.obj.MediaBox = Array([*media])
            if crop is not None:
                page.obj.CropBox = Array([*crop])
            if unit != 1.0:
                page.obj.UserUnit = unit

    return changed(document, set_boxes, min_version="1.6")


def form(document: bytes | None = None) -> bytes:
    """A letter with a text field and an empty signature field at (300, 90) of 150 by 50 points."""

    def add(pdf: Pdf) -> None:
        page = pdf.pages[0]
        text = Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="nama", V="Siti",
            Rect=Array([72, 300, 250, 320]), F=4, P=page.obj, DA="/Helv 10 Tf 0 g",
        )  # fmt: skip
        signature = Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T="tanda-tangan",
            Rect=Array([300, 90, 450, 140]), F=4, P=page.obj,
        )  # fmt: skip
        made = [pdf.make_indirect(text), pdf.make_indirect(signature)]
        page.obj.Annots = pdf.make_indirect(Array(made))
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array(made)))

    return changed(document or letter(), add)


def encrypted(document: bytes, kind: str, *, user: str = "") -> bytes:
    """``kind`` is ``rc4``, ``aes128`` or ``aes256``; with an empty user password anybody can read it."""
    how = {
        "rc4": Encryption(owner="pemilik", user=user, R=3, aes=False, metadata=False),
        "aes128": Encryption(owner="pemilik", user=user, R=4),
        "aes256": Encryption(owner="pemilik", user=user, R=6),
    }[kind]
    return rewritten(document, encryption=how, deterministic_id=False)


def appended(document: bytes, *objects: tuple[int, bytes], root: str = "") -> bytes:
    """An incremental update, written by hand, that replaces or adds these objects."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        size = int(pdf.trailer.Size)
        catalogue = root or f"{pdf.trailer.Root.objgen[0]} {pdf.trailer.Root.objgen[1]} R"
    start = document.rindex(b"startxref")
    previous = int(document[start:].split()[1])
    out = bytearray(document if document.endswith(b"\n") else document + b"\n")
    places = []
    for number, body in objects:
        places.append((number, len(out)))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n" if places else b"xref\n0 0\n"
    for number, place in places:
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(size, *(number + 1 for number, _ in objects), 0)
    out += b"trailer\n<</Size %d/Root %b/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, catalogue.encode(), previous, xref,
    )  # fmt: skip
    return bytes(out)


def two_revisions() -> bytes:
    """A letter whose note was changed after it was first saved."""
    document = letter()
    with pikepdf.open(io.BytesIO(document)) as pdf:
        number = pdf.trailer.Info.objgen[0]
    return appended(document, (number, b"<</Title(Surat)>>"))


def qpdf(document: bytes, *options: str) -> bytes:
    """What the qpdf program makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.pdf", Path(folder) / "b.pdf"
        source.write_bytes(document)
        subprocess.run(["qpdf", *options, source, target], check=False, capture_output=True)
        return target.read_bytes()


def ordinary() -> Iterator[tuple[str, bytes]]:
    """Every shape of document that must take a certifying stamp, by name."""
    yield "classic", letter()
    yield "xref-stream", with_xref_stream(letter())
    yield "linearized", linearized(letter(pages=3))
    yield (
        "linearized-xref-stream",
        rewritten(letter(pages=3), linearize=True, object_stream_mode=ObjectStreamMode.generate),
    )
    yield "f4", letter(F4)
    yield "legal", letter(LEGAL)
    yield "many-pages", letter(pages=40)
    yield "scan", scan()
    for degrees in (90, 180, 270):
        yield f"rotated-{degrees}", rotated(letter(), degrees)
    yield "cropped", with_boxes(letter(), (0, 0, *A4), (20, 30, 575, 800))
    yield "offset", with_boxes(letter(), (-100, -50, A4[0] - 100, A4[1] - 50), None)
    yield "user-unit", with_boxes(letter(), (0, 0, A4[0] / 2, A4[1] / 2), None, unit=2)
    yield "form", form()
    yield "two-revisions", two_revisions()
    for kind in ("rc4", "aes128", "aes256"):
        yield f"encrypted-{kind}", encrypted(letter(), kind)
    yield "encrypted-form", encrypted(form(), "aes256")
