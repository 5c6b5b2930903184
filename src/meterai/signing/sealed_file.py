"""A sealed file taken apart: its signatures as the form lists them, and where each stands in the bytes.

The form says which objects are signatures; the bytes around each must then look exactly as a writer leaves
them. What a reader resolves and what stands in the file must be one thing, or the seal is not judged at all.
"""

import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyhanko.pdf_utils.crypt import AuthStatus, StandardSecurityHandler
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    EncryptedObjAccess,
    IndirectObject,
    Reference,
    StreamObject,
    parse_pdf_date,
)
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields

from meterai.signing.report import Reason

FIELD_PREFIX = "Meterai-"
"""Signature fields of ours are called so, with the serial behind."""
OURS_KEY = "/XXMeterai"
"""What is ours in a signature dictionary."""
OBJECT_MAX = 512 * 1024
"""A signature dictionary with the largest gap is far smaller."""


class Unsound(Exception):
    """The file cannot be what it claims; ``reason`` says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """A filled signature field. Nothing about it was checked."""

    field: str
    reference: Reference | None
    """Of the signature dictionary."""
    dictionary: DictionaryObject
    field_dictionary: DictionaryObject
    revision: int
    """Which of the file's revisions last wrote the signature dictionary, 0 the oldest."""

    @property
    def ours(self) -> bool:
        """It claims to be one of our seals."""
        return self.field.startswith(FIELD_PREFIX)


@dataclass(frozen=True, slots=True)
class Range:
    """A signed range whose gap is exactly the seal."""

    gap_start: int
    """Offset of ``<``."""
    gap_end: int
    """Offset after ``>``."""
    end: int
    """Where the signed part ends."""
    seal: bytes
    """The CMS in DER, without padding."""


_ENDING = re.compile(rb"startxref\s+\d+\s+%%EOF")
_ENDING_WITHIN = 64 * 1024
"""ISO 32000-1 §7.5.5 puts it at the very end; common readers look through the last 1 KiB."""


def open_file(data: bytes) -> PdfFileReader:
    """The file, strictly or else leniently read, decrypted if an empty password does it.

    Raises :class:`Unsound` when a password is needed or the file has no end, and whatever the reader
    raises.
    """
    if not _ENDING.search(data, max(0, len(data) - _ENDING_WITHIN)):
        # the reader would look for the last line byte by byte, through the whole file
        raise Unsound(Reason.STRUCTURE_DAMAGED)
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=True)
        _unlock(reader)
        list(enumerate_sig_fields(reader, filled_status=True))
        if (
            not reader.xrefs.hybrid_xrefs_present
        ):  # of which Word makes many; strict reading judges none
            return reader
    except Unsound:
        raise
    except Exception:  # noqa: BLE001, S110 - lenient reading is the second attempt, and what it raises goes on
        pass
    reader = PdfFileReader(io.BytesIO(data), strict=False)
    _unlock(reader)
    return reader


def _unlock(reader: PdfFileReader) -> None:
    if not reader.encrypted:
        return
    handler = reader.security_handler
    if not isinstance(handler, StandardSecurityHandler):
        raise Unsound(Reason.LOCKED)
    if reader.decrypt(b"").status is AuthStatus.FAILED:
        raise Unsound(Reason.LOCKED)


def signatures_in(reader: PdfFileReader) -> list[FoundSignature]:
    """Every filled signature field, oldest first. Raises whatever the reader raises."""
    found = []
    for name, value, field in enumerate_sig_fields(reader, filled_status=True):
        dictionary = value.get_object()
        if not isinstance(dictionary, DictionaryObject):
            raise Unsound(Reason.SEAL_DAMAGED)
        reference = value.reference if isinstance(value, IndirectObject) else None
        revision = -1 if reference is None else int(reader.xrefs.get_last_change(reference))
        found.append(FoundSignature(str(name), reference, dictionary, field.get_object(), revision))
    return sorted(found, key=lambda signature: signature.revision)


def stands_outside_streams(data: bytes, reader: PdfFileReader, word: bytes) -> bool:
    """Whether ``word`` is written in the document itself, not only in something that travels inside it.

    An attached file keeps its own words; stored uncompressed, they can be read in the bytes of the document.
    """
    written = data.count(word)
    if not written:
        return False
    references = {
        reference
        for revision in range(reader.xrefs.total_revisions)
        for reference in reader.xrefs.explicit_refs_in_revision(revision)
    }
    for reference in references:
        if isinstance(reader.xrefs[reference], int):
            written -= _bytes_of_stream(reader, reference).count(word)
    return written > 0


def _bytes_of_stream(reader: PdfFileReader, reference: Reference) -> bytes:
    """As they are written; nothing where no stream can be read, so that it explains no word away."""
    try:
        found = reader.get_object(reference, transparent_decrypt=False)
        return bytes(found.encoded_data or b"") if isinstance(found, StreamObject) else b""
    except Exception:  # noqa: BLE001 - the reader raises whatever strange bytes make it stumble over
        return b""


def empty_fields_at(reader: PdfFileReader, revision: int) -> set[str]:
    """Names of the signature fields that were empty when this revision was written."""
    then = reader.get_historical_resolver(revision)
    return {str(name) for name, _, _ in enumerate_sig_fields(then, filled_status=False)}


_CONTENTS = re.compile(rb"/Contents\s*$")
_RANGE = re.compile(rb"/ByteRange\s*\[\s*0+\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]")
_HEX = re.compile(rb"[0-9A-Fa-f]*")


def range_of(data: bytes, reader: PdfFileReader, signature: FoundSignature) -> Range:
    """The signed range, read from the bytes and compared with what the reader sees.

    Raises :class:`Unsound` with ``SEAL_DAMAGED`` or ``RANGE_WRONG``.
    """
    start = _offset(reader, signature)
    said = [int(number) for number in _numbers(signature.dictionary)]
    if len(said) != 4 or said[0] != 0:
        raise Unsound(Reason.RANGE_WRONG)
    _, gap_start, gap_end, length = said
    end = gap_end + length
    if not start < gap_start < gap_end <= end <= len(data) or gap_end - start > OBJECT_MAX:
        raise Unsound(Reason.RANGE_WRONG)
    before = data[start:gap_start]
    closed = data.find(b"endobj", gap_end)
    after = data[gap_end:closed]
    written = _RANGE.findall(before + b" " + after)
    if (
        b"endobj" in before
        or not _CONTENTS.search(before)
        or (before + after).count(b"/Contents") != 1
        or (before + after).count(b"/ByteRange") != 1
        or [[int(number) for number in numbers] for numbers in written] != [said[1:]]
        # the signed bytes do not say where the gap was: had a dictionary planted before sealing taken it over,
        # the one that was sealed would stand behind it
        or data.find(b"/ByteRange", closed, end) >= 0
    ):
        raise Unsound(Reason.RANGE_WRONG)
    gap = data[gap_start:gap_end]
    if gap[:1] != b"<" or gap[-1:] != b">" or not _HEX.fullmatch(gap, 1, len(gap) - 1):
        raise Unsound(Reason.RANGE_WRONG)
    content = bytes.fromhex(gap[1:-1].decode("ascii") + "0" * (len(gap) % 2))
    if content != _contents(signature.dictionary):
        raise Unsound(Reason.RANGE_WRONG)
    return Range(gap_start, gap_end, end, _without_padding(content))


def _offset(reader: PdfFileReader, signature: FoundSignature) -> int:
    """Where the object of the signature dictionary starts."""
    if signature.reference is None:
        raise Unsound(Reason.SEAL_DAMAGED)
    place = reader.xrefs[signature.reference]
    if not isinstance(place, int):
        raise Unsound(Reason.SEAL_DAMAGED)  # inside an object stream no gap can be left open
    return place


def _numbers(dictionary: DictionaryObject) -> list[Any]:
    found = value_at(dictionary, "/ByteRange")
    if not isinstance(found, ArrayObject):
        raise Unsound(Reason.SEAL_DAMAGED)
    numbers = [found[index] for index in range(len(found))]
    if not all(isinstance(number, int) for number in numbers):
        raise Unsound(Reason.SEAL_DAMAGED)
    return numbers


def _contents(dictionary: DictionaryObject) -> bytes:
    try:
        raw = dictionary.raw_get("/Contents", decrypt=EncryptedObjAccess.RAW)
        content: bytes = raw.original_bytes
    except (KeyError, AttributeError) as error:
        raise Unsound(Reason.SEAL_DAMAGED) from error
    return content


def _without_padding(content: bytes) -> bytes:
    """One DER element; behind it there may only be noughts."""
    if len(content) < 4 or content[0] != 0x30:
        raise Unsound(Reason.SEAL_DAMAGED)
    first = content[1]
    if first < 0x80:
        end = 2 + first
    elif first in {0x81, 0x82, 0x83}:
        size = first & 0x7F
        end = 2 + size + int.from_bytes(content[2 : 2 + size], "big")
    else:
        raise Unsound(Reason.SEAL_DAMAGED)
    if end > len(content) or any(content[end:]):
        raise Unsound(Reason.SEAL_DAMAGED)
    return content[:end]


def value_at(dictionary: DictionaryObject, key: str) -> Any:
    """The resolved value under this key; None when it is missing or null."""
    try:
        return dictionary[key]
    except KeyError:
        return None


@dataclass(frozen=True, slots=True)
class OurEntry:
    """What our engine wrote into the signature dictionary."""

    serials: tuple[str, ...]
    source_bytes: int
    source_sha256: bytes


def our_entry(signature: FoundSignature) -> OurEntry | None:
    """What is ours in the signature dictionary, if it is there and makes sense."""
    ours = value_at(signature.dictionary, OURS_KEY)
    if not isinstance(ours, DictionaryObject):
        return None
    serials, length, digest = (value_at(ours, key) for key in ("/Serials", "/Length", "/SHA256"))
    if not isinstance(serials, ArrayObject) or not isinstance(length, int) or digest is None:
        return None
    sha256 = getattr(digest, "original_bytes", b"")
    return OurEntry(
        tuple(str(serials[index]) for index in range(len(serials))), int(length), bytes(sha256)
    )


def docmdp_level(signature: FoundSignature) -> int | None:
    """The level that the signature certifies, 0 for one that makes no sense, None without any."""
    references = value_at(signature.dictionary, "/Reference")
    if references is None:
        return None
    if not isinstance(references, ArrayObject) or len(references) != 1:
        return 0
    only = references[0]
    if not isinstance(only, DictionaryObject):
        return 0
    parameters = value_at(only, "/TransformParams")
    if str(value_at(only, "/TransformMethod")) != "/DocMDP":
        return 0
    if not isinstance(parameters, DictionaryObject):
        return 0
    level = value_at(parameters, "/P")
    return int(level) if isinstance(level, int) else 0


def is_the_certification(reader: PdfFileReader, signature: FoundSignature) -> bool:
    """The catalogue names this very signature as the one that certifies the document."""
    perms = value_at(reader.root, "/Perms")
    if not isinstance(perms, DictionaryObject):
        return False
    try:
        named = perms.raw_get("/DocMDP")
    except KeyError:
        return False
    return (
        isinstance(named, IndirectObject)
        and signature.reference is not None
        and (named.idnum, named.generation)
        == (signature.reference.idnum, signature.reference.generation)
    )


def claimed_time(signature: FoundSignature) -> datetime | None:
    """``/M`` of the signature dictionary."""
    said = value_at(signature.dictionary, "/M")
    if said is None:
        return None
    try:
        moment: datetime = parse_pdf_date(str(said), strict=False)
    except (ValueError, TypeError, PdfReadError):
        return None
    return moment if moment.tzinfo is not None else None
