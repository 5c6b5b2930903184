"""The visible mark: a QR code, the serial and the value in print, and the words that it is only a specimen.

The design is our own and resembles no official art: sea green and sand, a line of waves, letters of one pen.
Everything is a path in a device-independent colour space, opaque, without fonts and images, so that a claim of
PDF/A is kept. The drawing has a side of 66 units; the annotation scales it.
"""

from collections.abc import Iterable
from functools import cache

from meterai.pdf.errors import RequestNotUnderstood
from meterai.pdf.geometry import MM_PER_POINT
from meterai.pdf.lettering import drawn, drawn_width, number
from meterai.pdf.qr import QUIET, path

SIDE = 66.0
MARK_MM = SIDE * MM_PER_POINT
"""Side of an ordinary mark."""
SIZE_MIN_PT = 56.0
"""Below this the modules of the code are finer than a phone's camera sees on paper."""
SIZE_MAX_PT = 142.0
SERIAL_LENGTH = 22
SERIAL_SIGNS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
VALUE = "10000"
WARNING = ("CONTOH", "BUKAN METERAI SAH")

COLOUR_SPACE = (
    b"[/CalRGB<</WhitePoint[0.9505 1 1.089]/Gamma[2.2 2.2 2.2]"
    b"/Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]"
)
"""sRGB without a profile (ISO 32000-2 §8.6.5.3); its name in the resources is ``/C``."""

_SEA = b"0.02 0.29 0.33"
_SEA_PEN = _SEA + b" SC"
_SAND = b"0.985 0.965 0.91"
_WAVE = b"0.40 0.66 0.66"
_QR_SIDE = 47.0
_QR_LEFT, _QR_BOTTOM = 2.0, 17.2
_EDGE, _WIDTH = 0.5, 65.0
_BAND = 15.2
"""Where the waves are, above the dark foot with the warning."""
_WAVES = 9


def face(serial: str, address: str) -> bytes:
    """The content stream of the mark with this serial: the ground, called ``/G``, and on it serial and code.

    The QR code holds ``address``. Raises :class:`RequestNotUnderstood` for a serial that is not 22 signs of
    ``[0-9A-Z]`` and for an address that does not fit.
    """
    check_serial(serial)
    size, code = path(address)
    signs = [_sign(sign, place) for place, sign in enumerate(serial)]
    return b"%b%bf Q\n%b 0.46 w\n%b\nS Q" % (_before_code(size), code, _SEA_PEN, b"\n".join(signs))


def check_serial(serial: str) -> None:
    """It is 22 signs of ``[0-9A-Z]``. Raises :class:`RequestNotUnderstood`."""
    if len(serial) != SERIAL_LENGTH or not SERIAL_SIGNS.issuperset(serial):
        raise RequestNotUnderstood(why="serial")


@cache
def _before_code(size: int) -> bytes:
    """The ground, then black in a space where a module of the code is 1; a ``Q`` leads back."""
    module = _QR_SIDE / (size + 2 * QUIET)
    origin = QUIET * module
    return b"/G Do q /C cs /C CS 1 J 1 j\nq %.5f 0 0 %.5f %.5f %.5f cm 0 0 0 sc\n" % (
        module,
        module,
        _QR_LEFT + origin,
        _QR_BOTTOM + origin,
    )


@cache
def ground() -> bytes:
    """The content stream of what all marks share: paper, frame, waves, value and warning."""
    return b"\n".join(
        (
            b"q /C cs /C CS 1 J 1 j",
            _SAND + b" sc",
            _rounded(_EDGE, _EDGE, _WIDTH, 4) + b" f",
            b"1 1 1 sc",
            _rounded(_QR_LEFT, _QR_BOTTOM, _QR_SIDE, 1.2) + b" f",
            _SEA + b" sc",
            _sea() + b" f",
            _WAVE + b" SC 0.4 w",
            b"q 1 0 0 1 0 -1.5 cm %b %b m" % (number(_EDGE), number(_BAND)),
            _waves() + b" S Q",
            _SEA_PEN + b" 0.9 w",
            _rounded(_EDGE, _EDGE, _WIDTH, 4) + b" S",
            b"0.72 w",
            drawn(VALUE.replace("0", "o"), 49.9, 57.6, cap=4.3, advance=2.98) + b" S",
            b"1 1 1 SC",
            _warning(),
            b"Q",
        )
    )


def _line(signs: str, place: int) -> bytes:
    """One of the six lines in which a serial stands, or the start of one."""
    return drawn(signs, 50.4, 50.6 - place * 6.2, cap=4.1, advance=3.62)


@cache
def _sign(sign: str, place: int) -> bytes:
    """A sign of the serial at its place, of which there are four to a line."""
    blanks = " " * (place % 4)
    return _line(blanks + sign, place // 4).lstrip()


def _warning() -> bytes:
    """``— CONTOH —`` and ``BUKAN METERAI SAH`` in the middle of the foot."""
    lines = (
        (f"— {WARNING[0]} —", 4.4, 3.9, 8.0, b"0.78 w"),
        (WARNING[1], 3.9, 3.42, 2.45, b"0.64 w"),
    )
    operators = []
    for text, cap, advance, bottom, pen in lines:
        left = (SIDE - drawn_width(text, cap, advance)) / 2
        operators += [pen, drawn(text, left, bottom, cap=cap, advance=advance), b"S"]
    return b"\n".join(operators)


def _waves() -> bytes:
    """Waves from the left edge of the frame to the right, as curves."""
    length = _WIDTH / _WAVES
    curves = []
    for place in range(_WAVES):
        x = _EDGE + place * length
        points = (x + length / 3, _BAND + 1.7, x + length * 2 / 3, _BAND - 1.7, x + length, _BAND)
        curves.append(b" ".join(number(value) for value in points) + b" c")
    return b"\n".join(curves)


def _sea() -> bytes:
    """The dark foot of the mark: round below, waves above."""
    right, low = _EDGE + _WIDTH, _EDGE
    corner, handle = 4.0, 4.0 * 0.4477
    points = (
        (b"l", (right, low + corner)),
        (b"c", (right, low + handle, right - handle, low, right - corner, low)),
        (b"l", (_EDGE + corner, low)),
        (b"c", (_EDGE + handle, low, _EDGE, low + handle, _EDGE, low + corner)),
    )
    start = number(_EDGE) + b" " + number(_BAND) + b" m"
    return b"\n".join((start, _waves(), _operators(points), b"h"))


def _rounded(x: float, y: float, side: float, radius: float) -> bytes:
    """A closed square with round corners, anticlockwise."""
    handle = radius * 0.4477  # 1 - kappa
    right, top = x + side, y + side
    points = (
        (b"m", (x + radius, y)),
        (b"l", (right - radius, y)),
        (b"c", (right - handle, y, right, y + handle, right, y + radius)),
        (b"l", (right, top - radius)),
        (b"c", (right, top - handle, right - handle, top, right - radius, top)),
        (b"l", (x + radius, top)),
        (b"c", (x + handle, top, x, top - handle, x, top - radius)),
        (b"l", (x, y + radius)),
        (b"c", (x, y + handle, x + handle, y, x + radius, y)),
    )
    return _operators(points) + b" h"


def _operators(points: Iterable[tuple[bytes, tuple[float, ...]]]) -> bytes:
    return b"\n".join(
        b" ".join(number(value) for value in values) + b" " + verb for verb, values in points
    )
