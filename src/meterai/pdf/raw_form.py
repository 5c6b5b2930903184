"""The form of a document read as raw spans, as far as signatures go; see :mod:`meterai.pdf.fields`."""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai.pdf import syntax
from meterai.pdf.document import DEPTH_MAX
from meterai.pdf.fields import FIELDS_MAX
from meterai.pdf.geometry import box_of
from meterai.pdf.model import Box
from meterai.pdf.raw import RawDocument, RawPage
from meterai.pdf.road import Oddity, Unusual
from meterai.pdf.section import Ref
from meterai.pdf.syntax import Spans


def form_of(raw: RawDocument, root: Spans) -> Spans:
    """The form of the document, empty if there is none; nothing is signed, certified or made by a program."""
    if b"Perms" in root or b"NeedsRendering" in root:
        raise Unusual(Oddity.SIGNED)
    if b"AcroForm" not in root:
        return {}
    form = raw.spans_of(root[b"AcroForm"])
    if b"XFA" in form:
        raise Unusual(Oddity.XFA)
    return form


@dataclass(frozen=True, slots=True)
class RawField:
    """A terminal form field."""

    name: str
    """Fully qualified, parts joined by points."""
    kind: bytes
    """``/Tx``, ``/Btn``, ``/Ch``, ``/Sig``; empty when missing."""
    ref: Ref
    widgets: list[Ref]
    """Kids that are mere widgets."""


def fields_of(raw: RawDocument, form: Spans) -> Iterator[RawField]:
    """The fields of the form, of which none is signed."""
    if not form:
        return
    top = syntax.references(raw.array(form, b"Fields"))
    stack = [(ref, "", b"", 0) for ref in reversed(top)]
    seen: set[Ref] = set()
    while stack:
        ref, prefix, kind, depth = stack.pop()
        if ref in seen:
            raise Unusual(Oddity.FORM)
        seen.add(ref)
        if depth > DEPTH_MAX or len(seen) > FIELDS_MAX:
            raise Unusual(Oddity.DEEP)
        node = raw.dictionary(ref)
        own = syntax.text(raw.value(node[b"T"])) if b"T" in node else ""
        name = f"{prefix}.{own}" if prefix and own else prefix or own
        kind = raw.value(node[b"FT"]) if b"FT" in node else kind
        if kind == b"/Sig" and b"V" in node:
            raise Unusual(Oddity.SIGNED)
        kids = syntax.references(raw.array(node, b"Kids"))
        below = [kid for kid in kids if b"T" in raw.dictionary(kid)]
        if below:
            stack.extend((kid, name, kind, depth + 1) for kid in reversed(below))
        else:
            yield RawField(name, kind, ref, kids)


def signature_boxes(raw: RawDocument, page: RawPage, array: bytes) -> Iterator[Box]:
    """What a reader sees of the fields for signatures on a page."""
    for item in syntax.items(array):
        if item == b"null":
            continue
        widget = raw.spans_of(item)
        if widget.get(b"Subtype") == b"/Widget" and _kind(raw, widget) == b"/Sig":
            corners = syntax.numbers(raw.value(widget[b"Rect"]))
            if len(set(corners[0::2])) == len(set(corners[1::2])) == 2:
                yield box_of(page.frame, raw.rectangle(widget[b"Rect"]))


def _kind(raw: RawDocument, widget: Spans) -> bytes:
    """The type of the field that a widget belongs to; it may stand in a parent."""
    node = widget
    for _ in range(DEPTH_MAX):
        if b"FT" in node:
            return raw.value(node[b"FT"])
        if b"Parent" not in node:
            return b""
        node = raw.spans_of(node[b"Parent"])
    raise Unusual(Oddity.DEEP)
