"""Names for things: sortable ids, secret links, short codes. The only file that draws them."""

import base64
import secrets
from uuid import UUID

from meterai.clock import now_ms

_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs without 0/O and 1/I, so that a code survives a telephone call."""


def new_id() -> UUID:
    """A fresh UUID version 7 (RFC 9562 §5.7): sorts by time of birth, 74 random bits."""
    value = now_ms() << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def kin(id: UUID, number: int) -> UUID:
    """Another id that belongs to ``id``: the same for the same number (1 to 255), sorting beside it.

    What is derived so makes a repetition harmless: the hold of an affixing is always its kin 1.
    """
    return UUID(int=id.int ^ number)


def new_token() -> str:
    """A secret link or session of 128 random bits, 22 characters of base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def new_code() -> str:
    """A short code such as ``7K4P-2M`` (30 bits): it shows status only, never opens a file."""
    drawn = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(6))
    return f"{drawn[:4]}-{drawn[4:]}"


def tidy_code(typed: str) -> str:
    """What somebody typed, in the form :func:`new_code` gives: capitals, one hyphen, no blanks."""
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    return f"{plain[:4]}-{plain[4:6]}"


def draw(base: int, length: int) -> bytes:
    """``length`` values below ``base``, each a byte, drawn evenly."""
    value = secrets.randbelow(base**length)
    drawn = bytearray(length)
    for position in range(length):
        value, drawn[position] = divmod(value, base)
    return bytes(drawn)
