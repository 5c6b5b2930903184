import io

import pytest
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image

from meterai.pdf import errors
from meterai.pdf.picture import picture
from world import documents
from world.documents import letter, scan


def opened(webp: bytes) -> Image.Image:
    return Image.open(io.BytesIO(webp))


def full_letter() -> bytes:
    return letter(text="Perjanjian sewa-menyewa antara pihak pertama dan pihak kedua")


@pytest.mark.parametrize("document", [full_letter(), scan()])
@pytest.mark.parametrize(("width", "bytes_max"), [(480, 30 * 1024), (720, 68 * 1024)])
def test_a_page_is_drawn_small(document: bytes, width: int, bytes_max: int) -> None:
    drawn = picture(document, 1, width)
    image = opened(drawn)
    assert image.format == "WEBP"
    assert image.width == width
    assert image.height == pytest.approx(width * 297 / 210, abs=2)
    assert len(drawn) <= bytes_max


def test_a_page_is_drawn_as_it_is_seen() -> None:
    upright = opened(picture(documents.rotated(letter(), 90), 1, 480))
    assert upright.height < upright.width
    shades = upright.convert("L").histogram()
    assert any(shades[:80])
    assert shades[255]


def test_the_last_page_is_minus_one() -> None:
    document = letter(pages=3)
    assert picture(document, -1, 200) == picture(document, 3, 200)
    assert picture(document, 1, 200) != picture(document, 3, 200)


@pytest.mark.parametrize("page", [0, 4, -4])
def test_a_page_that_does_not_exist_is_not_drawn(page: int) -> None:
    with pytest.raises(errors.NoSuchPage):
        picture(letter(pages=3), page, 200)


def test_what_stands_in_a_form_is_drawn() -> None:
    def fill(pdf: Pdf) -> None:
        black = pdf.make_stream(b"0 g 0 0 200 60 re f", Type=Name.XObject, Subtype=Name.Form)
        black.BBox = Array([0, 0, 178, 20])
        pdf.pages[0].obj.Annots[0].AP = Dictionary(N=black)

    plain = opened(picture(documents.form(), 1, 595)).convert("L")
    filled = opened(picture(documents.changed(documents.form(), fill), 1, 595)).convert("L")
    assert plain.getpixel((150, 842 - 310)) == 255
    assert filled.getpixel((150, 842 - 310)) == 0


def test_extreme_sizes_stay_bounded() -> None:
    for size in ((20, 14400), (14400, 20), (14400, 14400)):
        image = opened(picture(letter(size), 1, 1_000_000))
        assert image.width * image.height <= 6_100_000


def test_a_locked_or_broken_document_says_why() -> None:
    with pytest.raises(errors.PasswordNeeded):
        picture(documents.encrypted(letter(), "aes256", user="x"), 1, 200)
    with pytest.raises(errors.Unreadable):
        picture(b"%PDF-1.7 hm", 1, 200)
    assert picture(documents.encrypted(letter(), "aes256"), 1, 200)
