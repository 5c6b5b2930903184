"""Opening a document with pyHanko's reader: strictly first, leniently second, never repaired.

This is the one place where the reader's many exceptions become our few. What the lenient reading forgives
(a wrong count, a double key) leaves the bytes as they are; a file whose cross-references are broken is refused,
for a program that repairs it would seal something else than what was handed in.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from pyhanko.pdf_utils.crypt import (
    AuthStatus,
    StandardSecurityHandler,
    StandardSecuritySettingsRevision,
)
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    PdfObject,
    Reference,
    TextStringObject,
)
from pyhanko.pdf_utils.misc import PdfDecodeLimitError
from pyhanko.pdf_utils.reader import PdfFileReader

from meterai.errors import MeteraiError
from meterai.pdf.errors import (
    EncryptionNotSupported,
    NoPages,
    NoSuchPage,
    PasswordNeeded,
    TooComplex,
    TooInflated,
    Unreadable,
)
from meterai.pdf.geometry import PageFrame, Rectangle

PAGES_MAX = 5000
DEPTH_MAX = 60
COORDINATE_MAX = 1e6
LETTER = Rectangle(0, 0, 612, 792)
"""What readers assume of a page without a media box."""

Answer = TypeVar("Answer")


@contextmanager
def reading() -> Iterator[None]:
    """Whatever the reader stumbles over inside is raised as a class below ``CannotStamp``."""
    try:
        yield
    except MeteraiError:
        raise
    except PdfDecodeLimitError as error:
        raise TooInflated from error
    except RecursionError as error:
        raise TooComplex from error
    except NotImplementedError as error:
        raise EncryptionNotSupported from error
    except Exception as error:  # the reader raises whatever strange bytes make it stumble over
        raise Unreadable from error


@dataclass(frozen=True, slots=True)
class Document:
    """An opened document, decrypted if an empty password does it."""

    data: bytes
    reader: PdfFileReader
    strict: bool
    """It was read without forgiving anything."""

    @property
    def encrypted(self) -> bool:
        """It is, and an increment must be too."""
        return bool(self.reader.encrypted)

    @property
    def root(self) -> DictionaryObject:
        """The catalogue."""
        return self.reader.root


def read_document(data: bytes, read: Callable[[Document], Answer]) -> Answer:
    """What ``read`` makes of the document: opened strictly, or leniently where that fails.

    Raises what :func:`reading` and ``read`` raise.
    """
    try:
        with reading():
            return read(_open(data, strict=True))
    except Unreadable:
        with reading():
            return read(_open(data, strict=False))


def _open(data: bytes, *, strict: bool) -> Document:
    reader = PdfFileReader(io.BytesIO(data), strict=strict)
    _unlock(reader)
    return Document(data, reader, strict)


def _unlock(reader: PdfFileReader) -> None:
    """It can be read, with the empty password if it is encrypted.

    Raises :class:`PasswordNeeded`, :class:`EncryptionNotSupported`.
    """
    try:
        if not reader.encrypted:
            return
        known, handler = reader.encrypt_dict, reader.security_handler
        if known is None or not isinstance(handler, StandardSecurityHandler):
            raise PasswordNeeded
        if handler.pdf_mac_enabled or "/AuthCode" in reader.trailer:
            raise EncryptionNotSupported  # ISO/TS 32004: every revision would need a code of its own
        if handler.revision is StandardSecuritySettingsRevision.OTHER:
            raise EncryptionNotSupported  # revision 5, of one version of one program
        revision = handler.revision
        if revision is StandardSecuritySettingsRevision.RC4_OR_AES128 and "/Length" not in known:
            handler.keylen = 16  # known programs leave it out, and all readers take 128 bits then
        if handler.authenticate(b"", id1=first_id(reader)).status is AuthStatus.FAILED:
            raise PasswordNeeded
    except (RecursionError, KeyError, ValueError, TypeError) as error:
        raise EncryptionNotSupported from error


def first_id(reader: PdfFileReader) -> bytes:
    """The part of the document id that enters encryption keys; empty when there is none."""
    known = reader.trailer["/ID"] if "/ID" in reader.trailer else None  # noqa: SIM401 - no dict
    if not isinstance(known, ArrayObject) or len(known) == 0:
        return b""
    first = known[0]
    if not isinstance(first, ByteStringObject | TextStringObject):
        return b""
    return bytes(first.original_bytes)


@dataclass(frozen=True, slots=True)
class Page:
    """One page with what it inherits."""

    number: int
    """1 is the first."""
    reference: Reference | None
    """None for a page written into its parent, which the standard forbids."""
    dictionary: DictionaryObject
    frame: PageFrame


def value_at(dictionary: DictionaryObject, key: str) -> PdfObject | None:
    """The resolved value under this key; None when it is missing or null. ``get`` would not resolve it."""
    try:
        value: PdfObject = dictionary[key]
    except KeyError:
        return None
    return value


def number_of(value: object, default: float | None = None) -> float:
    """A PDF number, or ``default`` for nothing. Raises :class:`Unreadable` for anything else."""
    if value is None and default is not None:
        return default
    if not isinstance(value, int | float | Decimal):
        raise Unreadable
    return float(value)


def items_of(array: ArrayObject) -> Iterator[PdfObject]:
    """The resolved items, which iterating the array itself would not give."""
    return (array[index] for index in range(len(array)))


def raw_items_of(array: ArrayObject) -> Iterator[PdfObject]:
    """The items as they are written: references stay references."""
    return (array.raw_get(index) for index in range(len(array)))


_INHERITED = ("/MediaBox", "/CropBox", "/Rotate")


def pages_of(document: Document) -> list[Page]:
    """All pages in order. Raises :class:`NoPages`, :class:`TooComplex`, :class:`Unreadable`."""
    found = list(_walk(document.root.raw_get("/Pages")))
    if not found:
        raise NoPages
    return found


def shared_pages(pages: list[Page]) -> frozenset[int]:
    """Numbers of pages that stand at several places of the document."""
    counts = Counter(page.reference for page in pages)
    return frozenset(
        page.number for page in pages if page.reference is not None and counts[page.reference] > 1
    )


def page_at(pages: list[Page], number: int) -> Page:
    """The page with this number; -1 is the last. Raises :class:`NoSuchPage`."""
    index = number - 1 if number > 0 else len(pages) + number
    if number == 0 or not 0 <= index < len(pages):
        raise NoSuchPage(page=number, pages=len(pages))
    return pages[index]


def _walk(root: PdfObject) -> Iterator[Page]:
    """Depth first with a stack of our own: a loop or a well is found, not fallen into."""
    number = 0
    branches: set[Reference] = set()
    stack: list[tuple[PdfObject, int, dict[str, PdfObject]]] = [(root, 0, {})]
    while stack:
        raw, depth, above = stack.pop()
        reference = raw.reference if isinstance(raw, IndirectObject) else None
        node = raw.get_object()
        if not isinstance(node, DictionaryObject):
            raise Unreadable
        own = {key: value_at(node, key) for key in _INHERITED}
        inherited = above | {key: value for key, value in own.items() if value is not None}
        kids = value_at(node, "/Kids")
        if kids is None:
            number += 1
            if number > PAGES_MAX:
                raise TooComplex
            yield Page(number, reference, node, _frame(inherited, node))
            continue
        if reference is not None:
            if reference in branches:
                raise Unreadable  # a loop, or a branch at two places
            branches.add(reference)
        if not isinstance(kids, ArrayObject):
            raise Unreadable
        if depth > DEPTH_MAX or max(len(branches), len(stack) + len(kids)) > 2 * PAGES_MAX:
            raise TooComplex
        stack.extend((kid, depth + 1, inherited) for kid in reversed(list(raw_items_of(kids))))


def _frame(inherited: dict[str, PdfObject], page: DictionaryObject) -> PageFrame:
    media = _rectangle(inherited.get("/MediaBox")) or LETTER
    cropped = _rectangle(inherited.get("/CropBox"))
    visible = media if cropped is None else media.meet(cropped) or media
    turned = int(number_of(inherited.get("/Rotate"), 0)) % 360
    unit = number_of(value_at(page, "/UserUnit"), 1)
    return PageFrame(
        visible, turned if turned in {0, 90, 180, 270} else 0, unit if 0 < unit < 1e4 else 1.0
    )


def _rectangle(raw: PdfObject | None) -> Rectangle | None:
    """A rectangle of four numbers in any order of corners (ISO 32000-2 §7.9.5); None for one of no area."""
    if raw is None:
        return None
    if not isinstance(raw, ArrayObject) or len(raw) != 4:
        raise Unreadable
    a, b, c, d = (number_of(number) for number in items_of(raw))
    if a == c or b == d:
        return None
    if max(map(abs, (a, b, c, d))) > COORDINATE_MAX:
        raise Unreadable
    return Rectangle(min(a, c), min(b, d), max(a, c), max(b, d))
