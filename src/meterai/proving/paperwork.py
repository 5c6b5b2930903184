"""Made-up contracts of a wanted size, for benches: typed pages with a small picture, links, an outline."""

import io
import random

import pikepdf
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

_WORDS = (
    "perjanjian sewa menyewa tanah bangunan pihak pertama kedua meterai rupiah pasal hukum negara surat kuasa"
).split()
_PAGE_BYTES = 1600
"""What a page of text and what belongs to it take."""
_BYTES_A_PIXEL = 0.8
"""Of noise in JPEG at the quality used."""


def contract(number: int, *, kilobytes: int, pages: int, stream: bool = False) -> bytes:
    """A contract of about this size, another for every ``number``; ``stream``: with object and xref streams."""
    chance = random.Random(f"{number} {kilobytes}")
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1, invariant=1)
    room = max(0, 1000 * kilobytes - pages * _PAGE_BYTES) / pages
    side = max(16, int((room / _BYTES_A_PIXEL) ** 0.5))
    for page in range(pages):
        text = canvas.beginText(50, 790)
        text.setFont("Helvetica", 10)
        for _ in range(48):
            text.textLine(" ".join(chance.choice(_WORDS) for _ in range(11)))
        canvas.drawText(text)
        canvas.drawImage(_noise(chance, side), 60, 60, 100, 100)
        if page % 2 == 0:
            canvas.linkURL(f"https://contoh.test/{page}", (50, 50, 100, 60))
        canvas.bookmarkPage(f"p{page}")
        canvas.addOutlineEntry(f"Pasal {page + 1}", f"p{page}")
        canvas.showPage()
    canvas.save()
    return _with_streams(out.getvalue()) if stream else out.getvalue()


def _noise(chance: random.Random, side: int) -> ImageReader:
    """A picture that cannot be packed any further."""
    picture = Image.frombytes("RGB", (side, side), chance.randbytes(3 * side * side))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=75)
    jpeg.seek(0)
    return ImageReader(jpeg)


def _with_streams(document: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document)) as pdf:
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, static_id=True)
    return out.getvalue()
