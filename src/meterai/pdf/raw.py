"""A document as raw spans: an object is looked up when it is asked for, and is never rebuilt.

Everything unusual raises :class:`~meterai.pdf.road.Unusual`.
"""

import re
from dataclasses import dataclass
from math import isfinite

from meterai.pdf import crossreferences, syntax
from meterai.pdf.crossreferences import PACKED, PLACED
from meterai.pdf.document import COORDINATE_MAX, DEPTH_MAX, PAGES_MAX
from meterai.pdf.geometry import PageFrame, Rectangle
from meterai.pdf.road import Oddity, Unusual
from meterai.pdf.syntax import Spans

Ref = tuple[int, int]
"""Number and generation of an object."""


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page with what it inherits."""

    ref: Ref
    spans: Spans
    frame: PageFrame


class RawDocument:
    """The objects of a document by their numbers."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.references = crossreferences.read(data)
        self._spans: dict[int, Spans] = {}
        self._packed: dict[int, tuple[bytes, list[int]]] = {}
        self._unpacking: set[int] = set()
        """Streams whose length is still being looked for: it must not stand in themselves."""
        self._read, self._read_max = 0, 4 * len(data) + 4 * crossreferences.UNPACKED_MAX
        self._leaves: list[tuple[Ref, Ref, Spans]] | None = None

    @property
    def root(self) -> Ref:
        """The catalogue."""
        return self._needed(self.references.trailer[b"Root"])

    def _needed(self, raw: bytes) -> Ref:
        ref = syntax.reference(raw)
        if ref is None:
            raise Unusual(Oddity.SYNTAX)
        return ref

    def _locate(self, ref: Ref) -> tuple[bytes, int]:
        """Where the value of an object stands, and in which bytes."""
        number, generation = ref
        kind, where, index = self.references.find(number)
        if kind == PLACED and index == generation:
            start = crossreferences.object_at(self._data, where, number, generation)[1]
            return self._data, start
        if kind != PACKED or generation != 0:
            raise Unusual(Oddity.OBJECT)
        content, places = self._unpacked(where)
        if places[2 * index] != number:
            raise Unusual(Oddity.OBJECT)
        return content, syntax.blank_end(content, places[2 * index + 1])

    def _unpacked(self, number: int) -> tuple[bytes, list[int]]:
        """An object stream, and number and offset of each object in it (ISO 32000-2 §7.5.7)."""
        if number not in self._packed:
            kind, where, generation = self.references.find(number)
            crossreferences.object_at(self._data, where, number, generation)
            if kind != PLACED or number in self._unpacking:
                raise Unusual(Oddity.OBJECT)
            self._unpacking.add(number)
            head, content = crossreferences.stream_at(self._data, where, self.value)
            if head.get(b"Type") != b"/ObjStm":
                raise Unusual(Oddity.OBJECT)
            first, count = syntax.whole(head[b"First"]), syntax.whole(head[b"N"])
            places = [int(word) for word in _COMMENT.sub(b" ", content[:first]).split()]
            if len(places) != 2 * count:
                raise Unusual(Oddity.OBJECT)
            places[1::2] = [first + offset for offset in places[1::2]]
            self._packed[number] = content, places
        return self._packed[number]

    def dictionary(self, ref: Ref) -> Spans:
        """The dictionary that is this object. Not a stream."""
        known = self._spans.get(ref[0])
        if known is None:
            data, at = self._locate(ref)
            known, end = syntax.dictionary(data, at)
            self._read += end - at
            if self._read > self._read_max:  # objects that lie within one another
                raise Unusual(Oddity.DEEP)
            self._check_end(data, end)
            self._spans[ref[0]] = known
        return known

    def value(self, raw: bytes) -> bytes:
        """The value itself, if it is not a reference to it (to which no further one may lead)."""
        ref = syntax.reference(raw)
        if ref is None:
            return raw
        data, at = self._locate(ref)
        end = syntax.value_end(data, at)
        self._check_end(data, end)
        if syntax.reference(data[at:end]) is not None:
            raise Unusual(Oddity.OBJECT)
        return data[at:end]

    def _check_end(self, data: bytes, end: int) -> None:
        if data is self._data and not data.startswith(b"endobj", syntax.blank_end(data, end)):
            raise Unusual(Oddity.OBJECT)

    def spans_of(self, raw: bytes) -> Spans:
        """The dictionary that this value is, or leads to."""
        ref = syntax.reference(raw)
        return syntax.dictionary(raw, 0)[0] if ref is None else self.dictionary(ref)

    def array(self, holder: Spans, name: bytes) -> bytes:
        """The array under this name as it is written; an empty one if there is none."""
        raw = holder.get(name)
        if raw is None:
            return b"[]"
        found = self.value(raw)
        if not found.startswith(b"["):
            raise Unusual(Oddity.SYNTAX)
        return found

    def page(self, wanted: int) -> RawPage:
        """The page with this number; -1 is the last."""
        if self._leaves is None:
            self._leaves = self._find_leaves()
        leaves = self._leaves
        index = wanted - 1 if wanted > 0 else len(leaves) + wanted
        if wanted == 0 or not 0 <= index < len(leaves):
            raise Unusual(Oddity.PLACE)
        ref, parent, inherited = leaves[index]
        spans = self.dictionary(ref)
        if spans.get(b"Type") != b"/Page" or b"Kids" in spans or ref == self.root:
            raise Unusual(Oddity.PAGES)
        if syntax.reference(spans.get(b"Parent", b"")) != parent:
            raise Unusual(Oddity.PAGES)
        return RawPage(ref, spans, self._frame(inherited | spans))

    def _find_leaves(self) -> list[tuple[Ref, Ref, Spans]]:
        """All pages in order, each with its parent and what it inherits; none stands at two places."""
        top = self._needed(self.dictionary(self.root)[b"Pages"])
        leaves: list[tuple[Ref, Ref, Spans]] = []
        stack: list[tuple[Ref, Ref | None, Spans, int]] = [(top, None, {}, 0)]
        while stack:
            ref, parent, above, depth = stack.pop()
            if parent is not None and self._is_leaf(ref):
                leaves.append((ref, parent, above))
                continue
            node = self.dictionary(ref)
            kids = syntax.references(self.value(node[b"Kids"]))
            inherited = above | {name: node[name] for name in _INHERITED if name in node}
            if depth > DEPTH_MAX or len(leaves) + len(stack) + len(kids) > PAGES_MAX:
                raise Unusual(Oddity.DEEP)
            stack.extend((kid, ref, inherited, depth + 1) for kid in reversed(kids))
        count = syntax.whole(self.value(self.dictionary(top)[b"Count"]))
        if not count == len(leaves) == len({ref for ref, _, _ in leaves}):
            raise Unusual(Oddity.PAGES)
        return leaves

    def _is_leaf(self, ref: Ref) -> bool:
        """The node has no kids. Most are told so without being split."""
        kind, where, generation = self.references.find(ref[0])
        if kind == PLACED and generation == ref[1]:
            start = b"%d %d obj" % ref
            after = where + len(start)
            if self._data.startswith(start, where) and _PLAIN_LEAF.match(
                self._data, after, after + _LEAF_MAX
            ):
                return True
        return b"Kids" not in self.dictionary(ref)

    def _frame(self, page: Spans) -> PageFrame:
        media = self.rectangle(page[b"MediaBox"])
        cropped = self.rectangle(page[b"CropBox"]) if b"CropBox" in page else media
        visible = media.meet(cropped)
        rotation = self._number(page, b"Rotate", 0)
        unit = self._number(page, b"UserUnit", 1)
        if visible is None or rotation not in {0, 90, 180, 270} or not 0 < unit < 1e4:
            raise Unusual(Oddity.PAGES)
        return PageFrame(visible, int(rotation), unit)

    def _number(self, holder: Spans, name: bytes, default: float) -> float:
        return float(self.value(holder[name])) if name in holder else default

    def rectangle(self, raw: bytes) -> Rectangle:
        """Four numbers in any order of corners."""
        corners = syntax.numbers(self.value(raw))
        if len(corners) != 4 or not all(isfinite(corner) for corner in corners):
            raise Unusual(Oddity.PAGES)
        a, b, c, d = corners
        if a == c or b == d or max(map(abs, corners)) > COORDINATE_MAX:
            raise Unusual(Oddity.PAGES)
        return Rectangle(min(a, c), min(b, d), max(a, c), max(b, d))


_INHERITED = (b"MediaBox", b"CropBox", b"Rotate")
_PLAIN_LEAF = re.compile(
    rb"(?![0-9A-Za-z])(?:[^(#%Ke]++|K(?!ids)|e(?!ndobj))*+endobj"
)  # no string or comment in which anything could hide, no name in disguise
_COMMENT = re.compile(rb"%[^\r\n]*+")
_LEAF_MAX = 4096
"""Bytes in which a page ends that is told from a branch without being split."""
