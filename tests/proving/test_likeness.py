"""What counts as a change of a page, and what does not."""

import io
from typing import Any

import pikepdf
import pytest

from meterai.pdf.model import Box, PageShape
from meterai.proving.likeness import differing_pages

SHAPE = PageShape(100, 100, 0)
BOX = Box(5, 5, 23, 23)
FREE_TEXT: dict[str, Any] = {
    "Subtype": pikepdf.Name.FreeText,
    "Contents": "abc",
    "DA": "0 0 0 rg /Helv 12 Tf",
}


def page_with(*, form: dict[str, Any] | None = None, ink: str = "") -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(283, 283))
    made = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=[150, 50, 250, 100], **FREE_TEXT)
    pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(made)])
    pdf.pages[0].Contents = pdf.make_stream(ink.encode())
    if form is not None:
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([]), **form)
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def differing(before: bytes, after: bytes) -> dict[str, list[int]]:
    return differing_pages(before, after, BOX, 1, SHAPE)


@pytest.mark.parametrize("ink", ["200 200 20 20 re f", "0.9 g 150 50 10 10 re f"])
def test_a_change_beside_the_mark_is_seen_by_both_programs(ink: str) -> None:
    before, after = page_with(), page_with(ink=ink)
    # once as the page of the mark, once in its turn
    assert differing(before, after) == {"pdfium": [1, 1], "mupdf": [1, 1]}


def test_a_change_under_the_mark_does_not_count() -> None:
    before = page_with()
    assert differing(before, page_with(ink="20 215 50 50 re f")) == {
        "pdfium": [],
        "mupdf": [],
    }


def test_free_text_that_pdfium_draws_otherwise_for_the_mere_form_is_no_change() -> None:
    import pypdfium2

    before, after = page_with(), page_with(form={"SigFlags": 3})
    pictures = []
    for document in (before, after):
        with pypdfium2.PdfDocument(document) as opened:
            pictures.append(opened[0].render(scale=1).to_pil().tobytes())
    assert pictures[0] != pictures[1]  # so it is the form: nothing else was added
    assert differing(before, after) == {"pdfium": [], "mupdf": []}


def test_with_that_free_text_a_real_change_is_still_seen() -> None:
    before = page_with()
    after = page_with(form={"SigFlags": 3}, ink="200 200 20 20 re f")
    assert differing(before, after) == {"pdfium": [1, 1], "mupdf": [1, 1]}


def test_a_page_outside_its_own_paper_is_passed_over() -> None:
    def cropped() -> bytes:
        with pikepdf.open(io.BytesIO(page_with())) as pdf:
            pdf.add_blank_page(page_size=(600, 800))
            pdf.pages[1].CropBox = [600, 800, 1000, 1000]
            out = io.BytesIO()
            pdf.save(out)
        return out.getvalue()

    assert differing(cropped(), cropped())["pdfium"] == []
