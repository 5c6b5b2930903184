"""How the page of a paper looks: one calm A4 page, Indonesian first, English below in grey."""

import io
from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from meterai.clock import moment_said
from meterai.errors import Text
from meterai.signing.paper_table import Table, draw_table
from meterai.signing.statement import Statement

_INK, _QUIET, _SEA, _LINE = (HexColor(c) for c in ("#16211f", "#667370", "#054a54", "#c9d6d4"))
_LEFT, _RIGHT = 62.0, A4[0] - 62.0
_VALUES = _LEFT + 165
_TOP, _BOTTOM = A4[1] - 64.0, 190.0
_SCALES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52)
_CODE_LENGTH = 32
"""Longer values without blanks are digests and ids, and are set in a typewriter face."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fact for people."""

    label: Text
    value: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands on the page, in both languages."""

    title: Text
    opening: Text
    rows: tuple[Row, ...]
    """At most some two dozen: it is one page."""
    verify_at: str
    """Where it can be checked, as an address for people."""
    table: Table | None = None
    """On pages of its own behind the first, and attached."""


def draw(statement: Statement, wording: Wording, attachment: str) -> bytes:
    """The page as PDF; set smaller where there is much to say. The same input gives the same bytes."""
    for scale in _SCALES:
        pen = _Pen(scale, wording.title.id)
        end = pen.head(wording)
        end = pen.table(wording.rows, end)
        if end >= _BOTTOM or scale == _SCALES[-1]:
            break
    pen.foot(statement, wording.verify_at, attachment)
    return pen.finished(wording)


class _Pen:
    """A page being drawn, from top to bottom."""

    def __init__(self, scale: float, title: str) -> None:
        self._stream = io.BytesIO()
        self._canvas = Canvas(self._stream, pagesize=A4, invariant=1, pageCompression=1, lang="id")
        self._canvas.setTitle(title)
        self._canvas.setProducer("meterai")
        self._scale = scale

    def head(self, wording: Wording) -> float:
        """Title and opening; returns where they end."""
        canvas = self._canvas
        canvas.setFillColor(_SEA)
        canvas.rect(0, A4[1] - 14, A4[0], 14, stroke=0, fill=1)
        y = self._text(wording.title.id, _LEFT, _TOP, _RIGHT, ("Helvetica-Bold", 20), _INK)
        y = self._text(wording.title.en, _LEFT, y - 2, _RIGHT, ("Helvetica-Oblique", 11), _QUIET)
        y = self._text(wording.opening.id, _LEFT, y - 16, _RIGHT, ("Helvetica", 10.5), _INK)
        return self._text(wording.opening.en, _LEFT, y - 4, _RIGHT, ("Helvetica", 9), _QUIET) - 12

    def table(self, rows: tuple[Row, ...], y: float) -> float:
        """Facts, one under the other; returns where they end."""
        for row in rows:
            self._line(y)
            start = y - 6 * self._scale
            label = self._text(
                row.label.id, _LEFT, start, _VALUES - 12, ("Helvetica-Bold", 9.5), _INK
            )
            label = self._text(row.label.en, _LEFT, label, _VALUES - 12, ("Helvetica", 8), _QUIET)
            code = len(row.value) >= _CODE_LENGTH and " " not in row.value
            face = ("Courier", 8.8) if code else ("Helvetica", 10)
            value = self._text(row.value, _VALUES, start, _RIGHT, face, _INK)
            y = min(label, value) - 6 * self._scale
        self._line(y)
        return y

    def foot(self, statement: Statement, verify_at: str, attachment: str) -> None:
        """How to check it, without believing us."""
        self._scale = 1.0
        y = _BOTTOM - 34
        self._line(y)
        y = self._text("Cara memeriksa", _LEFT, y - 10, _RIGHT, ("Helvetica-Bold", 10), _SEA)
        indonesian = (
            f"Berkas PDF ini disegel dan memuat pernyataan bertanda tangan ({attachment}). Periksa tanpa "
            f"jaringan dengan perintah: meterai proof verify BERKAS - atau buka {verify_at}. Cetakan kertas "
            "tidak membuktikan apa pun; yang berlaku adalah berkasnya."
        )
        english = (
            f"How to verify: this PDF is sealed and carries a signed statement ({attachment}). Check it "
            f"offline with: meterai proof verify FILE - or at {verify_at}. A printout proves nothing; "
            "the file does."
        )
        y = self._text(indonesian, _LEFT, y - 2, _RIGHT, ("Helvetica", 9), _INK)
        y = self._text(english, _LEFT, y - 4, _RIGHT, ("Helvetica", 8), _QUIET)
        said = f"{statement.issuer} · {moment_said(statement.issued_at)}"
        y = self._text(said, _LEFT, y - 8, _RIGHT, ("Helvetica", 8), _QUIET)
        self._text(
            f"{statement.id} · kunci {statement.key_id}", _LEFT, y, _RIGHT, ("Courier", 7), _QUIET
        )

    def finished(self, wording: Wording) -> bytes:
        """The PDF, with the pages of the table if there is one."""
        self._canvas.showPage()
        if wording.table is not None:
            draw_table(self._canvas, wording.table, wording.title.id)
        self._canvas.save()
        return self._stream.getvalue()

    def _line(self, y: float) -> None:
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(_LEFT, y, _RIGHT, y)

    def _text(
        self, text: str, x: float, y: float, right: float, face: tuple[str, float], colour: HexColor
    ) -> float:
        """Wrapped text that begins below ``y``; returns where it ends."""
        font, size = face[0], face[1] * self._scale
        self._canvas.setFont(font, size)
        self._canvas.setFillColor(colour)
        for line in _wrapped(text, font, size, right - x):
            y -= size * 1.28
            self._canvas.drawString(x, y, line)
        return y


def _wrapped(text: str, font: str, size: float, width: float) -> list[str]:
    """Lines no wider than ``width``; what has no blanks is cut into even parts."""
    lines: list[str] = []
    for line in simpleSplit(text, font, size, width):
        room = max(1, int(width / (size * 0.6))) if font == "Courier" else len(line) or 1
        rows = -(-len(line) // room) or 1
        even = -(-len(line) // rows) or 1
        lines += [line[start : start + even] for start in range(0, len(line), even)]
    return lines
