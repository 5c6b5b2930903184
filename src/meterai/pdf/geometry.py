"""From a place on the visible page to a rectangle in the user space of the PDF, and back. Pure.

A reader sees the crop box, turned clockwise by ``/Rotate`` and scaled by ``/UserUnit`` (ISO 32000-2 §14.11.2,
§7.7.3.3). A mark must stand upright for that reader, whatever the file does.
"""

from dataclasses import dataclass
from math import isfinite

from meterai.pdf.errors import OutsidePage
from meterai.pdf.model import Box, PageShape

MM_PER_POINT = 25.4 / 72
TOLERANCE_MM = 0.05
"""What rounding in a browser may put a mark over the edge; it is pushed back inside."""

UPRIGHT: dict[int, tuple[int, int, int, int]] = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
"""The four numbers of the appearance matrix that turn a mark against the page (ISO 32000-2 §12.5.5)."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle in user space; ``x0 < x1`` and ``y0 < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Along x."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Along y."""
        return self.y1 - self.y0

    def meet(self, other: "Rectangle") -> "Rectangle | None":
        """What both have in common, if anything."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        x1, y1 = min(self.x1, other.x1), min(self.y1, other.y1)
        return Rectangle(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What the file says about the page: its visible box in user space, its turn and its unit."""

    box: Rectangle
    rotation: int = 0
    """0, 90, 180 or 270, clockwise."""
    user_unit: float = 1.0
    """Length of one unit in 1/72 inch."""

    @property
    def mm(self) -> float:
        """Millimetres in one unit."""
        return MM_PER_POINT * self.user_unit

    @property
    def shape(self) -> PageShape:
        """How the page looks."""
        width, height = self.box.width * self.mm, self.box.height * self.mm
        if self.rotation in {90, 270}:
            width, height = height, width
        return PageShape(width, height, self.rotation)


def rectangle_of(frame: PageFrame, box: Box, *, page: int) -> Rectangle:
    """The rectangle in user space that a reader sees as ``box``.

    Raises :class:`OutsidePage` naming ``page`` when it is not wholly on the visible page.
    """
    inside = _pushed_inside(frame.shape, box)
    if inside is None:
        raise OutsidePage(page=page)
    x, y = inside.left_mm / frame.mm, inside.top_mm / frame.mm
    width, height = inside.width_mm / frame.mm, inside.height_mm / frame.mm
    visible = frame.box
    match frame.rotation:
        case 0:
            x0, y1 = visible.x0 + x, visible.y1 - y
            return Rectangle(x0, y1 - height, x0 + width, y1)
        case 90:  # seen right is up, seen down is right
            x0, y0 = visible.x0 + y, visible.y0 + x
            return Rectangle(x0, y0, x0 + height, y0 + width)
        case 180:  # seen right is left, seen down is up
            x1, y0 = visible.x1 - x, visible.y0 + y
            return Rectangle(x1 - width, y0, x1, y0 + height)
        case _:  # 270: seen right is down, seen down is left
            x1, y1 = visible.x1 - y, visible.y1 - x
            return Rectangle(x1 - height, y1 - width, x1, y1)


def box_of(frame: PageFrame, rectangle: Rectangle) -> Box:
    """What a reader sees of a rectangle in user space; it may lie outside the page."""
    visible, mm = frame.box, frame.mm
    match frame.rotation:
        case 0:
            left, top = rectangle.x0 - visible.x0, visible.y1 - rectangle.y1
        case 90:
            left, top = rectangle.y0 - visible.y0, rectangle.x0 - visible.x0
        case 180:
            left, top = visible.x1 - rectangle.x1, rectangle.y0 - visible.y0
        case _:
            left, top = visible.y1 - rectangle.y1, visible.x1 - rectangle.x1
    width, height = rectangle.width, rectangle.height
    if frame.rotation in {90, 270}:
        width, height = height, width
    return Box(left * mm, top * mm, width * mm, height * mm)


def _pushed_inside(shape: PageShape, box: Box) -> Box | None:
    numbers = (box.left_mm, box.top_mm, box.width_mm, box.height_mm)
    if not all(isfinite(number) for number in numbers) or box.width_mm <= 0 or box.height_mm <= 0:
        return None
    left = _pushed(box.left_mm, shape.width_mm - box.width_mm)
    top = _pushed(box.top_mm, shape.height_mm - box.height_mm)
    if left is None or top is None:
        return None
    return Box(left, top, box.width_mm, box.height_mm)


def _pushed(start: float, room: float) -> float | None:
    if room < -TOLERANCE_MM or not -TOLERANCE_MM <= start <= room + TOLERANCE_MM:
        return None
    return min(max(start, 0.0), max(room, 0.0))
