"""A walk over every object of a document with qpdf: bombs refused, scripts and attachments noted."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pikepdf

from meterai.pdf.errors import CannotStamp, PasswordNeeded, TooComplex, TooInflated, Unreadable
from meterai.pdf.findings import Note
from meterai.pdf.inflation import Budget, measure

PIXELS_MAX = 150_000_000
"""A4 scanned at 1200 dpi has 139 million."""

_TRAITS = (
    (re.compile(rb"/JavaScript\b|/JS\b"), Note.JAVASCRIPT),
    (re.compile(rb"/Launch\b"), Note.LAUNCH),
    (re.compile(rb"/EmbeddedFile\b|/EF\b"), Note.EMBEDDED_FILES),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the walk saw."""

    pages: int
    notes: frozenset[Note]
    warnings: int
    """How often qpdf complained."""
    encrypted: bool


def walk(document: bytes, budget: Budget, *, objects_max: int) -> Contents:
    """Every object was looked at once. Raises classes below ``CannotStamp``."""
    with opened(document) as pdf:
        notes = frozenset(_notes_of(pdf, budget, objects_max))
        return Contents(len(pdf.pages), notes, len(pdf.get_warnings()), pdf.is_encrypted)


@contextmanager
def opened(document: bytes) -> Iterator[pikepdf.Pdf]:
    """The document as qpdf reads it; whatever it stumbles over is a class below ``CannotStamp``."""
    try:
        with pikepdf.open(io.BytesIO(document), suppress_warnings=True) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        raise PasswordNeeded from error
    except CannotStamp:
        raise
    except RecursionError as error:
        raise TooComplex from error
    except Exception as error:  # pikepdf hands on whatever qpdf stumbles over
        raise Unreadable from error


def _notes_of(pdf: pikepdf.Pdf, budget: Budget, objects_max: int) -> Iterable[Note]:
    if len(pdf.objects) > objects_max:
        raise TooComplex
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream):
            _weigh(thing, budget)
            written = thing.stream_dict.unparse(resolved=False)
        elif isinstance(thing, pikepdf.Dictionary | pikepdf.Array):
            written = thing.unparse(resolved=True)
        else:
            continue
        for pattern, kind in _TRAITS:
            if pattern.search(written):
                yield kind


def _weigh(stream: pikepdf.Stream, budget: Budget) -> None:
    filters = _filters(stream)
    if str(stream.get("/Subtype", "")) == "/Image" and _pixels(stream) > PIXELS_MAX:
        raise TooInflated
    if filters:
        measure(stream.read_raw_bytes(), filters, budget)


def _filters(stream: pikepdf.Stream) -> list[str]:
    said = stream.get("/Filter")
    if said is None:
        return []
    return [str(name) for name in said] if isinstance(said, pikepdf.Array) else [str(said)]


def _pixels(stream: pikepdf.Stream) -> int:
    try:
        return int(stream.get("/Width", 0)) * int(stream.get("/Height", 0))
    except (TypeError, ValueError):
        return 0
