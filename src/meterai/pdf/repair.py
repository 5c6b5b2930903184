"""The repair road: a document whose structure is broken is written anew by qpdf, when it comes in.

What people see stays; the bytes do not, so it is said before anybody pays, and never done to what is signed or
encrypted. The repaired document is what is kept and stamped: from then on it is a document like any other.
"""

import io

import pikepdf

from meterai.pdf.contents import opened, walk
from meterai.pdf.envelope import ends_as_zip
from meterai.pdf.errors import (
    CannotStamp,
    JunkBeforeHeader,
    NotAPdf,
    Polyglot,
    SignatureDamaged,
    Unreadable,
)
from meterai.pdf.inflation import Budget

REPAIRABLE: tuple[type[CannotStamp], ...] = (Unreadable, JunkBeforeHeader, NotAPdf)
"""What a document is refused for that writing it anew can cure."""


def repaired(document: bytes, budget: Budget, *, objects_max: int) -> bytes:
    """The document written anew, the same bytes for the same document.

    Raises :class:`~meterai.pdf.errors.Unreadable` when nothing can be made of it or it is encrypted,
    :class:`~meterai.pdf.errors.SignatureDamaged` when it carries a signature,
    :class:`~meterai.pdf.errors.Polyglot`, and what a walk over its objects raises.
    """
    if ends_as_zip(document):
        raise Polyglot
    if walk(document, budget, objects_max=objects_max).encrypted:
        raise Unreadable
    out = io.BytesIO()
    with opened(document) as pdf:
        _check_unsigned(pdf)
        # qpdf corrects it, but writes none where none was
        pdf.trailer.Size = len(pdf.objects) + 1
        pdf.save(
            out,
            deterministic_id=True,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            fix_metadata_version=False,
        )
    return out.getvalue()


def _check_unsigned(pdf: pikepdf.Pdf) -> None:
    """Nothing in it looks like a signature, wherever it stands. Raises :class:`SignatureDamaged`."""
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and "/ByteRange" in thing:
            raise SignatureDamaged(field=str(thing.get("/Name", "?")))
