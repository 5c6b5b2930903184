"""QRIS texts: EMVCo merchant-presented QR, tag-length-value with a checksum. Pure.

EMV QRCPS-MPM 1.1; Bank Indonesia's QRIS profile: currency 360, country ID.
"""

import binascii
from dataclasses import dataclass

from meterai.money import Rupiah
from meterai.payment.errors import BadQris


@dataclass(frozen=True, slots=True)
class Qris:
    """What a dynamic QRIS text says."""

    merchant: str
    city: str
    amount: Rupiah | None
    bill: str | None
    """Additional data 62-01: the bill number."""
    dynamic: bool


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE over the text up to and including ``6304``, as four capitals."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def write(fields: list[tuple[str, str]]) -> str:
    """Fields in order as one QRIS text, the checksum added."""
    text = "".join(f"{tag}{len(value):02d}{value}" for tag, value in fields) + "6304"
    return text + checksum(text)


def read(text: str) -> Qris:
    """What the text says. Raises :class:`BadQris` for a wrong checksum, shape or currency."""
    fields = _fields(text)
    if text[-8:-4] != "6304" or checksum(text[:-4]) != text[-4:]:
        raise BadQris
    if fields.get("00") != "01" or fields.get("53") != "360" or fields.get("58") != "ID":
        raise BadQris
    amount = fields.get("54")
    extra = _fields(fields["62"]) if "62" in fields else {}
    if amount is not None and not amount.isdecimal():
        raise BadQris
    return Qris(
        merchant=fields.get("59", ""),
        city=fields.get("60", ""),
        amount=None if amount is None else Rupiah(int(amount)),
        bill=extra.get("01"),
        dynamic=fields.get("01") == "12",
    )


def _fields(text: str) -> dict[str, str]:
    fields = {}
    position = 0
    while position < len(text):
        tag, length = text[position : position + 2], text[position + 2 : position + 4]
        if not (tag.isdecimal() and len(tag) == 2 and length.isdecimal() and len(length) == 2):
            raise BadQris
        end = position + 4 + int(length)
        if end > len(text) or tag in fields:
            raise BadQris
        fields[tag] = text[position + 4 : end]
        position = end
    return fields
