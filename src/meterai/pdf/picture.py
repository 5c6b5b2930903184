"""How a page looks: drawn by pdfium, grey, and small enough for a slow telephone."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2
from PIL import Image

from meterai.pdf.errors import NoPages, NoSuchPage, PasswordNeeded, Unreadable

WIDTH_MAX = 1600
PIXELS_MAX = 6_000_000
SIDE_MAX = 16_000
"""WebP knows no longer side than 16383."""
BYTES_AIM = 30 * 1024
"""What a picture 480 pixels wide should not exceed; a scan then loses a little sharpness."""
_GREYS = 16
_QUALITY = 30


def is_password_error(error: pypdfium2.PdfiumError) -> bool:
    """The document needs a password, or is encrypted in a way that pdfium does not know."""
    return "Incorrect password" in str(error)


@contextmanager
def drawn_page(document: bytes, page: int) -> Iterator[pypdfium2.PdfPage]:
    """The page (-1 is the last), with its form. Raises classes below ``CannotStamp``."""
    try:
        opened = pypdfium2.PdfDocument(document)
    except pypdfium2.PdfiumError as error:
        if is_password_error(error):
            raise PasswordNeeded from error
        raise Unreadable from error
    with opened:
        pages = len(opened)
        if pages == 0:
            raise NoPages
        index = page - 1 if page > 0 else pages + page
        if page == 0 or not 0 <= index < pages:
            raise NoSuchPage(page=page, pages=pages)
        if min(opened.get_page_size(index)) < 1:
            raise Unreadable
        opened.init_forms()
        try:
            yield opened[index]
        except pypdfium2.PdfiumError as error:
            raise Unreadable from error


def grey(page: pypdfium2.PdfPage, scale: float) -> Image.Image:
    """The page in shades of grey, ``scale`` pixels to a point."""
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=True)
    image: Image.Image = bitmap.to_pil()
    return image.convert("L")


def picture(document: bytes, page: int, width_px: int) -> bytes:
    """The page as WebP, ``width_px`` wide (a very long page is drawn narrower).

    Typed letters are kept exact in 16 shades; scans are compressed. Raises classes below ``CannotStamp``.
    """
    with drawn_page(document, page) as drawn:
        width, height = drawn.get_size()
        scale = min(max(width_px, 16), WIDTH_MAX) / max(width, 1.0)
        scale = min(
            scale, (PIXELS_MAX / max(width * height, 1.0)) ** 0.5, SIDE_MAX / max(width, height)
        )
        image = grey(drawn, scale)
    step = 255 / (_GREYS - 1)
    shades = image.point([round(round(tone / step) * step) for tone in range(256)])
    exact = _webp(shades, lossless=True, method=4)
    aim = BYTES_AIM * max(1.0, (image.width / 480) ** 2)
    if len(exact) <= aim:
        return exact
    return min(_webp(image, quality=_QUALITY, method=4), exact, key=len)


def _webp(image: Image.Image, **how: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", **how)
    return stream.getvalue()
