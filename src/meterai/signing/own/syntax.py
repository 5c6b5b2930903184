"""The little PDF syntax that our engines write, read strictly: dictionaries as spans of bytes.

No reader of documents: what is not plainly there raises :class:`Unfamiliar`, and the careful road decides.
"""

import re

Spans = dict[bytes, bytes]
"""Names without their slash, and each value as it is written."""


class Unfamiliar(Exception):
    """This is not as our engines write it; nothing is said about whether it is right."""


_BLANK = rb"[\0\t\n\f\r ]*+"
_NAME = rb"[!\"$&'*-.0-;=?-Z\\^-z|~]++"
_TEXT = rb"\((?:[^()\\]++|\\[\s\S])*+\)"
_PLAIN = (
    rb"(?:\d{1,10} \d{1,5} R(?=[\0\t\n\f\r ()<>\[\]{}/%])|/(?:"
    + _NAME
    + rb")?|[+-]?(?:\d++\.?\d*+|\.\d++)|true|false|null|"
    rb"<[0-9A-Fa-f]{0,512}+>|" + _TEXT + rb")"
)
_SPACE = re.compile(_BLANK)
_ENTRY = re.compile(_BLANK + rb"(?:(>>)|/(" + _NAME + rb")" + _BLANK + rb"(" + _PLAIN + rb")?+)")
_ARRAY = rb"\[(?:" + _BLANK + _PLAIN + rb")*+" + _BLANK + rb"\]"
_SIMPLE = rb"<<(?:" + _BLANK + rb"(?:" + _PLAIN + rb"|" + _ARRAY + rb"))*+" + _BLANK + rb">>"
_VALUE = re.compile(rb"(?:" + _PLAIN + rb"|" + _ARRAY + rb"|" + _SIMPLE + rb")")
_PART = re.compile(_BLANK + rb"(?:(<<|\[)|(>>|\])|" + _PLAIN + rb")")
_REFERENCE = re.compile(rb"(\d{1,10}) (\d{1,5}) R")
_DEPTH_MAX = 32


def dictionary(data: bytes, at: int = 0) -> tuple[Spans, int]:
    """The dictionary that begins at ``at``, and where it ends. Raises :class:`Unfamiliar`."""
    if not data.startswith(b"<<", at):
        raise Unfamiliar
    spans: Spans = {}
    at += 2
    entry = _ENTRY.match
    while (found := entry(data, at)) is not None:
        end, key, plain = found.groups()
        at = found.end()
        if end is not None:
            return spans, at
        if key in spans:
            break
        if plain is None:
            start, at = at, value_end(data, at)
            plain = data[start:at]
        spans[key] = plain
    raise Unfamiliar


def value_end(data: bytes, at: int) -> int:
    """Where the value that begins at ``at`` ends. Raises :class:`Unfamiliar`."""
    plain = _VALUE.match(data, at)
    if plain is not None:
        return plain.end()
    open_: list[bytes] = []
    while True:
        part = _PART.match(data, at)
        if part is None or len(open_) > _DEPTH_MAX:
            raise Unfamiliar
        at = part.end()
        if part[1]:
            open_.append(b">>" if part[1] == b"<<" else b"]")
        elif part[2] and (not open_ or open_.pop() != part[2]):
            raise Unfamiliar
        if not open_:
            return at


def parts(array: bytes) -> list[bytes]:
    """What stands in an array of plain values."""
    if array[:1] != b"[":
        raise Unfamiliar
    found, at, end = [], 1, len(array) - 1
    while (start := blank_end(array, at)) < end:
        at = value_end(array, start)
        found.append(array[start:at])
    if start != end or array[end:] != b"]":
        raise Unfamiliar
    return found


def blank_end(data: bytes, at: int) -> int:
    """Where the next thing begins."""
    found = _SPACE.match(data, at)
    assert found is not None  # it matches nothing at all, too
    return found.end()


def reference(span: bytes) -> tuple[int, int]:
    """Number and generation that a span names."""
    found = _REFERENCE.fullmatch(span)
    if found is None:
        raise Unfamiliar
    return int(found[1]), int(found[2])


def whole_number(span: bytes) -> int:
    """A number that counts something."""
    if not span.isdigit() or len(span) > 12:
        raise Unfamiliar
    return int(span)


_ESCAPE = re.compile(rb"\\([0-7]{1,3}|[\s\S])")
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b""}


def _meant(escape: re.Match[bytes]) -> bytes:
    sign = escape[1]
    if sign.isdigit():
        return bytes((int(sign, 8) & 0xFF,))
    if sign == b"\r":
        raise Unfamiliar
    return _LETTERS.get(sign, sign)


def text(span: bytes) -> str:
    """A literal string of plain ASCII."""
    if span[:1] != b"(":
        raise Unfamiliar
    inside = span[1:-1]
    if b"\\" in inside:
        inside = _ESCAPE.sub(_meant, inside)
    if b"\r" in inside or not inside.isascii():
        raise Unfamiliar
    return inside.decode("ascii")
