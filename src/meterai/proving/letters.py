"""Made-up letters of a wanted length, each another document and all built alike."""

import random
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

_WORDS = (
    "perjanjian sewa menyewa rumah pihak pertama kedua sepakat rupiah pasal ketentuan jangka waktu "
    "pembayaran kewajiban hak surat pernyataan saksi tanggal bulan tahun contoh"
).split()
_PAGES = 8


def long_letter(number: int, *, kilobytes: int = 100) -> bytes:
    """The ``number``-th letter on eight pages of A4, about so long; the same bytes each time."""
    chance = random.Random(number)
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0)
    canvas.setTitle(f"Perjanjian contoh nomor {number}")
    lines = kilobytes * 1000 // (_PAGES * 100)
    for page in range(1, _PAGES + 1):
        text = canvas.beginText(18 * mm, 280 * mm)
        text.setFont("Helvetica", 6)
        text.setLeading(6.4)
        for _ in range(lines):
            text.textLine(" ".join(chance.choices(_WORDS, k=12))[:96])
        canvas.drawText(text)
        canvas.drawRightString(190 * mm, 12 * mm, f"{page} / {_PAGES}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()
