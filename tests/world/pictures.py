"""Looking at pages through two independent renderers, and reading the codes on them."""

import io
import subprocess
import tempfile
from pathlib import Path

import zxingcpp
from PIL import Image, ImageChops

RENDERERS = ("poppler", "mupdf")


def picture(document: bytes, renderer: str, dpi: int, page: int = 1) -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a.pdf"
        source.write_bytes(document)
        if renderer == "poppler":
            command = ["pdftoppm", "-cropbox", "-r", str(dpi), "-f", str(page), "-l", str(page), "-png",
                       "-singlefile", str(source), f"{folder}/a"]  # fmt: skip
        else:
            command = ["mutool", "draw", "-q", "-r", str(dpi), "-o", f"{folder}/a.png",
                       str(source), str(page)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return Image.open(io.BytesIO((Path(folder) / "a.png").read_bytes())).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float, float, float] | None:
    """Where two pictures differ, as shares of width and height: left, top, right, bottom."""
    # a difference of a few steps is how a renderer rounds, not something drawn
    bands = ImageChops.difference(one, other).convert("L").point(lambda step: 255 * (step > 24))
    box = bands.getbbox()
    if box is None:
        return None
    width, height = one.size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def codes(image: Image.Image) -> list[str]:
    return sorted(code.text for code in zxingcpp.read_barcodes(image))
