"""One incremental update, written by hand: objects, cross-references, trailer (ISO 32000-2 §7.5.6)."""

from meterai.pdf import syntax
from meterai.pdf.crossreferences import CrossReferences

Ref = tuple[int, int]
"""Number and generation of an object."""


class Section:
    """What is appended to a document of ``base`` bytes; new objects get numbers that nothing uses."""

    def __init__(self, base: int, before: CrossReferences, ids: bytes) -> None:
        self._at = base
        self._before = before
        self._ids = ids
        self._size = before.size
        self._parts: list[bytes] = []
        self._places: dict[Ref, int] = {}

    def new(self) -> Ref:
        """The name of an object that is still to be written."""
        self._size += 1
        return self._size - 1, 0

    def write(self, ref: Ref, body: bytes) -> None:
        """The object has this value now."""
        self._places[ref] = self._at
        self._append(b"%d %d obj\n%b\nendobj\n" % (*ref, body))

    def add(self, body: bytes) -> Ref:
        """A new object with this value."""
        ref = self.new()
        self.write(ref, body)
        return ref

    def open(self, ref: Ref, start: bytes) -> None:
        """An object begins, of which something is still open; its rest is for :meth:`close`."""
        self._places[ref] = self._at
        self._append(b"%d %d obj\n%b" % (*ref, start))

    @property
    def at(self) -> int:
        """Offset in the whole file of what is written next."""
        return self._at

    def _append(self, content: bytes) -> None:
        self._parts.append(content)
        self._at += len(content)

    def taken(self) -> bytes:
        """What was written so far and not taken yet."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content

    def close(self, after: int, rest: bytes) -> bytes:
        """The end of the open object, then cross-references and trailer; ``after`` is where that begins."""
        content = b"%b\nendobj\n" % rest
        start = after + len(content)
        end = b"startxref\n%d\n%%%%EOF\n" % start
        if self._before.is_stream:
            return content + self._stream(start) + end
        return content + self._table() + end

    def _table(self) -> bytes:
        lines = [b"xref\n"]
        for run in _runs(self._places):
            lines.append(b"%d %d\n" % (run[0][0], len(run)))
            lines += [b"%010d %05d n \n" % (self._places[ref], ref[1]) for ref in run]
        return b"%btrailer\n%b\n" % (b"".join(lines), syntax.written(self._trailer()))

    def _stream(self, start: int) -> bytes:
        own = self.new()
        self._places[own] = start
        runs = list(_runs(self._places))
        rows = [
            b"\1%b%b" % (self._places[ref].to_bytes(4, "big"), ref[1].to_bytes(2, "big"))
            for run in runs
            for ref in run
        ]
        head = self._trailer() | {
            b"Type": b"/XRef",
            b"W": b"[1 4 2]",
            b"Index": b"[%b]" % b" ".join([b"%d %d" % (run[0][0], len(run)) for run in runs]),
            b"Length": b"%d" % (7 * len(rows)),
        }
        return b"%d 0 obj\n%bstream\n%b\nendstream\nendobj\n" % (
            own[0],
            syntax.written(head),
            b"".join(rows),
        )

    def _trailer(self) -> dict[bytes, bytes]:
        kept = {
            name: raw for name, raw in self._before.trailer.items() if name in {b"Root", b"Info"}
        }
        return kept | {
            b"ID": self._ids,
            b"Size": b"%d" % self._size,
            b"Prev": b"%d" % self._before.start,
        }


def _runs(places: dict[Ref, int]) -> list[list[Ref]]:
    """The objects in order, those with neighbouring numbers together."""
    runs: list[list[Ref]] = []
    next_number = -1
    for ref in sorted(places):
        if ref[0] == next_number:
            runs[-1].append(ref)
        else:
            runs.append([ref])
        next_number = ref[0] + 1
    return runs
