"""Where the mark stands on a document: a page that can carry one, a corner, exact millimetres. Pure.

Positions are those of the page as seen, from its top-left corner.
"""

from meterai.affixing.errors import PageMissing
from meterai.affixing.model import MarkPlace
from meterai.pdf.errors import OutsidePage, SharedPage
from meterai.pdf.inspection import Inspection
from meterai.pdf.mark import side_on
from meterai.pdf.model import Corner, PageShape, Place, place_in_corner

CORNERS = {corner.value: corner for corner in Corner}
_SLACK_MM = 0.05


def first_choice(inspection: Inspection) -> int:
    """The page that most likely carries the signature: the last one that can carry a mark."""
    fit = [n for n in range(1, inspection.pages + 1) if n not in inspection.unmarkable_pages]
    return fit[-1] if fit else inspection.pages


def page_at(inspection: Inspection, wanted: int) -> int:
    """The page number for ``wanted`` (from 1; -1 is the last).

    Raises :class:`PageMissing`, and :class:`SharedPage` for a page that cannot carry a mark.
    """
    number = inspection.pages + 1 + wanted if wanted < 0 else wanted
    if not 1 <= number <= inspection.pages:
        raise PageMissing(pages=inspection.pages)
    if number in inspection.unmarkable_pages:
        raise SharedPage(page=number)
    return number


def mark_mm_on(shape: PageShape) -> float:
    """The side of the mark on such a page: 23.3 mm, less on a small one."""
    return side_on(shape.width_mm, shape.height_mm)


def corner_place(inspection: Inspection, page: int, corner: Corner) -> MarkPlace:
    """One of the four corners, a margin away from the edges."""
    shape = inspection.shapes[page - 1]
    found = place_in_corner(corner, shape, mark_mm_on(shape), page=page)
    return MarkPlace(page, round(found.left_mm, 2), round(found.top_mm, 2))


def exact_place(inspection: Inspection, page: int, *, left_mm: float, top_mm: float) -> MarkPlace:
    """These millimetres. Raises :class:`OutsidePage` when the mark would not stand wholly on the page."""
    shape = inspection.shapes[page - 1]
    side = mark_mm_on(shape)
    fits_across = -_SLACK_MM <= left_mm <= shape.width_mm - side + _SLACK_MM
    fits_down = -_SLACK_MM <= top_mm <= shape.height_mm - side + _SLACK_MM
    if not (fits_across and fits_down):
        raise OutsidePage(page=page)
    left = min(max(left_mm, 0.0), max(0.0, shape.width_mm - side))
    top = min(max(top_mm, 0.0), max(0.0, shape.height_mm - side))
    return MarkPlace(page, round(left, 3), round(top, 3))


def as_suggested(place: Place) -> MarkPlace:
    """A suggestion of the engine as a choice."""
    return MarkPlace(place.page, round(place.left_mm, 2), round(place.top_mm, 2))
