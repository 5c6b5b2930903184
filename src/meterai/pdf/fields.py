"""The form of a document as far as signatures go: fields, their widgets, and what locks what."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    EncryptedObjAccess,
    IndirectObject,
    PdfObject,
    Reference,
)

from meterai.pdf.document import (
    DEPTH_MAX,
    Page,
    items_of,
    number_of,
    raw_items_of,
    value_at,
)
from meterai.pdf.errors import AlreadyStamped, Certified, SignatureDamaged, TooComplex
from meterai.pdf.geometry import Rectangle, box_of
from meterai.pdf.model import Box

FIELD_PREFIX = "Meterai-"
"""Our signature fields are called so, with the serial behind."""
FIELDS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Field:
    """A terminal form field."""

    name: str
    """Fully qualified, parts joined by points."""
    kind: str
    """``/Tx``, ``/Btn``, ``/Ch``, ``/Sig``; empty when missing."""
    dictionary: DictionaryObject
    value: DictionaryObject | None
    """The signature dictionary of a signed signature field."""

    @property
    def signed(self) -> bool:
        """It is a signature field with a signature in it."""
        return self.kind == "/Sig" and self.value is not None


def dictionary_at(parent: DictionaryObject, key: str) -> DictionaryObject | None:
    """The dictionary under this key, if there is one."""
    found = value_at(parent, key)
    return found if isinstance(found, DictionaryObject) else None


def array_at(parent: DictionaryObject, key: str) -> ArrayObject | None:
    """The array under this key, if there is one."""
    found = value_at(parent, key)
    return found if isinstance(found, ArrayObject) else None


def fields_of(root: DictionaryObject) -> Iterator[Field]:
    """The terminal fields of the form. Raises :class:`TooComplex` for a loop or a well."""
    form = dictionary_at(root, "/AcroForm")
    top = array_at(form, "/Fields") if form is not None else None
    if top is None:
        return
    seen: set[Reference] = set()
    stack = [(raw, "", "", 0) for raw in reversed(list(raw_items_of(top)))]
    while stack:
        raw, prefix, kind, depth = stack.pop()
        if isinstance(raw, IndirectObject):
            if raw.reference in seen:
                continue
            seen.add(raw.reference)
        node = raw.get_object()
        if not isinstance(node, DictionaryObject):
            continue
        if depth > DEPTH_MAX or len(seen) > FIELDS_MAX:
            raise TooComplex
        own = value_at(node, "/T")
        name = prefix if own is None else f"{prefix}.{own}" if prefix else str(own)
        kind = str(value_at(node, "/FT") or kind)
        kids = array_at(node, "/Kids")
        below = [] if kids is None else [kid for kid in raw_items_of(kids) if _is_field(kid)]
        if below:
            stack.extend((kid, name, kind, depth + 1) for kid in reversed(below))
        else:
            value = value_at(node, "/V")
            yield Field(name, kind, node, value if isinstance(value, DictionaryObject) else None)


def _is_field(raw: PdfObject) -> bool:
    """A kid that is a field of its own and not merely a widget has a name."""
    node = raw.get_object()
    return isinstance(node, DictionaryObject) and "/T" in node


def signature_boxes(page: Page) -> list[Box]:
    """What a reader sees of the signature widgets of a page, signed or not; invisible ones left out."""
    annotations = array_at(page.dictionary, "/Annots")
    boxes = []
    for raw in [] if annotations is None else raw_items_of(annotations):
        widget = raw.get_object()
        if (
            not isinstance(widget, DictionaryObject)
            or str(value_at(widget, "/Subtype")) != "/Widget"
        ):
            continue
        if _kind(widget) != "/Sig":
            continue
        rectangle = _rectangle(widget)
        if rectangle is not None:
            boxes.append(box_of(page.frame, rectangle))
    return boxes


def _kind(widget: DictionaryObject) -> str:
    """The type of the field that a widget belongs to; it may stand in a parent."""
    node: object = widget
    for _ in range(DEPTH_MAX):
        if not isinstance(node, DictionaryObject):
            break
        kind = value_at(node, "/FT")
        if kind is not None:
            return str(kind)
        node = value_at(node, "/Parent")
    return ""


def _rectangle(widget: DictionaryObject) -> Rectangle | None:
    corners = array_at(widget, "/Rect")
    if corners is None or len(corners) != 4:
        return None
    a, b, c, d = (number_of(number) for number in items_of(corners))
    if a == c or b == d:
        return None
    return Rectangle(min(a, c), min(b, d), max(a, c), max(b, d))


def certified_level(root: DictionaryObject, fields: list[Field]) -> int | None:
    """The strictest DocMDP level in force (1 no change, 2 forms, 3 comments), or None.

    It stands with a certification (``/Perms``), in a signature's references, or in a field's lock
    (ISO 32000-2 §12.8.2.2, §12.7.5.5).
    """
    levels: list[int] = []
    perms = dictionary_at(root, "/Perms")
    certification = dictionary_at(perms, "/DocMDP") if perms is not None else None
    if certification is not None:
        levels.append(_docmdp(certification) or 2)
    for field in fields:
        if field.signed and field.value is not None:
            level = _docmdp(field.value)
            lock = dictionary_at(field.dictionary, "/Lock")
            locked = value_at(lock, "/P") if lock is not None else None
            levels += [] if level is None else [level]
            levels += [] if locked is None else [int(number_of(locked))]
    return min(levels, default=None)


def _docmdp(signature: DictionaryObject) -> int | None:
    for raw in raw_items_of(array_at(signature, "/Reference") or ArrayObject()):
        reference = raw.get_object()
        if not isinstance(reference, DictionaryObject):
            continue
        if str(value_at(reference, "/TransformMethod")) != "/DocMDP":
            continue
        parameters = dictionary_at(reference, "/TransformParams")
        return int(number_of(value_at(parameters, "/P"), 2)) if parameters is not None else 2
    return None


def serials_of(fields: list[Field]) -> list[str]:
    """The serials of our own marks whose seals are in the document."""
    prefix = FIELD_PREFIX
    return [f.name.removeprefix(prefix) for f in fields if f.signed and f.name.startswith(prefix)]


def check_open(root: DictionaryObject, fields: list[Field]) -> None:
    """Something may still be added without breaking a signature's promise.

    Raises :class:`AlreadyStamped` or :class:`Certified`. Level 2 and 3 are refused too: they allow filling in
    what is there, and a new visible field breaks them for careful validators.
    Raises :class:`SignatureDamaged` for a signature that no validator could even read.
    """
    for field in fields:
        if field.signed and field.value is not None and not _is_readable(field.value):
            raise SignatureDamaged(field=field.name)
    level = certified_level(root, fields)
    if level is None:
        return
    if serials_of(fields):
        raise AlreadyStamped
    raise Certified


def _is_readable(signature: DictionaryObject) -> bool:
    """There are numbers for the signed range and something in DER for the seal."""
    numbers = array_at(signature, "/ByteRange")
    if numbers is None or len(numbers) < 4:
        return False
    if not all(isinstance(number, int) and number >= 0 for number in items_of(numbers)):
        return False
    try:
        contents = signature.raw_get("/Contents", decrypt=EncryptedObjAccess.RAW)
        content = bytes(contents.original_bytes)
    except (KeyError, AttributeError):
        return False
    return content[:1] == b"\x30" and len(content) > 64
