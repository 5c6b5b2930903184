"""Where a mark would stand well: beside the signature block, on nothing that is printed or signed.

A coarse map of ink (one cell a millimetre) is made from a drawing of the page; the free place nearest to where
people sign wins. There is always an answer inside the page; where nothing is free it covers the least.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, product

from PIL import Image

from meterai.pdf.document import Document, page_at, pages_of, read_document
from meterai.pdf.errors import OutsidePage
from meterai.pdf.fields import signature_boxes
from meterai.pdf.mark import side_on
from meterai.pdf.model import Box, PageShape, Place
from meterai.pdf.picture import drawn_page, grey

EDGE_MM = 8.0
"""Printers leave so much of a sheet blank."""
CLEAR_MM = 2.0
STEP_MM = 2
_DOTS = 2
"""Dots to a millimetre when the page is drawn."""
_CELLS_MAX = 1000
_CONTRAST = 48
"""Steps of grey from the paper's own that count as ink."""
_BLOCK_MM = 45
_FOOTER_MM = 18


def suggest(document: bytes, page: int) -> Place:
    """A place for a mark of ordinary size on this page (-1 is the last).

    Raises :class:`OutsidePage` when the page is smaller than a mark, and what opening a page raises.
    """
    shape, taken = read_document(document, lambda opened: _page_of(opened, page))
    side = side_on(shape.width_mm, shape.height_mm)
    if min(shape.width_mm, shape.height_mm) < side:
        raise OutsidePage(page=page)
    unit = max(1.0, max(shape.width_mm, shape.height_mm) / _CELLS_MAX)
    with drawn_page(document, page) as drawn:
        # pdfium knows no UserUnit, so its points are not ours: only the share of the page counts
        image = grey(drawn, shape.width_mm / unit * _DOTS / max(drawn.get_width(), 1.0))
    ink = _ink(image, unit)
    left, top = _best(ink, shape, taken, _wish(ink, shape, side), side)
    return Place(page, left, top)


def _page_of(document: Document, number: int) -> tuple[PageShape, list[Box]]:
    page = page_at(pages_of(document), number)
    return page.frame.shape, signature_boxes(page)


@dataclass(frozen=True, slots=True)
class _Ink:
    """Which cells of the page carry ink."""

    rows: list[list[int]]
    """1 is ink; a cell is ``unit`` millimetres wide and high."""
    unit: float
    sums: list[list[int]]
    """Sums over everything above and to the left, one larger than ``rows`` each way."""

    def within(self, left: float, top: float, width: float, height: float) -> int:
        """How many cells of a rectangle in millimetres carry ink."""
        columns, lines = len(self.sums[0]) - 1, len(self.sums) - 1
        x0, y0 = max(0, int(left / self.unit)), max(0, int(top / self.unit))
        x1 = min(columns, int((left + width) / self.unit) + 1)
        y1 = min(lines, int((top + height) / self.unit) + 1)
        if x0 >= x1 or y0 >= y1:
            return 0
        s = self.sums
        return s[y1][x1] - s[y0][x1] - s[y1][x0] + s[y0][x0]


def _ink(image: Image.Image, unit: float) -> _Ink:
    histogram = image.histogram()
    paper = max(range(256), key=histogram.__getitem__)
    marked = image.point([255 if abs(tone - paper) > _CONTRAST else 0 for tone in range(256)])
    # a cell has ink as soon as one of its dots has: reduce() averages, and any dot lifts the mean above nought
    cells = marked.reduce(_DOTS)
    content, width = cells.tobytes(), cells.width
    rows = [
        [1 if tone else 0 for tone in content[start : start + width]]
        for start in range(0, len(content), width)
    ]
    sums = [[0] * (width + 1)]
    for row in rows:
        above = sums[-1]
        sums.append([0, *(a + b for a, b in zip(accumulate(row), above[1:], strict=True))])
    return _Ink(rows, unit, sums)


def _wish(ink: _Ink, shape: PageShape, side: float) -> tuple[float, float]:
    """Where the mark would stand if only the text mattered: left of a signature block, or below the text."""
    right = shape.width_mm - EDGE_MM - side
    last = _last_line(ink)
    if last is None:
        return right, shape.height_mm - EDGE_MM - side
    bottom = (last + 1) * ink.unit
    first = max(0, int((bottom - _BLOCK_MM) / ink.unit))
    used = [row.index(1) for row in ink.rows[first : last + 1] if 1 in row]
    block = min(used) * ink.unit
    if block > 0.35 * shape.width_mm:
        return block - side - CLEAR_MM, bottom - side
    return right, bottom + CLEAR_MM * 2


def _last_line(ink: _Ink) -> int | None:
    """The lowest line with ink; a lone line at the foot of a page (its number) does not count."""
    lines = [number for number, row in enumerate(ink.rows) if 1 in row]
    foot = len(ink.rows) - _FOOTER_MM / ink.unit
    body = [number for number in lines if number < foot]
    if body and lines[-1] >= foot and lines[-1] - body[-1] > _FOOTER_MM / ink.unit:
        return body[-1]
    return lines[-1] if lines else None


def _best(
    ink: _Ink, shape: PageShape, taken: list[Box], wish: tuple[float, float], side: float
) -> tuple[float, float]:
    """The place with the least ink, and of those the nearest to ``wish``; never on a signature if avoidable."""
    wide = side + 2 * CLEAR_MM

    def cost(place: tuple[float, float]) -> tuple[bool, int, float]:
        left, top = place
        mark = Box(left, top, side, side)
        covered = ink.within(left - CLEAR_MM, top - CLEAR_MM, wide, wide)
        distance = (left - wish[0]) ** 2 + (top - wish[1]) ** 2
        return any(mark.overlaps(box) for box in taken), covered, distance

    best = min(_places(shape, wish, side, EDGE_MM, STEP_MM), key=cost)
    if cost(best)[
        0
    ]:  # nothing is free of signatures inside the edges: look right up to them, more closely
        best = min((best, *_places(shape, wish, side, 0.0, STEP_MM / 4)), key=cost)
    return best


def _places(
    shape: PageShape, wish: tuple[float, float], side: float, edge: float, step: float
) -> Iterator[tuple[float, float]]:
    lefts = _steps(shape.width_mm - side, wish[0], edge, step)
    return product(lefts, _steps(shape.height_mm - side, wish[1], edge, step))


def _steps(room: float, wish: float, edge: float, step: float) -> list[float]:
    """Candidates along one side from edge to edge, the wished one among them if it lies on the sheet."""
    edge = min(edge, room / 2)
    count = int((room - 2 * edge) / step)
    steps = [edge + step * number for number in range(count + 1)]
    return [*steps, min(max(wish, edge), room - edge), room - edge]
