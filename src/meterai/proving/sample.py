"""A made-up letter to stamp."""

from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

_LINES = (
    "Yang bertanda tangan di bawah ini:",
    "",
    "    Nama              : Warga Contoh",
    "    Tempat lahir      : Kota Contoh",
    "    Alamat            : Jalan Contoh Nomor 1",
    "",
    "dengan ini menyatakan dengan sesungguhnya bahwa surat ini hanyalah contoh,",
    "dibuat untuk mencoba pembubuhan meterai elektronik, dan tidak mempunyai",
    "akibat hukum apa pun.",
    "",
    "Demikian surat pernyataan ini dibuat untuk dipergunakan seperlunya.",
)


def sample_letter(pages: int = 1, *, about: str = "") -> bytes:
    """A statement letter on A4 with room for a stamp beside the signature; the same bytes each time.

    ``about`` makes it another document.
    """
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle("Surat pernyataan (contoh)")
    canvas.setSubject(about)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawCentredString(105 * mm, 262 * mm, "SURAT PERNYATAAN")
        text = canvas.beginText(25 * mm, 240 * mm)
        text.setFont("Helvetica", 11)
        text.setLeading(17)
        for line in _LINES:
            text.textLine(line)
        canvas.drawText(text)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(125 * mm, 140 * mm, "Kota Contoh, 24 November 2026")
        canvas.drawString(125 * mm, 133 * mm, "Yang menyatakan,")
        canvas.drawString(125 * mm, 98 * mm, "Warga Contoh")
        canvas.setFont("Helvetica", 8)
        canvas.drawRightString(190 * mm, 15 * mm, f"{number} / {pages}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()
