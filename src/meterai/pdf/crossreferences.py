"""Where the objects of a document stand (ISO 32000-2 §7.5.4, §7.5.8): a row is read when it is asked for.

Classic tables, streams, hybrids of both and any history of increments; what is not exactly as the standard has
it raises :class:`~meterai.pdf.road.Unusual`.
"""

import re
import zlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from meterai.pdf import syntax
from meterai.pdf.road import Oddity, Unusual
from meterai.pdf.syntax import Spans

SECTIONS_MAX = 100
OBJECTS_MAX = 200_000
UNPACKED_MAX = 16 * 1024 * 1024
"""Bytes that a stream of cross-references or of objects may unpack to."""
_TAIL = 1100
"""Readers look for the end in so many last bytes."""

FREE, PLACED, PACKED = 0, 1, 2
Entry = tuple[int, int, int]
"""``PLACED``, offset, generation · ``PACKED``, number of its stream, index in it · ``FREE``, anything."""

_STARTXREF = re.compile(rb"startxref[\0\t\n\f\r ]+(\d{1,10})[\0\t\n\f\r ]+%%EOF")
_SUBSECTION = re.compile(rb"[\0\t\n\f\r ]*+(\d{1,10}) (\d{1,10}) ?(?:\r\n|\n|\r)")
_ROW = re.compile(rb"(\d{10}) (\d{5}) ([fn])(?: \r| \n|\r\n)")
_RAGGED_ROW = re.compile(rb"(\d{10}) (\d{5}) ([fn])[ \r\n]{1,3}")
_WHITE = re.compile(rb"[\0\t\n\f\r ]*+")
_OBJECT = re.compile(
    rb"(\d{1,10})[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+obj(?=[\0\t\n\f\r (<\[/%\d-])"
)
_STREAM = re.compile(rb"[\0\t\n\f\r ]*+stream\r?\n")
_ENDSTREAM = re.compile(rb"(?:\r\n|\n|\r)?endstream[\0\t\n\f\r ]++endobj")


class Section:
    """One section of cross-references: runs of neighbouring numbers, and a way to read a row of a run."""

    def __init__(self, runs: list[tuple[int, int, int]], row: Callable[[int, int], Entry]) -> None:
        self._runs = sorted(runs)
        """First number, how many follow, and what ``row`` calls the run."""
        self._firsts = [first for first, _, _ in self._runs]
        self._row = row
        self.end = 0
        """The first number behind all of them."""
        self.count = 0
        for first, count, _ in self._runs:
            if first < self.end:  # a number that stands twice
                raise Unusual(Oddity.CROSS_REFERENCES)
            self.end = first + count
            self.count += count

    def find(self, number: int) -> Entry | None:
        """What the section says of this object, if anything."""
        place = bisect_right(self._firsts, number) - 1
        if place < 0:
            return None
        first, count, run = self._runs[place]
        return self._row(run, number - first) if number - first < count else None

    def entries(self) -> dict[int, Entry]:
        """What it says of all."""
        row = self._row
        return {
            first + place: row(run, place)
            for first, count, run in self._runs
            for place in range(count)
        }


@dataclass(frozen=True, slots=True)
class CrossReferences:
    """What the sections say together, the newest first."""

    trailer: Spans
    """What the trailers say together, the newest first."""
    start: int
    """Offset of the newest section."""
    is_stream: bool
    """The newest section is a stream, and one that follows must be too."""
    sections: list[tuple[Section, bool]]
    """With whether what it calls free is passed over."""
    size: int
    """The first object number that nothing uses."""
    revisions: int
    """How many sections there are, without the streams of hybrids."""

    def find(self, number: int) -> Entry:
        """Where an object stands; free when nothing is said of it."""
        for section, only_used in self.sections:
            entry = section.find(number)
            if entry is not None and (entry[0] or not only_used):
                return entry
        return FREE, 0, 0

    def entries(self) -> dict[int, Entry]:
        """Where all objects stand."""
        found: dict[int, Entry] = {}
        for section, only_used in reversed(self.sections):
            known = section.entries()
            if only_used:
                known = {number: entry for number, entry in known.items() if entry[0]}
            found.update(known)
        return found


def read(data: bytes) -> CrossReferences:
    """All sections from the newest to the oldest."""
    if not data.startswith(b"%PDF-"):
        raise Unusual(Oddity.HEADER)
    found = _STARTXREF.match(data, data.rfind(b"startxref", max(0, len(data) - _TAIL)))
    if found is None:
        raise Unusual(Oddity.END)
    start = int(found[1])
    chain = _Chain(data)
    trailer = chain.follow(start)
    if chain.end > chain.size:
        raise Unusual(Oddity.SIZE)
    size = max(chain.size, chain.own_end)
    if size > OBJECTS_MAX:
        raise Unusual(Oddity.SIZE)
    is_stream = not data.startswith(b"xref", start)
    return CrossReferences(trailer, start, is_stream, chain.sections, size, chain.revisions)


class _Chain:
    """The sections while they are followed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sections: list[tuple[Section, bool]] = []
        self.end = 0
        """The first number that no section names."""
        self.own_end = 0
        """The first number that no stream of a section has; known programs do not count these in ``/Size``."""
        self.size = 0
        """What the sections say :attr:`end` is."""
        self.revisions = 0

    def follow(self, start: int) -> Spans:
        """All sections are known; returns what their trailers say together."""
        merged: Spans = {}
        at: int | None = start
        seen: set[int] = set()
        while at is not None:
            if at in seen or at >= len(self._data) or len(seen) >= SECTIONS_MAX:
                raise Unusual(Oddity.CROSS_REFERENCES)
            seen.add(at)
            trailer = self._section(at)
            self.size = max(self.size, syntax.whole(trailer.get(b"Size", b"")))
            # increments are made that leave out what readers then find in the section before
            merged = trailer | merged
            previous = trailer.get(b"Prev")
            # known programs name the white space before a section
            at = None if previous is None else self._solid(syntax.whole(previous))
        self.revisions = len(seen)
        if sum(section.count for section, _ in self.sections) > 2 * OBJECTS_MAX:
            raise Unusual(Oddity.DEEP)
        return merged

    def _solid(self, at: int) -> int:
        """The first position from here that holds no white space."""
        found = _WHITE.match(self._data, at)
        return at if found is None else found.end()

    def _section(self, at: int) -> Spans:
        if not self._data.startswith(b"xref", at):
            return self._add_stream(at)
        table, trailer = self._table(at + 4)
        hidden = trailer.get(b"XRefStm")
        if hidden is not None:
            # a hybrid: what the table calls free may stand in the stream, which old readers do not know
            self._add(table, only_used=True)
            self._add_stream(syntax.whole(hidden))
        self._add(table)
        return _plain(trailer)

    def _add(self, section: Section, *, only_used: bool = False) -> None:
        if section.end > OBJECTS_MAX:
            raise Unusual(Oddity.DEEP)
        self.end = max(self.end, section.end)
        self.sections.append((section, only_used))

    def _table(self, start: int) -> tuple[Section, Spans]:
        data, at = self._data, start
        runs = []
        while (found := _SUBSECTION.match(data, at)) is not None:
            count, at = int(found[2]), found.end()
            runs.append((int(found[1]), count, at))
            at += 20 * count
            if count and _ROW.match(data, at - 20) is None:
                return self._ragged_table(start)
        return Section(runs, self._table_row), self._trailer(at)

    def _ragged_table(self, at: int) -> tuple[Section, Spans]:
        """The table with rows of other lengths than the standard has (§7.5.4), which all readers take."""
        runs: list[tuple[int, int, int]] = []
        rows: list[Entry] = []
        while (found := _SUBSECTION.match(self._data, at)) is not None:
            runs.append((int(found[1]), int(found[2]), len(rows)))
            at = found.end()
            for _ in range(int(found[2])):
                row = _RAGGED_ROW.match(self._data, at)
                if row is None:
                    raise Unusual(Oddity.CROSS_REFERENCES)
                rows.append((PLACED if row[3] == b"n" else FREE, int(row[1]), int(row[2])))
                at = row.end()
        return Section(runs, lambda run, place: rows[run + place]), self._trailer(at)

    def _trailer(self, at: int) -> Spans:
        at = syntax.blank_end(self._data, at)
        if not self._data.startswith(b"trailer", at):
            raise Unusual(Oddity.CROSS_REFERENCES)
        return syntax.dictionary(self._data, syntax.blank_end(self._data, at + 7))[0]

    def _table_row(self, run: int, place: int) -> Entry:
        found = _ROW.match(self._data, run + 20 * place)
        if found is None:
            raise Unusual(Oddity.CROSS_REFERENCES)
        offset, generation, kind = found.groups()
        return (PLACED if kind == b"n" else FREE), int(offset), int(generation)

    def _add_stream(self, at: int) -> Spans:
        head, content = stream_at(self._data, at)
        if head.get(b"Type") != b"/XRef":
            raise Unusual(Oddity.CROSS_REFERENCES)
        self.own_end = max(self.own_end, object_at(self._data, at)[0] + 1)
        self._add(_stream_section(_plain(head), content))
        return head


def _plain(trailer: Spans) -> Spans:
    if b"Encrypt" in trailer:
        raise Unusual(Oddity.ENCRYPTED)
    return trailer


def _stream_section(head: Spans, content: bytes) -> Section:
    widths = [int(width) for width in syntax.numbers(head[b"W"])]
    if len(widths) != 3 or not all(0 <= width <= 8 for width in widths) or not widths[1]:
        raise Unusual(Oddity.CROSS_REFERENCES)
    columns = _columns(content, sum(widths), head)
    first, second = widths[0], widths[0] + widths[1]
    kinds, middles, lasts = columns[:first], columns[first:second], columns[second:]

    def row(run: int, place: int) -> Entry:
        at = run + place
        kind = _number(kinds, at) if kinds else PLACED
        if kind > PACKED:
            raise Unusual(Oddity.CROSS_REFERENCES)
        return kind, _number(middles, at), _number(lasts, at)

    runs, rows = [], 0
    for number, count in _subsections(head):
        runs.append((number, count, rows))
        rows += count
    if rows > len(columns[0]):
        raise Unusual(Oddity.CROSS_REFERENCES)
    return Section(runs, row)


def _number(columns: "list[bytes | list[int]]", row: int) -> int:
    """A big-endian number out of its columns."""
    value = 0
    for column in columns:
        value = value << 8 | column[row]
    return value


def _subsections(head: Spans) -> list[tuple[int, int]]:
    if b"Index" not in head:
        return [(0, syntax.whole(head[b"Size"]))]
    flat = [int(number) for number in syntax.numbers(head[b"Index"])]
    if len(flat) % 2 or min(flat, default=0) < 0:
        raise Unusual(Oddity.CROSS_REFERENCES)
    return list(zip(flat[0::2], flat[1::2], strict=True))


def _columns(content: bytes, width: int, head: Spans) -> "list[bytes | list[int]]":
    """The bytes of the rows, column by column, the PNG predictor *Up* undone (ISO 32000-2 §7.4.4.4)."""
    parameters = head.get(b"DecodeParms", b"null")
    predictor = 1
    if parameters != b"null":
        said, _ = syntax.dictionary(parameters.strip(b"[] "), 0)
        predictor = syntax.whole(said.get(b"Predictor", b"1"))
        if predictor >= 10 and syntax.whole(said.get(b"Columns", b"1")) != width:
            raise Unusual(Oddity.FILTER)
        if set(said) - {b"Predictor", b"Columns"}:
            raise Unusual(Oddity.FILTER)
    if predictor == 1:
        if len(content) % width:
            raise Unusual(Oddity.CROSS_REFERENCES)
        return [content[place::width] for place in range(width)]
    kinds = content[:: width + 1]
    if predictor < 10 or len(content) % (width + 1) or kinds.count(2) != len(kinds):
        raise Unusual(Oddity.FILTER)
    differences = (content[place :: width + 1] for place in range(1, width + 1))
    return [[value & 255 for value in accumulate(column)] for column in differences]


def object_at(
    data: bytes, at: int, number: int | None = None, generation: int | None = None
) -> tuple[int, int]:
    """Number of the object that starts at this offset, and where its value does."""
    found = _OBJECT.match(data, at)
    if found is None or at == 0:
        raise Unusual(Oddity.OBJECT)
    said = int(found[1])
    if number is not None and (said, int(found[2])) != (number, generation):
        raise Unusual(Oddity.OBJECT)
    return said, syntax.blank_end(data, found.end())


def stream_at(
    data: bytes, at: int, value: Callable[[bytes], bytes] | None = None
) -> tuple[Spans, bytes]:
    """Dictionary and unpacked content of the stream object that starts at this offset.

    ``value`` leads from a reference to what it names; without it the length must stand in the dictionary.
    """
    _, start = object_at(data, at)
    head, end = syntax.dictionary(data, start)
    raw = stream_content(data, head, end, value)
    match head.get(b"Filter", b"null").strip(b"[] "):
        case b"null":
            return head, raw
        case b"/FlateDecode":
            return head, _inflated(raw)
    raise Unusual(Oddity.FILTER)


def stream_content(
    data: bytes, head: Spans, end: int, value: Callable[[bytes], bytes] | None
) -> bytes:
    """What stands behind a dictionary that ended at ``end``, as it is packed."""
    found = _STREAM.match(data, end)
    if found is None:
        raise Unusual(Oddity.SYNTAX)
    length = head[b"Length"]
    after = found.end() + syntax.whole(length if value is None else value(length))
    if _ENDSTREAM.match(data, after) is None:
        raise Unusual(Oddity.SYNTAX)
    return data[found.end() : after]


def _inflated(raw: bytes) -> bytes:
    engine = zlib.decompressobj()
    content = engine.decompress(raw, UNPACKED_MAX)
    if not engine.eof:
        raise Unusual(Oddity.INFLATES)
    return content
