"""How an altered file was changed, as far as its bytes tell: said after the verdict, and deciding nothing."""

from collections.abc import Iterator

from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    PdfObject,
    Reference,
)
from pyhanko.pdf_utils.reader import PdfFileReader

from meterai.signing.report import Change, Outcome, Reason, SignatureReport
from meterai.signing.sealed_file import open_file

LOOKED_AT_MAX = 20_000
"""Objects of a file that are followed; a larger one is said to be overlaid, which is the graver."""


def change_in(data: bytes, report: SignatureReport) -> Change | None:
    """What was done to the file of this report; None where nothing was. Never raises."""
    if report.outcome is not Outcome.ALTERED:
        return None
    if report.last_good_bytes is not None:
        return _behind(data, report.last_good_bytes)
    if Reason.CONTENT_DAMAGED in report.reasons:
        return Change.CONTENT
    return Change.RESAVED if Reason.RANGE_WRONG in report.reasons else Change.SEAL


def _behind(data: bytes, end: int) -> Change:
    """Whether what follows the sealed part reaches what the pages show."""
    if data.find(b"obj", end) < 0:
        return Change.APPENDED
    try:
        reader = open_file(data)
        reached = any(_is_behind(reader, reference, end) for reference in _seen_on_pages(reader))
    except Exception:  # noqa: BLE001 - whatever a reader stumbles over, the graver is said
        return Change.OVERLAID
    return Change.OVERLAID if reached else Change.APPENDED


def _is_behind(reader: PdfFileReader, reference: Reference, end: int) -> bool:
    """This object was written behind the sealed part."""
    place = reader.xrefs[reference]
    if not isinstance(place, int):  # in an object stream
        place = reader.xrefs[Reference(place.obj_stream_id, 0, reader)]
    return isinstance(place, int) and place >= end


def _seen_on_pages(reader: PdfFileReader) -> Iterator[Reference]:
    """Every object that the page tree leads to: contents, fonts, pictures, annotations and their looks."""
    waiting: list[PdfObject] = [reader.root.raw_get("/Pages")]
    met: set[tuple[int, int]] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, IndirectObject):
            key = value.idnum, value.generation
            if key in met:
                continue
            met.add(key)
            if len(met) > LOOKED_AT_MAX:
                raise OverflowError
            yield value.reference
            value = value.get_object()
        if isinstance(value, DictionaryObject):
            waiting += [
                value.raw_get(name) for name in value if name not in {"/Parent", "/P", "/V"}
            ]
        elif isinstance(value, ArrayObject):
            waiting += [value.raw_get(index) for index in range(len(value))]
