"""What a serial number looks like and which states it passes. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType
from uuid import UUID

SerialNumber = NewType("SerialNumber", str)
"""22 signs of ``[0-9A-Z]``; the last one checks the others."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 22
DRAWN = LENGTH - 1
"""Signs drawn by chance: 36^21 is about 2^108, so no serial is ever guessed or drawn twice."""


class SerialState(Enum):
    """The life of a serial number."""

    ALLOTTED = "allotted"
    """Held by somebody, no document yet; may be revoked."""
    BOUND = "bound"
    """Promised to one document by its SHA-256; not yet in any file that counts."""
    AFFIXED = "affixed"
    """In exactly one settled document. Final."""
    VOID = "void"
    """Never counts, wherever it may be found. Final."""


@dataclass(frozen=True, slots=True)
class Serial:
    """What the registry knows of one serial number; digests are 32 bytes."""

    number: SerialNumber
    state: SerialState
    channel: str
    affixing: UUID | None
    source_sha256: bytes | None
    """Of the document before the stamp."""
    signed_sha256: bytes | None
    """Over the signed range: the same for every copy of the true file."""
    file_sha256: bytes | None
    """Of the whole file handed out, where we keep it."""
    pages: int | None
    affixed_at: datetime | None
    voided_at: datetime | None


def check_sign(drawn: str) -> str:
    """The check character of ISO/IEC 7064 MOD 37,36 over ``drawn``."""
    remainder = 36
    for sign in drawn:
        remainder = (remainder + ALPHABET.index(sign)) % 36 or 36
        remainder = remainder * 2 % 37
    return ALPHABET[(37 - remainder) % 36]


def number_from(chance: bytes) -> SerialNumber:
    """The serial for 21 chance values below 36, each a byte; adds the check character."""
    drawn = "".join(ALPHABET[value] for value in chance)
    return SerialNumber(drawn + check_sign(drawn))


def read_number(typed: str) -> SerialNumber | None:
    """The serial somebody typed or scanned (blanks and hyphens forgiven), or None if it is none."""
    plain = "".join(typed.upper().replace("-", "").split())
    if len(plain) != LENGTH or any(sign not in ALPHABET for sign in plain):
        return None
    return SerialNumber(plain) if check_sign(plain[:DRAWN]) == plain[DRAWN] else None


def grouped(number: str) -> str:
    """In groups of four for the eye: ``7K4P 2M9Q … XY``."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
