"""What stands before and behind a document: nothing may, for readers disagree about where it begins."""

import re

from meterai.pdf.errors import JunkBeforeHeader, NotAPdf, Polyglot, Unreadable

HEADER = re.compile(rb"%PDF-\d\.\d")
HEADER_SEARCH = 16 * 1024
TAIL_MAX = 1024
"""Readers look for the end in so many last bytes; what is longer hides it (ISO 32000-1 Annex H, note 18)."""

_ZIP_END = b"PK\x05\x06"


def check_envelope(document: bytes) -> bool:
    """The document begins at its first byte and ends at its last; True if a few stray bytes follow.

    Raises :class:`NotAPdf`, :class:`JunkBeforeHeader`, :class:`Polyglot`, :class:`Unreadable`.
    """
    if not HEADER.match(document):
        if document.startswith(b"%PDF-"):
            raise Unreadable  # a version that is none
        if b"%PDF-" in document[:HEADER_SEARCH]:
            raise JunkBeforeHeader
        raise NotAPdf
    if ends_as_zip(document):
        raise Polyglot
    end = document.rfind(b"%%EOF")
    if end < 0:
        return False  # no end at all: the reader will say what it thinks of that
    tail = document[end + 5 :].strip(b"\0\t\n\f\r ")
    if len(tail) > TAIL_MAX:
        raise Polyglot
    return bool(tail)


def ends_as_zip(document: bytes) -> bool:
    """The last bytes are the directory of a ZIP file whose comment reaches exactly to the end."""
    place = document.rfind(_ZIP_END, max(0, len(document) - 65_557))
    if place < 0 or place + 22 > len(document):
        return False
    comment = int.from_bytes(document[place + 20 : place + 22], "little")
    return place + 22 + comment == len(document)
