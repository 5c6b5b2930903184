"""A QR symbol (ISO/IEC 18004) as ONE vector path: it stays readable where an image would be smoothed away."""

import segno

from meterai.pdf.errors import RequestNotUnderstood

QUIET = 4
"""Light modules that must surround a symbol (ISO/IEC 18004 §6.3.8)."""
VERSION_MAX = 6
"""41 modules: in an ordinary mark the largest whose modules a phone tells apart on paper."""


def modules(address: str) -> tuple[bytes, ...]:
    """The rows of the symbol for ``address``, top first, 1 is dark; error correction M.

    Capitals make a smaller symbol: scheme, host and our paths may be written in them.
    Raises :class:`RequestNotUnderstood` when it would be too fine to be read.
    """
    try:
        symbol = segno.make(address, error="m", micro=False, boost_error=False)
    except (ValueError, segno.DataOverflowError) as error:
        raise RequestNotUnderstood(why="address") from error
    if int(symbol.version) > VERSION_MAX:
        raise RequestNotUnderstood(why="address too long")
    return tuple(bytes(row) for row in symbol.matrix)


def path(rows: tuple[bytes, ...]) -> bytes:
    """Path operators (to be filled) in a space where a module is 1 and the symbol starts at 0, 0.

    Dark runs become rectangles; a run goes straight down where the rows below repeat it, so that no hairline
    shows between rows.
    """
    size = len(rows)
    drawn: set[tuple[int, int]] = set()
    operators: list[bytes] = []
    for row, signs in enumerate(rows):
        for start, width in _runs(signs):
            if (row, start) in drawn:
                continue
            height = 1
            while row + height < size and (start, width) in _runs(rows[row + height]):
                drawn.add((row + height, start))
                height += 1
            operators.append(b"%d %d %d %d re" % (start, size - row - height, width, height))
    return b"\n".join(operators)


def _runs(signs: bytes) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start = None
    for column, sign in enumerate((*signs, 0)):
        if sign and start is None:
            start = column
        elif not sign and start is not None:
            runs.append((start, column - start))
            start = None
    return runs
