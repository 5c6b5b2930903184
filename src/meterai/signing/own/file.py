"""A file whose last revision is exactly what our engines append, read by its bytes alone.

The last section of cross-references must hold catalogue, form, field and signature dictionary; the signed range
must be everything but the gap; nothing may follow. Whatever is not so raises :class:`Unfamiliar`.
"""

import re
from binascii import unhexlify
from dataclasses import dataclass

from meterai.signing.own.syntax import (
    Spans,
    Unfamiliar,
    blank_end,
    dictionary,
    parts,
    reference,
    text,
    whole_number,
)

__all__ = ["OwnFile", "Unfamiliar", "read_own_file"]

FIELD_PREFIX = "Meterai-"
FIELDS_MAX = 64
OBJECTS_MAX = 4096
_END = re.compile(rb"startxref\r?\n(\d{1,12})\r?\n%%EOF[\r\n]{0,2}\Z")
_END_ROOM = 48
_RUN = re.compile(rb"(\d{1,10}) (\d{1,6})[ \r]?\n|trailer[\r\n ]{1,2}(?=<<)")
_ROW = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \n|\r\n| \r)")
_OBJECT = re.compile(rb"(\d{1,10}) (\d{1,5}) obj[\r\n ]{0,2}(?=<<)")
_NOUGHTS = b"0" * (256 * 1024)
"""No gap of ours has more room."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What stands in the last revision; of its cryptography nothing was checked."""

    field: str
    serials: tuple[str, ...]
    level: int
    """What is certified about later changes: 1 or 2."""
    source_bytes: int
    source_sha256: bytes
    gap_start: int
    gap_end: int
    seal: bytes
    """The CMS in DER."""
    said_time: str
    """``/M`` as it is written."""


def read_own_file(data: bytes) -> OwnFile:
    """What our engines wrote into ``data``. Raises :class:`Unfamiliar`."""
    if not data.startswith(b"%PDF-"):
        raise Unfamiliar
    end = _END.search(data, max(0, len(data) - _END_ROOM))
    if end is None:
        raise Unfamiliar
    places, trailer = _section(data, int(end[1]), end.start())
    if b"Encrypt" in trailer or b"XRefStm" in trailer or b"Prev" not in trailer:
        raise Unfamiliar
    root = _object(data, places, _at(trailer, b"Root"))
    perms, _ = dictionary(_at(root, b"Perms"))
    signature = _at(perms, b"DocMDP")
    field = _only_signed_field(data, places, _at(root, b"AcroForm"), signature)
    ref = reference(signature)
    return _signature(data, places.get(ref, len(data)), ref, field, min(places.values()))


def _at(spans: Spans, name: bytes) -> bytes:
    found = spans.get(name)
    if found is None:
        raise Unfamiliar
    return found


Places = dict[tuple[int, int], int]


def _section(data: bytes, start: int, end: int) -> tuple[Places, Spans]:
    """Where the objects of the last revision stand, and its trailer; it ends at ``end``."""
    if data.startswith(b"xref", start):
        return _table(data, start, end)
    return _stream(data, start, end)


def _table(data: bytes, start: int, end: int) -> tuple[Places, Spans]:
    places: Places = {}
    at = blank_end(data, start + 4)
    while True:
        run = _RUN.match(data, at)
        if run is None:
            raise Unfamiliar
        at = run.end()
        if run[1] is None:
            break
        first, count = int(run[1]), int(run[2])
        if count + len(places) > OBJECTS_MAX:
            raise Unfamiliar
        rows = _ROW.findall(data, at, at + 20 * count)
        at += 20 * count
        if len(rows) != count:
            raise Unfamiliar
        for number, (offset, generation, kind) in enumerate(rows, first):
            if kind == b"n":
                _place(places, (number, int(generation)), int(offset))
            elif number:
                raise Unfamiliar
    trailer, at = dictionary(data, at)
    if blank_end(data, at) != end:
        raise Unfamiliar
    return places, trailer


def _place(places: Places, ref: tuple[int, int], offset: int) -> None:
    if ref in places:
        raise Unfamiliar
    places[ref] = offset


def _stream(data: bytes, start: int, end: int) -> tuple[Places, Spans]:
    """The same from an uncompressed cross-reference stream (ISO 32000-2 §7.5.8)."""
    head = _OBJECT.match(data, start)
    if head is None:
        raise Unfamiliar
    trailer, at = dictionary(data, head.end())
    at = blank_end(data, at)
    if trailer.get(b"Type") != b"/XRef" or b"Filter" in trailer:
        raise Unfamiliar
    at = _after(data, at, b"stream\r\n" if data.startswith(b"stream\r\n", at) else b"stream\n")
    length = whole_number(_at(trailer, b"Length"))
    rows = data[at : at + length]
    at = _after(data, blank_end(data, at + length), b"endstream")
    at = _after(data, blank_end(data, at), b"endobj")
    if blank_end(data, at) != end:
        raise Unfamiliar
    return _rows(trailer, rows), trailer


def _rows(trailer: Spans, rows: bytes) -> Places:
    kind, offset, generation = (whole_number(width) for width in parts(_at(trailer, b"W")))
    numbers = [whole_number(number) for number in parts(_at(trailer, b"Index"))]
    width = kind + offset + generation
    count = sum(numbers[1::2])
    if kind != 1 or len(numbers) % 2 or count * width != len(rows) or count > OBJECTS_MAX:
        raise Unfamiliar
    places: Places = {}
    at = 0
    for first, size in zip(numbers[::2], numbers[1::2], strict=True):
        for number in range(first, first + size):
            row = rows[at : at + width]
            at += width
            if row[0] == 1:
                ref = number, int.from_bytes(row[1 + offset :])
                _place(places, ref, int.from_bytes(row[1 : 1 + offset]))
            elif row[0] or number:
                raise Unfamiliar
    return places


def _after(data: bytes, at: int, word: bytes) -> int:
    if not data.startswith(word, at):
        raise Unfamiliar
    return at + len(word)


def _start(data: bytes, places: Places, ref: tuple[int, int]) -> int:
    """Where the dictionary of this object of the last revision begins."""
    head = _OBJECT.match(data, places.get(ref, len(data)))
    if head is None or (int(head[1]), int(head[2])) != ref:
        raise Unfamiliar
    return head.end()


def _object(data: bytes, places: Places, span: bytes) -> Spans:
    spans, at = dictionary(data, _start(data, places, reference(span)))
    _after(data, blank_end(data, at), b"endobj")
    return spans


def _only_signed_field(data: bytes, places: Places, form: bytes, signature: bytes) -> str:
    """The name of the one field that holds a signature; all others are empty and of this revision."""
    fields = parts(_at(_object(data, places, form), b"Fields"))
    if len(fields) > FIELDS_MAX or len(set(fields)) < len(fields):
        raise Unfamiliar
    name = None
    for span in fields:
        field = _object(data, places, span)
        if field.get(b"FT") != b"/Sig" or b"Kids" in field or b"Parent" in field:
            raise Unfamiliar
        if b"V" in field:
            if name is not None or field[b"V"] != signature:
                raise Unfamiliar
            name = text(_at(field, b"T"))
    if name is None or not name.startswith(FIELD_PREFIX):
        raise Unfamiliar
    return name


_S = rb"[\n ]*+"
_SIGNATURE = re.compile(
    _S.join(
        (
            rb"(\d{1,10}) (\d{1,5}) obj",
            rb"<<",
            rb"/Type",
            rb"/Sig",
            rb"/Filter",
            rb"/Adobe\.PPKLite",
            rb"/SubFilter",
            rb"/ETSI\.CAdES\.detached",
            rb"/M",
            rb"(\((?:[^()\\]|\\\d\d\d)*+\))",
            rb"/XXMeterai",
            rb"<<",
            rb"/Serials",
            rb"\[((?:" + _S + rb"\([0-9A-Z]{22}\))++)",
            rb"\]",
            rb"/Length",
            rb"(\d{1,12})",
            rb"/SHA256",
            rb"<([0-9a-fA-F]{64})>",
            rb">>",
            rb"(?:/(?:Name|Reason|Location)"
            + _S
            + rb"\((?:[^()\\]|\\.)*+\)"
            + _S
            + rb")*+/Reference",
            rb"\[",
            rb"<<",
            rb"/Type",
            rb"/SigRef",
            rb"/TransformMethod",
            rb"/DocMDP",
            rb"/TransformParams",
            rb"<<",
            rb"/Type",
            rb"/TransformParams",
            rb"/V",
            rb"/1\.2",
            rb"/P ([12])",
            rb">>",
            rb">>",
            rb"\]",
            rb"(?:/(?:Name|Reason|Location)"
            + _S
            + rb"\((?:[^()\\]|\\.)*+\)"
            + _S
            + rb")*+/ByteRange",
            rb"\[0 (\d{1,12}) (\d{1,12}) (\d{1,12})\]",
            rb"/Contents",
            rb"(?=<[0-9A-F])",
        )
    )
)
"""The signature dictionary up to its gap, with the entries in the order in which our engines write them."""


def _signature(data: bytes, place: int, ref: tuple[int, int], field: str, first: int) -> OwnFile:
    """The signature dictionary at ``place``; ``first`` is where the revision's first object stands."""
    found = _SIGNATURE.match(data, place)
    if found is None:
        raise Unfamiliar
    number, generation, moment, serials, length, digest, level, start, end, rest = found.groups()
    gap_start, gap_end, source_bytes = int(start), int(end), int(length)
    named = tuple(serials.decode().translate(_BARE).split())
    if (
        (int(number), int(generation)) != ref
        or gap_start != found.end()
        or gap_end < gap_start + 10
        or gap_end + int(rest) != len(data)
        or not 0 < source_bytes <= first
        or field != FIELD_PREFIX + named[0]
        or len(set(named)) < len(named)
    ):
        raise Unfamiliar
    at = _after(data, blank_end(data, gap_end), b">>")
    _after(data, blank_end(data, at), b"endobj")
    if data.find(b"/ByteRange", at) >= 0:
        raise Unfamiliar  # the gap may have been moved here from a dictionary that stands behind
    return OwnFile(
        field=field,
        serials=named,
        level=int(level),
        source_bytes=source_bytes,
        source_sha256=bytes.fromhex(digest.decode()),
        gap_start=gap_start,
        gap_end=gap_end,
        seal=_seal(data, gap_start, gap_end),
        said_time=text(moment),
    )


_BARE = str.maketrans("()", "  ")


def _seal(data: bytes, start: int, end: int) -> bytes:
    """The CMS in a gap that holds nothing but its hexadecimal and noughts behind it."""
    if data[start : start + 1] != b"<" or data[end - 1 : end] != b">":
        raise Unfamiliar
    try:
        size = 4 + int.from_bytes(unhexlify(data[start + 5 : start + 9]))
        last = start + 1 + 2 * size
        seal = unhexlify(data[start + 1 : last])  # unlike fromhex it takes no blanks between digits
    except ValueError as error:
        raise Unfamiliar from error
    padding = end - 1 - last
    if (
        not 0 <= padding <= len(_NOUGHTS)
        or len(seal) != size  # blanks between the digits would be skipped
        or not seal.startswith(b"\x30\x82")
        or data[last : end - 1] != _NOUGHTS[:padding]
    ):
        raise Unfamiliar
    return seal
