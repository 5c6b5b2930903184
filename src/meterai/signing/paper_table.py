"""The pages of a table behind the page of a paper: small, plain, each with its head and number."""

from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from meterai.errors import Text

_INK, _QUIET, _LINE = (HexColor(c) for c in ("#16211f", "#667370", "#c9d6d4"))
_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, A4[0] - 36.0, A4[1] - 48.0, 46.0
_SIZE, _LEADING, _LINES_MAX = 6.8, 8.2, 4
_CODE = 32
"""Signs of a digest on one line."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people, and the same as a file that is attached under its signed digest."""

    heads: tuple[Text, ...]
    shares: tuple[float, ...]
    """Of the width, for each column; together 1."""
    rows: tuple[tuple[str, ...], ...]
    content: bytes
    """The table as CSV; the statement must name its digest as ``table_sha256``."""


def draw_table(canvas: Canvas, table: Table, title: str) -> None:
    """The rows are on pages of their own; the canvas stands behind the last."""
    width = _RIGHT - _LEFT
    widths = [share * width for share in table.shares]
    page, y = 0, 0.0
    for row in table.rows:
        cells = [_lines(text, room - 6) for text, room in zip(row, widths, strict=True)]
        height = _LEADING * max(len(lines) for lines in cells) + 5
        if page == 0 or y - height < _BOTTOM:
            if page:
                canvas.showPage()
            page += 1
            y = _head(canvas, table, widths, f"{title} · {page}")
        _row(canvas, cells, widths, y)
        y -= height
        canvas.setStrokeColor(_LINE)
        canvas.line(_LEFT, y, _RIGHT, y)
    if page:
        canvas.showPage()


def _head(canvas: Canvas, table: Table, widths: list[float], said: str) -> float:
    canvas.setFillColor(_QUIET)
    canvas.setFont("Helvetica", 7)
    canvas.drawRightString(_RIGHT, _TOP + 14, said)
    x = _LEFT
    for head, room in zip(table.heads, widths, strict=True):
        canvas.setFillColor(_INK)
        canvas.setFont("Helvetica-Bold", 7.2)
        canvas.drawString(x, _TOP - 2, head.id)
        if head.en != head.id:
            canvas.setFillColor(_QUIET)
            canvas.setFont("Helvetica", 6)
            canvas.drawString(x, _TOP - 10, head.en)
        x += room
    canvas.setStrokeColor(_QUIET)
    canvas.setLineWidth(0.5)
    canvas.line(_LEFT, _TOP - 14, _RIGHT, _TOP - 14)
    return float(_TOP - 14)


def _row(canvas: Canvas, cells: list[list[str]], widths: list[float], y: float) -> None:
    x = _LEFT
    canvas.setFillColor(_INK)
    for lines, room in zip(cells, widths, strict=True):
        code = len(lines[0]) == _CODE and " " not in lines[0]
        canvas.setFont("Courier" if code else "Helvetica", 5.9 if code else _SIZE)
        for number, line in enumerate(lines, start=1):
            canvas.drawString(x, y - _LEADING * number, line)
        x += room


def _lines(text: str, room: float) -> list[str]:
    """What fits, the rest said by an ellipsis; the attached file has all of it."""
    if len(text) == 2 * _CODE and " " not in text:
        return [text[:_CODE], text[_CODE:]]
    plain = text.encode("cp1252", "replace").decode("cp1252")
    most = max(4, int(room / (_SIZE * 0.52)))
    broken = [
        word[start : start + most]
        for word in plain.split() or [""]
        for start in range(0, len(word) or 1, most)
    ]
    lines = simpleSplit(" ".join(broken), "Helvetica", _SIZE, room) or [""]
    return (
        [*lines[: _LINES_MAX - 1], lines[_LINES_MAX - 1] + " …"]
        if len(lines) > _LINES_MAX
        else lines
    )
