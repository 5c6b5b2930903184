import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.pdf.errors import OutsidePage
from meterai.pdf.geometry import PageFrame, Rectangle, box_of, rectangle_of
from meterai.pdf.model import Box, Corner, PageShape, place_in_corner

numbers = st.floats(-2000, 2000, allow_nan=False)
sizes = st.floats(100, 3000, allow_nan=False)


@st.composite
def frames(draw: st.DrawFn) -> PageFrame:
    x, y = draw(numbers), draw(numbers)
    return PageFrame(
        Rectangle(x, y, x + draw(sizes), y + draw(sizes)),
        draw(st.sampled_from((0, 90, 180, 270))),
        draw(st.sampled_from((0.1, 1.0, 2.5, 10.0))),
    )


@st.composite
def boxes_on_frames(draw: st.DrawFn) -> tuple[PageFrame, Box]:
    frame = draw(frames())
    shape = frame.shape
    width = draw(st.floats(0.1, 0.9)) * shape.width_mm
    height = draw(st.floats(0.1, 0.9)) * shape.height_mm
    left = draw(st.floats(0, 1)) * (shape.width_mm - width)
    top = draw(st.floats(0, 1)) * (shape.height_mm - height)
    return frame, Box(left, top, width, height)


@given(boxes_on_frames())
def test_what_is_placed_is_seen_where_it_was_placed(case: tuple[PageFrame, Box]) -> None:
    frame, box = case
    seen = box_of(frame, rectangle_of(frame, box, page=1))
    for got, wanted in zip(
        (seen.left_mm, seen.top_mm, seen.width_mm, seen.height_mm),
        (box.left_mm, box.top_mm, box.width_mm, box.height_mm),
        strict=True,
    ):
        assert got == pytest.approx(wanted, abs=1e-6 * max(1, frame.shape.width_mm))


@given(boxes_on_frames())
def test_what_is_on_the_page_stays_inside_its_visible_box(case: tuple[PageFrame, Box]) -> None:
    frame, box = case
    rectangle = rectangle_of(frame, box, page=1)
    slack = 1e-6 * 3000
    assert frame.box.x0 - slack <= rectangle.x0 < rectangle.x1 <= frame.box.x1 + slack
    assert frame.box.y0 - slack <= rectangle.y0 < rectangle.y1 <= frame.box.y1 + slack


@given(frames(), st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_a_place_is_inside_or_refused(frame: PageFrame, left: float, top: float) -> None:
    side = min(frame.shape.width_mm, frame.shape.height_mm) / 2
    box = Box(left, top, side, side)
    try:
        seen = box_of(frame, rectangle_of(frame, box, page=3))
    except OutsidePage:
        return
    assert seen.left_mm == pytest.approx(left, abs=0.06)
    assert seen.top_mm == pytest.approx(top, abs=0.06)


def test_a_mark_larger_than_the_page_is_outside() -> None:
    frame = PageFrame(Rectangle(0, 0, 50, 50))
    with pytest.raises(OutsidePage) as caught:
        rectangle_of(frame, Box(0, 0, 23, 23), page=3)
    assert caught.value.facts == {"page": 3}


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        # the corner of an A4 page that a reader sees top left, 10 and 20 points inwards
        (0, (10, 782, 50, 822)),
        (90, (20, 10, 60, 50)),
        (180, (545, 20, 585, 60)),
        (270, (535, 792, 575, 832)),
    ],
)
def test_the_seen_top_left_is_another_corner_on_a_turned_page(
    rotation: int, expected: tuple[float, ...]
) -> None:
    frame = PageFrame(Rectangle(0, 0, 595, 842), rotation)
    mm = frame.mm
    rectangle = rectangle_of(frame, Box(10 * mm, 20 * mm, 40 * mm, 40 * mm), page=1)
    assert (rectangle.x0, rectangle.y0, rectangle.x1, rectangle.y1) == pytest.approx(expected)


@given(
    st.builds(PageShape, st.floats(20, 2000), st.floats(20, 2000), st.just(0)),
    st.sampled_from(Corner),
)
def test_every_corner_lies_on_the_page_if_the_mark_fits(shape: PageShape, corner: Corner) -> None:
    place = place_in_corner(corner, shape, 20)
    assert 0 <= place.left_mm <= shape.width_mm - 20
    assert 0 <= place.top_mm <= shape.height_mm - 20


def test_corners_are_where_their_names_say() -> None:
    a4 = PageShape(210, 297, 0)
    places = {c.value: place_in_corner(c, a4, 20, margin_mm=10) for c in Corner}
    assert {name: (p.left_mm, p.top_mm) for name, p in places.items()} == {
        "bottom-right": (180, 267),
        "bottom-left": (10, 267),
        "top-right": (180, 10),
        "top-left": (10, 10),
    }


def test_touching_boxes_do_not_overlap() -> None:
    assert not Box(0, 0, 10, 10).overlaps(Box(10, 0, 10, 10))
    assert Box(0, 0, 10, 10).overlaps(Box(9, 9, 10, 10))
