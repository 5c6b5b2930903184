"""Whether a stamped document still looks like the document: every page, drawn by two programs, pixel by pixel.

Only the square of the mark may differ. pdfium draws what browsers show, MuPDF what many readers do.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops

from meterai.pdf.model import Box, PageShape

DPI = 40
PAGES_MAX = 300
"""Of a longer document the first pages are compared; the page of the mark is drawn always."""
_TIMEOUT_S = 60
_GREYMAP = re.compile(rb"P5\s(?:#[^\n]*\n)?\s*(\d+)\s+(\d+)\s+255\s")


def differing_pages(
    before: bytes, after: bytes, box: Box, page: int, shape: PageShape
) -> dict[str, list[int]]:
    """For each program the pages that look different outside ``box`` on ``page``, which has this shape.

    A program that cannot draw the document before says nothing of it: it is left out.
    """
    found: dict[str, list[int]] = {}
    for name, draw in (("pdfium", _pdfium), ("mupdf", _mupdf)):
        try:
            ours = draw(before, page)
        except (pypdfium2.PdfiumError, OSError, subprocess.SubprocessError):
            continue
        found[name] = []
        for number, (one, other) in enumerate(zip(ours, draw(after, page), strict=True), 1):
            # the page of the mark is drawn first, and once more in its turn if it is among the first
            where = page if number == 1 else number - 1
            if not _alike(one, other, box if where == page else None, shape):
                found[name].append(where)
    return found


def _alike(before: Image.Image, after: Image.Image, box: Box | None, shape: PageShape) -> bool:
    if before.size != after.size:
        return False
    if box is not None:
        wide, high = before.width / shape.width_mm, before.height / shape.height_mm
        left, top = int(box.left_mm * wide) - 1, int(box.top_mm * high) - 1
        right = int((box.left_mm + box.width_mm) * wide) + 2
        bottom = int((box.top_mm + box.height_mm) * high) + 2
        after.paste(before.crop((left, top, right, bottom)), (left, top))
    return ImageChops.difference(before, after).getbbox() is None


def _pdfium(document: bytes, page: int) -> Iterator[Image.Image]:
    return iter(list(_drawn_by_pdfium(document, page)))


def _drawn_by_pdfium(document: bytes, page: int) -> Iterator[Image.Image]:
    with pypdfium2.PdfDocument(document) as opened:
        # Without its form machine: where a form is, that draws annotations without an appearance differently.
        for index in (page - 1, *range(min(len(opened), PAGES_MAX))):
            bitmap = opened[index].render(scale=DPI / 72, grayscale=True)
            yield bitmap.to_pil().convert("L")


def _mupdf(document: bytes, page: int) -> Iterator[Image.Image]:
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        path = Path(folder) / "a.pdf"
        path.write_bytes(document)
        done = subprocess.run(
            [
                *("mutool", "draw", "-q", "-c", "gray", "-F", "pgm", "-r", str(DPI), "-o", "-"),
                *(path, f"{page},1-{PAGES_MAX}"),
            ],
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    pictures = list(_greymaps(done.stdout))
    if not pictures:
        raise OSError(done.stderr[:200])
    return iter(pictures)


def _greymaps(content: bytes) -> Iterator[Image.Image]:
    at = 0
    while (found := _GREYMAP.match(content, at)) is not None:
        size = int(found[1]), int(found[2])
        at = found.end() + size[0] * size[1]
        yield Image.frombytes("L", size, content[found.end() : at])
