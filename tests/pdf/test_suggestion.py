import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen import canvas

from meterai.pdf.errors import NoSuchPage, OutsidePage
from meterai.pdf.increment import prepare
from meterai.pdf.mark import MARK_MM
from meterai.pdf.model import Box
from meterai.pdf.picture import drawn_page, grey
from meterai.pdf.suggestion import suggest
from world import documents
from world.documents import A4, F4, LEGAL, MM, letter, mark, request


def applicants_letter(number: int) -> bytes:
    """A letter as applicants write it: paragraphs, then place and date, a gap to sign in, a name."""
    dice = random.Random(number)
    size = (A4, F4, LEGAL)[number % 3]
    width, height = size
    stream = io.BytesIO()
    page = canvas.Canvas(stream, pagesize=size, invariant=1)
    page.setFont("Times-Roman", 12)
    y = height - 72
    for _ in range(dice.randint(8, 30)):
        words = " ".join(["dengan ini menyatakan"] * dice.randint(1, 4))
        page.drawString(72, y, words)
        y -= 16
        if y < 260:
            break
    left = width - dice.randint(190, 250)
    page.drawString(left, y - 20, "Bandung, 4 September 2026")
    page.drawString(left, y - 36, "Yang menyatakan,")
    page.drawString(left, y - 36 - dice.randint(60, 90), "Siti Rahmawati")
    if number % 2:
        page.drawCentredString(width / 2, 30, "1")
    page.showPage()
    page.save()
    return stream.getvalue()


def ink_under(document: bytes, box: Box) -> int:
    """Dark dots under a box on the first page, drawn anew at four dots to a millimetre."""
    with drawn_page(document, 1) as drawn:
        image = grey(drawn, 4 / MM)
    corners = (box.left_mm, box.top_mm, box.left_mm + MARK_MM, box.top_mm + MARK_MM)
    left, top, right, bottom = (round(4 * corner) for corner in corners)
    part = image.crop((left, top, right, bottom))
    return sum(count for tone, count in enumerate(part.histogram()) if tone < 160)


def suggested(document: bytes, page: int = 1) -> Box:
    place = suggest(document, page)
    assert place.page == page
    return Box(place.left_mm, place.top_mm, MARK_MM, MARK_MM)


def test_fifty_letters_are_marked_on_blank_paper_beside_the_signature() -> None:
    clear = near = 0
    for number in range(50):
        document = applicants_letter(number)
        box = suggested(document)
        clear += ink_under(document, box) == 0
        # the signature block stands in the right half; so does the mark or right beside it
        near += box.left_mm > 70
        prepare(document, request(mark(place=suggest(document, 1))))
    assert clear == 50
    assert near >= 45


def test_a_scan_on_grey_paper_is_understood() -> None:
    document = documents.scan()
    box = suggested(document)
    assert ink_under(document, box) == 0


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_page_is_marked_as_it_is_seen(degrees: int) -> None:
    document = documents.rotated(letter(), degrees)
    assert ink_under(document, suggested(document)) == 0


def test_a_signature_field_is_kept_free() -> None:
    document = documents.form()
    box = suggested(document)
    field = Box(300 / MM, 297 - 140 / MM, 150 / MM, 50 / MM)
    assert not box.overlaps(field)


def test_a_user_unit_is_respected() -> None:
    document = documents.with_boxes(letter(), (0, 0, A4[0] / 2, A4[1] / 2), None, unit=2)
    box = suggested(document)
    assert box.left_mm + MARK_MM <= 210
    prepare(document, request(mark(place=suggest(document, 1))))


def black() -> bytes:
    stream = io.BytesIO()
    page = canvas.Canvas(stream, pagesize=A4, invariant=1)
    noise = Image.frombytes("L", (200, 280), random.Random(1).randbytes(56_000))
    page.drawInlineImage(noise, 0, 0, *A4)
    page.showPage()
    page.save()
    return stream.getvalue()


def test_a_page_full_of_ink_still_gets_a_place_on_it() -> None:
    box = suggested(black())
    assert 0 <= box.left_mm <= 210 - MARK_MM
    assert 0 <= box.top_mm <= 297 - MARK_MM


def test_a_blank_page_is_marked_at_the_lower_right() -> None:
    stream = io.BytesIO()
    page = canvas.Canvas(stream, pagesize=A4)
    page.showPage()
    page.save()
    box = suggested(stream.getvalue())
    assert box.left_mm > 170
    assert box.top_mm > 250


@given(st.floats(66.5, 2000), st.floats(66.5, 2000))
@settings(max_examples=15, deadline=None)
def test_the_place_lies_on_pages_of_any_size(width: float, height: float) -> None:
    document = letter((width, height))
    prepare(document, request(mark(place=suggest(document, 1))))


def test_a_page_smaller_than_a_mark_has_no_place() -> None:
    with pytest.raises(OutsidePage):
        suggest(letter((47, 800)), 1)


@pytest.mark.parametrize("size", [(60, 800), (200, 50), (48, 48)])
def test_a_small_page_has_a_place_for_a_smaller_mark(size: tuple[float, float]) -> None:
    document = letter(size)
    prepare(document, request(mark(place=suggest(document, 1))))


def test_a_page_that_does_not_exist_has_no_place() -> None:
    with pytest.raises(NoSuchPage):
        suggest(letter(), 2)


def test_the_last_page_can_be_asked_for() -> None:
    assert suggest(letter(pages=2), -1).page == -1
