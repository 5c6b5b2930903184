"""Letters drawn with one pen: capitals and figures as paths, so that a mark needs no font.

Each glyph stands on a field 60 wide and 100 high and is written in a small language of strokes:
``M x y`` lifts the pen to a point, ``L x y`` draws a line, ``h x y`` a quarter of an ellipse that starts
level and ends upright, ``v x y`` one that starts upright and ends level.
"""

from collections.abc import Iterator

CAP = 100.0
WIDTH = 60.0
_KAPPA = 0.5523
"""How far the handles of a Bézier curve reach for it to be a quarter of an ellipse."""

_STROKES: dict[str, str] = {
    "A": "M 0 0 L 30 100 L 60 0 M 11 35 L 49 35",
    "B": "M 0 0 L 0 100 L 32 100 h 55 77 v 32 54 L 0 54 M 32 54 h 60 27 v 32 0 L 0 0",
    "C": "M 59 74 v 31 100 h 0 68 L 0 32 v 31 0 h 59 26",
    "D": "M 0 0 L 0 100 L 26 100 h 60 66 L 60 34 v 26 0 L 0 0",
    "E": "M 56 100 L 0 100 L 0 0 L 56 0 M 0 53 L 46 53",
    "F": "M 56 100 L 0 100 L 0 0 M 0 51 L 46 51",
    "G": "M 58 76 v 31 100 h 0 68 L 0 32 v 31 0 h 60 30 L 60 46 L 34 46",
    "H": "M 0 0 L 0 100 M 60 0 L 60 100 M 0 53 L 60 53",
    "I": "M 14 0 L 46 0 M 14 100 L 46 100 M 30 0 L 30 100",
    "J": "M 4 26 v 28 0 h 52 26 L 52 100",
    "K": "M 0 0 L 0 100 M 57 100 L 0 42 M 21 63 L 60 0",
    "L": "M 2 100 L 2 0 L 56 0",
    "M": "M 0 0 L 0 100 L 30 42 L 60 100 L 60 0",
    "N": "M 0 0 L 0 100 L 60 0 L 60 100",
    "O": "M 30 100 h 60 66 L 60 34 v 30 0 h 0 34 L 0 66 v 30 100",
    "P": "M 0 0 L 0 100 L 33 100 h 60 73 v 33 46 L 0 46",
    "Q": "M 30 100 h 60 66 L 60 34 v 30 0 h 0 34 L 0 66 v 30 100 M 38 24 L 62 -6",
    "R": "M 0 0 L 0 100 L 33 100 h 60 73 v 33 46 L 0 46 M 33 46 L 60 0",
    "S": "M 56 77 v 30 100 h 3 76 v 30 53 h 58 26 v 30 0 h 1 25",
    "T": "M 0 100 L 60 100 M 30 100 L 30 0",
    "U": "M 0 100 L 0 32 v 30 0 h 60 32 L 60 100",
    "V": "M 0 100 L 30 0 L 60 100",
    "W": "M -2 100 L 14 0 L 30 62 L 46 0 L 62 100",
    "X": "M 2 0 L 58 100 M 2 100 L 58 0",
    "Y": "M 0 100 L 30 48 L 60 100 M 30 48 L 30 0",
    "Z": "M 2 100 L 58 100 L 0 0 L 60 0",
    # the nought carries a stroke, so that it is no O
    "0": "M 30 100 h 57 68 L 57 32 v 30 0 h 3 32 L 3 68 v 30 100 M 19 32 L 41 68",
    "1": "M 8 78 L 32 100 L 32 0 M 8 0 L 56 0",
    "2": "M 3 75 v 30 100 h 57 73 v 40 48 L 2 0 L 59 0",
    "3": "M 4 80 v 29 100 h 54 77 v 29 54 L 20 54 M 29 54 h 58 27 v 29 0 h 2 22",
    "4": "M 45 0 L 45 100 L 0 28 L 60 28",
    "5": "M 53 100 L 9 100 L 5 55 v 30 64 h 58 32 v 29 0 h 1 21",
    "6": "M 54 84 v 34 100 h 3 50 L 3 31 v 30 0 h 58 31 v 30 62 h 3 31",
    "7": "M 2 100 L 58 100 L 22 0",
    "8": "M 30 54 h 6 77 v 30 100 h 54 77 v 30 54 h 59 27 v 30 0 h 1 27 v 30 54",
    "9": "M 6 16 v 26 0 h 57 50 L 57 69 v 30 100 h 2 69 v 30 38 h 57 69",
    # a nought among figures only, where no letter can be meant
    "o": "M 30 100 h 56 66 L 56 34 v 30 0 h 4 34 L 4 66 v 30 100",
    "-": "M 12 48 L 48 48",
    "—": "M -8 48 L 68 48",
    " ": "",
}


def number(value: float) -> bytes:
    """A PDF number with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return b"0" if text in {"-0", ""} else text.encode()


def drawn_width(text: str, cap: float, advance: float) -> float:
    """How wide ``text`` is with capitals ``cap`` high, each sign ``advance`` after the one before."""
    return advance * (len(text) - 1) + WIDTH * cap / CAP if text else 0.0


def drawn(text: str, x: float, y: float, *, cap: float, advance: float) -> bytes:
    """Path operators (to be stroked) for ``text`` from the point where its first sign stands."""
    scale = cap / CAP
    operators: list[bytes] = []
    for place, sign in enumerate(text):
        start = x + place * advance
        for verb, points in _curves(_STROKES[sign]):
            moved = (
                number(value * scale + (y if index % 2 else start))
                for index, value in enumerate(points)
            )
            operators.append(b" ".join(moved) + b" " + verb)
    return b"\n".join(operators)


def _curves(strokes: str) -> Iterator[tuple[bytes, tuple[float, ...]]]:
    """The strokes as PDF verbs with their points."""
    words = iter(strokes.split())
    at_x = at_y = 0.0
    for verb in words:
        x, y = float(next(words)), float(next(words))
        match verb:
            case "M":
                yield b"m", (x, y)
            case "L":
                yield b"l", (x, y)
            case "h":
                handles = (at_x + _KAPPA * (x - at_x), at_y, x, y - _KAPPA * (y - at_y))
                yield b"c", (*handles, x, y)
            case "v":
                handles = (at_x, at_y + _KAPPA * (y - at_y), x - _KAPPA * (x - at_x), y)
                yield b"c", (*handles, x, y)
        at_x, at_y = x, y
