"""What the reader that will stamp sees in a document: pages, form, signatures, revisions. Nothing is judged."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    PdfObject,
    Reference,
    StreamObject,
)

from meterai.pdf.document import (
    Document,
    Page,
    items_of,
    pages_of,
    raw_items_of,
    shared_pages,
    value_at,
)
from meterai.pdf.errors import CannotStamp, DynamicForm
from meterai.pdf.fields import (
    Field,
    array_at,
    certified_level,
    check_open,
    dictionary_at,
    fields_of,
    serials_of,
    signature_boxes,
)
from meterai.pdf.model import Box, PageShape


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is in the document already; nothing about it was checked."""

    field: str
    kind: str
    """``/SubFilter`` without the slash."""


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """Where a reader sees a signature or a field for one."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Structure:
    """What the reader that will stamp sees in a document."""

    strict: bool
    shapes: tuple[PageShape, ...]
    points: tuple[tuple[float, float], ...]
    """Width and height of the pages in units of their own, as a program sees them that knows no UserUnit."""
    version: str
    signatures: tuple[Signature, ...]
    certified: int | None
    boxes: tuple[SignatureBox, ...]
    serials: tuple[str, ...]
    revisions: int
    shared: frozenset[int]
    """Pages that stand at several places."""
    empty_fields: bool
    static_form: bool
    pdfa: bool
    refusal: CannotStamp | None
    """Why nothing may be added, if so."""


def structure_of(document: Document) -> Structure:
    """What is in ``document``. Raises whatever reading it raises."""
    root = document.root
    pages = pages_of(document)
    fields = list(fields_of(root))
    signature_fields = [field for field in fields if field.kind == "/Sig"]
    form = dictionary_at(root, "/AcroForm")
    xfa = value_at(form, "/XFA") if form is not None else None
    refused: CannotStamp | None = None
    try:
        if xfa is not None and _is_dynamic(root, xfa):
            raise DynamicForm
        check_open(root, fields)
    except CannotStamp as error:
        refused = error
    major, minor = document.reader.input_version
    return Structure(
        strict=document.strict,
        shapes=tuple(page.frame.shape for page in pages),
        points=tuple(_points(page) for page in pages),
        version=f"{major}.{minor}",
        signatures=tuple(_signature(field) for field in signature_fields if field.signed),
        certified=certified_level(root, fields),
        boxes=tuple(_boxes(pages, signature_fields)),
        serials=tuple(serials_of(fields)),
        revisions=_revisions(document),
        shared=shared_pages(pages),
        empty_fields=any(not field.signed for field in signature_fields),
        static_form=xfa is not None,
        pdfa=_claims_pdfa(root),
        refusal=refused,
    )


def _signature(field: Field) -> Signature:
    assert field.value is not None
    return Signature(field.name, str(value_at(field.value, "/SubFilter") or "").lstrip("/"))


def _boxes(pages: list[Page], fields: list[Field]) -> Iterator[SignatureBox]:
    """Widgets are looked for only where a page points to one: pages full of links cost nothing."""
    wanted = {reference for field in fields for reference in _widgets(field)}
    for page in pages if wanted else ():
        annotations = array_at(page.dictionary, "/Annots")
        if annotations is None:
            continue
        if any(getattr(raw, "reference", None) in wanted for raw in raw_items_of(annotations)):
            yield from (SignatureBox(page.number, box) for box in signature_boxes(page))


def _widgets(field: Field) -> Iterator[Reference]:
    kids = array_at(field.dictionary, "/Kids")
    for raw in () if kids is None else raw_items_of(kids):
        reference = getattr(raw, "reference", None)
        if reference is not None:
            yield reference
    container = field.dictionary.container_ref
    if isinstance(container, Reference):
        yield container


def _is_dynamic(root: DictionaryObject, xfa: PdfObject) -> bool:
    """The pages are laid out by the reader (ISO 32000-1 §12.7.8, XFA 3.3 §dynamicRender)."""
    if bool(value_at(root, "/NeedsRendering")):
        return True
    parts = items_of(xfa) if isinstance(xfa, ArrayObject) else iter((xfa,))
    return any(
        b"dynamicRender>required" in part.data for part in parts if isinstance(part, StreamObject)
    )


def _revisions(document: Document) -> int:
    """How often the file was saved; a linearized file has two cross-reference sections from the start."""
    sections = int(document.reader.total_revisions)
    return sections - 1 if sections > 1 and b"/Linearized" in document.data[:1024] else sections


def _claims_pdfa(root: DictionaryObject) -> bool:
    metadata = value_at(root, "/Metadata")
    return isinstance(metadata, StreamObject) and b"pdfaid" in metadata.data


def _points(page: Page) -> tuple[float, float]:
    shape = page.frame.shape
    return shape.width_mm / page.frame.mm, shape.height_mm / page.frame.mm
