"""The ten signs of a voucher: nine drawn by chance, and one that catches every slip. Pure.

The signs are the elements of GF(32); the last one is the sum of the others, each multiplied by a power of the
primitive element. So every single wrong sign and every two signs that changed places are noticed.
"""

from meterai.ids import draw

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0/O and 1/I: it survives paper and telephone."""
LENGTH = 10
DRAWN = LENGTH - 1
_POLYNOMIAL = 0b100101
"""x^5 + x^2 + 1, primitive over GF(2)."""


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 32 else value


def _check(values: list[int]) -> int:
    total = 0
    for value in values:  # Horner's rule: the first sign gets the highest power
        total = _times_x(total ^ value)
    return total


def new_voucher_code() -> str:
    """A fresh code (45 random bits)."""
    return code_from(draw(len(ALPHABET), DRAWN))


def code_from(chance: bytes) -> str:
    """The code for nine chance values below 32."""
    values = list(chance)
    return "".join(ALPHABET[value] for value in (*values, _check(values)))


def read_code(typed: str) -> str | None:
    """The code somebody typed (small letters, blanks and hyphens forgiven), or None if it is none."""
    plain = "".join(sign for sign in typed.upper() if not sign.isspace() and sign not in "-–.")
    if len(plain) != LENGTH or any(sign not in ALPHABET for sign in plain):
        return None
    values = [ALPHABET.index(sign) for sign in plain]
    return plain if _check(values[:DRAWN]) == values[DRAWN] else None


def shown(code: str) -> str:
    """In two groups for the eye: ``7K4P2 M9QXY``."""
    return f"{code[:5]} {code[5:]}"
