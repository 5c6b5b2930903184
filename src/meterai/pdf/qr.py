"""A QR symbol (ISO/IEC 18004) as ONE vector path: it stays readable where an image would be smoothed away.

For a given version a symbol is a linear function of its codewords over GF(2), error correction and placement
included. So it is a table: one large integer for every value of every codeword, joined by XOR. The choice of
mask is made on whole integers too. Versions 1 to 6 at level M, which is all that fits on a mark.
"""

from collections.abc import Callable
from functools import cache
from operator import getitem

from meterai.pdf.errors import RequestNotUnderstood

QUIET = 4
"""Light modules that must surround a symbol (ISO/IEC 18004 §6.3.8)."""
_BLOCKS = {
    1: (1, 16, 10),
    2: (1, 28, 16),
    3: (1, 44, 26),
    4: (2, 32, 18),
    5: (2, 43, 24),
    6: (4, 27, 16),
}
"""Blocks, data codewords and error-correction codewords in each (§7.5.1, table 9, level M). Version 6 has 41
modules: in an ordinary mark the largest whose modules a phone tells apart on paper."""
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_ALPHANUMERIC_SIGNS = frozenset(_ALPHANUMERIC)
_MASKS: tuple[Callable[[int, int], int], ...] = (
    lambda i, j: (i + j) % 2,
    lambda i, _: i % 2,
    lambda _, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)
"""Where one of these is nought the module is turned (§7.8.2)."""
_USUAL = {1: 1180, 2: 1340, 3: 1480, 4: 1640, 5: 1830, 6: 2060}
"""The penalty (§7.8.3.1) that seven in ten masks do not exceed, by version; measured over our addresses."""


def modules(address: str) -> tuple[bytes, ...]:
    """The rows of the symbol for ``address``, top first, 1 is dark; error correction M.

    Capitals make a smaller symbol: scheme, host and our paths may be written in them.
    Raises :class:`RequestNotUnderstood` when it would be too fine to be read.
    """
    symbols, bits = _drawn(address)
    return tuple(
        bytes(bits >> symbols.place(row, column) & 1 for column in range(symbols.size))
        for row in range(symbols.size)
    )


def path(address: str) -> tuple[int, bytes]:
    """The size of the symbol in modules, and path operators (to be filled) that draw its dark ones.

    A module is 1 and the symbol starts at 0, 0. Dark runs are rectangles, row by row; as all are filled as one
    path, no hairline shows between them. Raises :class:`RequestNotUnderstood`.
    """
    symbols, bits = _drawn(address)
    wide, size = symbols.stride // 8, symbols.size
    content = bits.to_bytes(wide * size, "big")
    eights = symbols.eights
    rows = []
    for row in range(size):
        signs = content[row * wide : row * wide + wide]
        runs = b"".join(map(getitem, eights, signs))
        rows.append(runs.replace(b"y", b"%d" % (size - 1 - row)))
    return size, b"".join(rows)


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


def _drawn(address: str) -> "tuple[_Symbols, int]":
    if not address or not address.isascii():
        raise RequestNotUnderstood(why="address")
    length, bits = _encoded(address)
    version = next((v for v, (n, data, _) in _BLOCKS.items() if 8 * n * data >= length), None)
    if version is None:
        raise RequestNotUnderstood(why="address too long")
    symbols = _symbols(version)
    return symbols, symbols.of(length, bits)


def _encoded(address: str) -> tuple[int, int]:
    """Mode, count and content as so many bits (§7.4)."""
    if not _ALPHANUMERIC_SIGNS.issuperset(address):
        content = address.encode()
        length = 8 * len(content)
        return 12 + length, (0b0100 << 8 | len(content)) << length | int.from_bytes(content, "big")
    count = len(address)
    pairs = _pairs()
    said = "".join([pairs[address[at : at + 2]] for at in range(0, count, 2)])
    return 13 + len(said), (0b0010 << 9 | count) << len(said) | int(said, 2)


@cache
def _pairs() -> dict[str, str]:
    """The bits of every pair of alphanumeric signs, and of a last one alone (§7.4.4)."""
    values = {sign: value for value, sign in enumerate(_ALPHANUMERIC)}
    pairs = {a + b: f"{values[a] * 45 + values[b]:011b}" for a in values for b in values}
    return pairs | {sign: f"{value:06b}" for sign, value in values.items()}


@cache
def _symbols(version: int) -> "_Symbols":
    return _Symbols(version)


class _Symbols:
    """All symbols of one version. A symbol is one integer, the top row in its highest bits."""

    def __init__(self, version: int) -> None:
        self.size = 17 + 4 * version
        self.stride = (self.size + 4 + 7) // 8 * 8  # lines are kept apart by four modules and more
        self._usual = _USUAL[version]
        self._data = _BLOCKS[version][0] * _BLOCKS[version][1]
        fixed = _fixed_patterns(self.size)
        self._base = sum(1 << self.place(*module) for module, dark in fixed.items() if dark)
        free = [module for module in _zigzag(self.size) if module not in fixed]
        places = [1 << self.place(*module) for module in free]
        self._table = [_values(places, bits) for bits in _message_bits(*_BLOCKS[version])]
        self._masks = [
            sum(1 << self.place(i, j) for i, j in free if not turns(i, j)) for turns in _MASKS
        ]
        self._formats = [self._format(mask) for mask in range(8)]
        line = (1 << self.size) - 1
        starts = [self.place(row, self.size - 1) for row in range(self.size)]
        self._square = sum(line << start for start in starts)
        # a bit of `dark >> step` stands for the pair of its own module and the one before it: these have one
        self._not_first = sum(line >> 1 << start for start in starts)
        self._not_highest = sum(line << start for start in starts[1:])
        # one small table for all rows: a large one would not stay in the processor's cache
        self.eights = [
            [_runs_of(value, left) for value in range(256)] for left in range(0, self.stride, 8)
        ]

    def place(self, row: int, column: int) -> int:
        """Which bit a module is."""
        return self.stride * (self.size - row) - 1 - column

    def of(self, length: int, bits: int) -> int:
        """The symbol that holds these bits, under the first mask that is no worse than usual, else the best.

        Any mask is read; the best of eight is a twentieth better than the usual one, and most of the time.
        """
        codewords = _padded(length, bits, self._data)
        symbol = self._base
        for values, codeword in zip(self._table, codewords, strict=True):
            symbol ^= values[codeword]
        best, least = 0, None
        for place, mask in enumerate(self._masks):
            penalty = self._penalty(symbol ^ mask)
            if least is None or penalty < least:
                best, least = place, penalty
            if penalty <= self._usual:
                break
        return symbol ^ self._masks[best] | self._formats[best]

    def _format(self, mask: int) -> int:
        """Level M and the mask, twice, and the one module that is always dark (§7.9)."""
        rest = mask << 10
        for bit in range(14, 9, -1):
            rest ^= (0x537 << bit - 10) * (rest >> bit & 1)
        said = (mask << 10 | rest) ^ 0x5412
        last = self.size - 1
        beside = [(0, 8), (1, 8), (2, 8), (3, 8), (4, 8), (5, 8), (7, 8), (8, 8),
                  (8, 7), (8, 5), (8, 4), (8, 3), (8, 2), (8, 1), (8, 0)]  # fmt: skip
        opposite = [(8, last - n) for n in range(8)] + [(last - 6 + n, 8) for n in range(7)]
        dark = [(last - 7, 8)]
        for bit in range(15):
            dark += [beside[bit], opposite[bit]] if said >> bit & 1 else []
        return sum(1 << self.place(*module) for module in dark)

    def _penalty(self, dark: int) -> int:
        """How hard the symbol is to read, before its format is in it (§7.8.3.1)."""
        square, down = self._square, self.stride
        beside = (dark ^ dark >> 1 ^ square) & self._not_first
        below = (dark ^ dark >> down ^ square) & self._not_highest
        score = 3 * (beside & beside >> down & below).bit_count()
        for like, step in ((beside, 1), (below, down)):
            twice = like & like >> step
            fives = twice & twice >> 2 * step  # a run of n modules, n > 4, leaves n - 4 marks
            score += fives.bit_count() + 2 * (fives & ~(fives << step)).bit_count()
        light = dark ^ square
        score += 40 * (self._finder_likes(dark, light, 1) + self._finder_likes(dark, light, down))
        share = dark.bit_count() / self.size**2
        return score + 10 * int(abs(share * 100 - 50) / 5)

    def _finder_likes(self, dark: int, light: int, step: int) -> int:
        """How often 1:1:3:1:1 stands in a line with four light modules, or the edge, on one side of it.

        What shares modules with one that was counted before it is passed over.
        """
        opens = dark & light >> step
        closes = light & dark >> step
        found = opens & closes >> 5 * step & (dark & dark >> step & dark >> 2 * step) >> 2 * step
        if not found:
            return 0
        before = dark >> 7 * step | dark >> 8 * step | dark >> 9 * step | dark >> 10 * step
        after = dark << step | dark << 2 * step | dark << 3 * step | dark << 4 * step
        counted = found & ~(before & after)
        while clash := counted & (counted >> 4 * step | counted >> 6 * step):
            counted ^= 1 << clash.bit_length() - 1
        return counted.bit_count()


def _padded(length: int, bits: int, room: int) -> bytes:
    """Terminator and padding (§7.4.9, §7.4.10)."""
    stop = min(4, 8 * room - length)
    length += stop
    # where the end falls between codewords a nought goes before the padding: segno, which drew the first
    # marks, has it so, and what follows the terminator says nothing
    fill = 8 - length % 8
    content = (bits << stop + fill).to_bytes((length + fill) // 8, "big")
    return (content + b"\xec\x11" * room)[:room]


def _values(places: list[int], bits: list[list[int]]) -> list[int]:
    """For every value of a codeword what it turns in the symbol; ``bits`` from its lowest on."""
    values = [0]
    for turned in bits:
        one = sum(places[place] for place in turned)
        values += [value ^ one for value in values]
    return values


def _message_bits(blocks: int, data: int, correction: int) -> list[list[list[int]]]:
    """For every bit of every data codeword the places in the final message that it turns (§7.6)."""
    message: list[list[list[int]]] = []
    remainders = _remainders(data, correction)
    for codeword in range(blocks * data):
        block, place = divmod(codeword, data)
        places = [place * blocks + block]
        places += [(data + n) * blocks + block for n in range(correction)]
        turned = []
        for bit in range(8):
            values = [1 << bit, *(_product(value, 1 << bit) for value in remainders[place])]
            turned.append(
                [
                    8 * at + 7 - b
                    for at, value in zip(places, values, strict=True)
                    for b in range(8)
                    if value >> b & 1
                ]
            )
        message.append(turned)
    return message


def _remainders(data: int, correction: int) -> list[list[int]]:
    """The error correction of a block with a 1 at each place and noughts elsewhere (§7.5.2)."""
    generator = [1]
    root = 1
    for _ in range(correction):
        shifted = [0, *(_product(value, root) for value in generator)]
        generator = [a ^ b for a, b in zip([*generator, 0], shifted, strict=True)]
        root = _product(root, 2)
    rest = generator[1:]
    found = [rest]
    for _ in range(data - 1):
        rest = [
            following ^ _product(value, rest[0])
            for following, value in zip([*rest[1:], 0], generator[1:], strict=True)
        ]
        found.append(rest)
    return found[::-1]


def _product(a: int, b: int) -> int:
    """In GF(256) modulo x⁸ + x⁴ + x³ + x² + 1."""
    product = 0
    while b:
        product ^= a * (b & 1)
        a <<= 1
        a ^= 0x11D * (a >> 8)
        b >>= 1
    return product


def _fixed_patterns(size: int) -> dict[tuple[int, int], bool]:
    """Modules that carry no data, and whether they are dark; room for the format is light still (§6.3)."""
    fixed: dict[tuple[int, int], bool] = {}
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        for i in range(-1, 8):
            for j in range(-1, 8):
                ring = max(abs(i - 3), abs(j - 3))
                if 0 <= top + i < size and 0 <= left + j < size:
                    fixed[top + i, left + j] = ring in {0, 1, 3}
    for place in range(8, size - 8):
        fixed[6, place] = fixed[place, 6] = place % 2 == 0
    if size > 21:
        for i in range(-2, 3):
            for j in range(-2, 3):
                fixed[size - 7 + i, size - 7 + j] = max(abs(i), abs(j)) != 1
    fixed.setdefault((8, 8), False)
    for place in range(8):
        for module in ((place, 8), (8, place), (size - 1 - place, 8), (8, size - 1 - place)):
            fixed.setdefault(module, False)
    return fixed


def _zigzag(size: int) -> list[tuple[int, int]]:
    """All modules in the order in which codewords are placed, the upright timing pattern left out (§7.7.3)."""
    order = []
    rights = [right if right > 6 else right - 1 for right in range(size - 1, 0, -2)]
    for turn, right in enumerate(rights):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        order += [(row, column) for row in rows for column in (right, right - 1)]
    return order


def _runs_of(value: int, first: int) -> bytes:
    """The rectangles for eight modules of a row; ``y`` stands for its height."""
    signs = bytes(value >> 7 - place & 1 for place in range(8))
    return b"".join([b"%d y %d 1 re\n" % (first + start, width) for start, width in _runs(signs)])
