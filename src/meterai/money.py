"""Rupiah and units: whole numbers, never fractions."""

from typing import NewType

Rupiah = NewType("Rupiah", int)
"""Whole rupiah (IDR has no smaller unit in use)."""

Units = NewType("Units", int)
"""Pieces of e-meterai (*keping*)."""


def grouped(amount: int) -> str:
    """``10000`` becomes ``"10.000"`` (CLDR ``id``: the group sign is a point)."""
    return f"{amount:,}".replace(",", ".")


def rupiah(amount: int) -> str:
    """``10000`` becomes ``"Rp10.000"``; a negative amount gets its sign in front."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{grouped(abs(amount))}"
