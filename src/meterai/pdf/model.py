"""Where things stand on a page, as a reader sees it. Pure."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Place:
    """Where the top-left corner of a mark stands, measured from that of the visible page."""

    page: int
    """1 is the first page, -1 the last."""
    left_mm: float
    top_mm: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the visible page, from its top-left corner."""

    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float

    def overlaps(self, other: "Box") -> bool:
        """Both cover a common area; touching edges do not count."""
        return (
            self.left_mm < other.left_mm + other.width_mm
            and other.left_mm < self.left_mm + self.width_mm
            and self.top_mm < other.top_mm + other.height_mm
            and other.top_mm < self.top_mm + self.height_mm
        )


@dataclass(frozen=True, slots=True)
class PageShape:
    """How a page looks to a reader: after cropping, turning and scaling."""

    width_mm: float
    height_mm: float
    rotation: int
    """Clockwise degrees by which the page is turned for display: 0, 90, 180 or 270."""


class Corner(Enum):
    """The four ready-made places."""

    BOTTOM_RIGHT = "bottom-right"
    BOTTOM_LEFT = "bottom-left"
    TOP_RIGHT = "top-right"
    TOP_LEFT = "top-left"


MARGIN_MM = 15.0


def place_in_corner(
    corner: Corner,
    shape: PageShape,
    size_mm: float,
    *,
    page: int = -1,
    margin_mm: float = MARGIN_MM,
) -> Place:
    """The place of a square mark in a corner of a page; the margin shrinks where the page is too small."""
    room_x, room_y = max(0.0, shape.width_mm - size_mm), max(0.0, shape.height_mm - size_mm)
    margin_x, margin_y = min(margin_mm, room_x / 2), min(margin_mm, room_y / 2)
    right = corner in {Corner.BOTTOM_RIGHT, Corner.TOP_RIGHT}
    bottom = corner in {Corner.BOTTOM_RIGHT, Corner.BOTTOM_LEFT}
    return Place(
        page,
        left_mm=room_x - margin_x if right else margin_x,
        top_mm=room_y - margin_y if bottom else margin_y,
    )
