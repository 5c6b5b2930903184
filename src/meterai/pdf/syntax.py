"""PDF values as raw spans of bytes (ISO 32000-2 §7.3): found, split, never rebuilt.

What is not understood can so be written back exactly as it was. Nothing here recurses, and whatever is
unusual raises :class:`~meterai.pdf.road.Unusual`.
"""

import re
from binascii import unhexlify

from meterai.pdf.road import Oddity, Unusual

Spans = dict[bytes, bytes]
"""A dictionary: the names without their slash, each with the raw bytes of its value."""

DEPTH_MAX = 100
_W = rb"[\0\t\n\f\r ]"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_END = rb"(?!" + _REGULAR + rb")"
_REFERENCE = rb"\d{1,10}+" + _W + rb"++\d{1,5}+" + _W + rb"++R" + _END
_HEX = rb"<[0-9A-Fa-f\0\t\n\f\r ]*+>"
_ATOM = rb"/" + _REGULAR + rb"*+|" + _HEX + rb"|(?:[-+.\d]++|true|false|null)" + _END
_NUMBER = rb"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)"
# Every repetition is possessive: a token is as long as it can be, and no input makes matching slow.

BLANK = re.compile(rb"(?:" + _W + rb"++|%[^\r\n]*+)*+")
_PAIR = re.compile(
    rb"%b*+/(%b++)%b*+(?:(%b|%b)|(<<|\[)|(\())" % (_W, _REGULAR, _W, _REFERENCE, _ATOM)
)
_VALUE = re.compile(rb"(%b|%b)|(<<|\[)|(\()" % (_REFERENCE, _ATOM))
_STRUCTURE = re.compile(rb"[^\[\]<>()%%]*+(?:(<<|\[)|(>>|\])|(\()|%b|%%[^\r\n]*+)" % _HEX)
_PARENTHESIS = re.compile(rb"[^()\\]*+(?:\\(?s:.)[^()\\]*+)*+([()])")
_REFERENCES = re.compile(rb"(\d{1,10}+)%b++(\d{1,5}+)%b++R%b" % (_W, _W, _END))
_ONLY_REFERENCES = re.compile(rb"\[%b*+(?:%b%b*+)*+\]" % (_W, _REFERENCE, _W))
_NUMBERS = re.compile(rb"\[%b*+((?:%b(?:%b++|(?=\])))*+)\]" % (_W, _NUMBER, _W))
_PLAIN_TEXT = re.compile(rb"\(([ -'*-\[\]-~]*+)\)")
_CLOSING = {b"<<": b">>", b"[": b"]"}

# A dictionary as almost all are: no comment, no escape in a name or string, nested no deeper than this.
_BETWEEN = rb"[^<>()\[\]%]++"
_PLAIN_STRING = rb"\([^()\\]*+\)"
_LEAF = rb"(?:" + _BETWEEN + rb"|" + _HEX + rb"|" + _PLAIN_STRING + rb")*+"
_FLAT_ARRAY, _FLAT_DICTIONARY = rb"\[" + _LEAF + rb"\]", rb"<<" + _LEAF + rb">>"
_INNER = rb"(?:%b|%b|%b|%b|%b)*+" % (
    _BETWEEN, _FLAT_ARRAY, _FLAT_DICTIONARY, _HEX, _PLAIN_STRING,
)  # fmt: skip
_PLAIN_PAIR = rb"%b*+/([^\0\t\n\f\r ()<>\[\]{}/%%#]++)%b*+(%b|%b|\[%b\]|<<%b>>|%b)" % (
    _W, _W, _REFERENCE, _ATOM, _INNER, _INNER, _PLAIN_STRING,
)  # fmt: skip
_PLAIN = re.compile(rb"<<(?:%b)*+%b*+>>" % (_PLAIN_PAIR, _W))
_PLAIN_PAIRS = re.compile(_PLAIN_PAIR)


def value_end(data: bytes, at: int) -> int:
    """The position after the value that starts at ``at``."""
    found = _VALUE.match(data, at)
    if found is None:
        raise Unusual(Oddity.SYNTAX)
    return _end_of(data, found.lastindex, at, found.end())


def _end_of(data: bytes, kind: int | None, at: int, after: int) -> int:
    """``kind`` as the groups of ``_VALUE`` count: 1 an atom, 2 a dictionary or array, 3 a string."""
    if kind == 1:
        return after
    return _composite_end(data, at) if kind == 2 else _string_end(data, after)


def _composite_end(data: bytes, at: int) -> int:
    waiting: list[bytes] = []
    while True:
        found = _STRUCTURE.match(data, at)
        if found is None:
            raise Unusual(Oddity.SYNTAX)
        at = found.end()
        opening, closing, string = found.groups()
        if opening:
            waiting.append(_CLOSING[opening])
            if len(waiting) > DEPTH_MAX:
                raise Unusual(Oddity.DEEP)
        elif closing:
            if waiting.pop() != closing:
                raise Unusual(Oddity.SYNTAX)
            if not waiting:
                return at
        elif string:
            at = _string_end(data, at)


def _string_end(data: bytes, at: int) -> int:
    depth = 1
    while depth:
        found = _PARENTHESIS.match(data, at)
        if found is None:
            raise Unusual(Oddity.SYNTAX)
        at = found.end()
        depth += 1 if found[1] == b"(" else -1
    return at


def dictionary(data: bytes, at: int) -> tuple[Spans, int]:
    """The dictionary whose ``<<`` stands at ``at``, and the position after it."""
    plain = _PLAIN.match(data, at)
    if plain is not None:
        pairs = _PLAIN_PAIRS.findall(data, at + 2, plain.end() - 2)
        spans = dict(pairs)
        if len(spans) < len(pairs):
            raise Unusual(Oddity.DOUBLE_KEY)
        return spans, plain.end()
    return _any_dictionary(data, at)


def _any_dictionary(data: bytes, at: int) -> tuple[Spans, int]:
    """The same, whatever is in it."""
    if not data.startswith(b"<<", at):
        raise Unusual(Oddity.SYNTAX)
    at += 2
    spans: Spans = {}
    while True:
        found = _PAIR.match(data, at)
        if found is None:
            at = blank_end(data, at)
            if data.startswith(b">>", at):
                return spans, at + 2
            found = _PAIR.match(data, at)  # behind a comment
            if found is None:
                raise Unusual(Oddity.SYNTAX)
        name, kind = found[1], found.lastindex or 0
        start = found.start(kind)
        at = found.end() if kind == 2 else _end_of(data, kind - 1, start, found.end())
        if name in spans:
            raise Unusual(Oddity.DOUBLE_KEY)
        if b"#" in name:
            raise Unusual(Oddity.ESCAPED_NAME)
        spans[name] = data[start:at]


def blank_end(data: bytes, at: int) -> int:
    """The position of the next token: white space and comments are passed over."""
    found = BLANK.match(data, at)
    assert found is not None  # it also matches nothing
    return found.end()


def written(spans: Spans) -> bytes:
    """The dictionary as bytes, its values as they were."""
    return b"<<%b>>" % b"".join([b"/%b %b" % pair for pair in spans.items()])


def reference(raw: bytes) -> tuple[int, int] | None:
    """Number and generation, if the value is a reference to an object."""
    found = _REFERENCES.fullmatch(raw)
    return None if found is None else (int(found[1]), int(found[2]))


def references(raw: bytes) -> list[tuple[int, int]]:
    """What an array of nothing but references holds."""
    if _ONLY_REFERENCES.fullmatch(raw) is None:
        raise Unusual(Oddity.SYNTAX)
    return [(int(number), int(generation)) for number, generation in _REFERENCES.findall(raw)]


def items(raw: bytes) -> list[bytes]:
    """What an array holds, each as it is written."""
    if _ONLY_REFERENCES.fullmatch(raw) is not None:
        return [found[0] for found in _REFERENCES.finditer(raw)]
    if not raw.startswith(b"["):
        raise Unusual(Oddity.SYNTAX)
    found_items = []
    at = blank_end(raw, 1)
    while not raw.startswith(b"]", at):
        end = value_end(raw, at)
        found_items.append(raw[at:end])
        at = blank_end(raw, end)
    return found_items


def numbers(raw: bytes) -> list[float]:
    """What an array of nothing but numbers holds."""
    found = _NUMBERS.fullmatch(raw)
    if found is None:
        raise Unusual(Oddity.SYNTAX)
    return [float(number) for number in found[1].split()]


def whole(raw: bytes) -> int:
    """A natural number."""
    if not raw.isdigit() or len(raw) > 10:
        raise Unusual(Oddity.SYNTAX)
    return int(raw)


def text(raw: bytes) -> str:
    """A text string that is written plainly: without escapes, in ASCII or in hexadecimal."""
    plain = _PLAIN_TEXT.fullmatch(raw)
    if plain is not None:
        return plain[1].decode("ascii")
    if not raw.startswith(b"<") or raw.startswith(b"<<"):
        raise Unusual(Oddity.SYNTAX)
    content = unhexlify(b"".join(raw[1:-1].split()))
    if content.startswith(b"\xfe\xff"):
        return content[2:].decode("utf-16-be")
    return content.decode("ascii")
