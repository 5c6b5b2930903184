"""Writing DER (ITU-T X.690) by hand: a seal is mostly constant bytes, and these five words are all it needs."""

SEQUENCE = 0x30
SET = 0x31


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element: tag, shortest length, contents."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def set_of(*elements: bytes, tag: int = SET) -> bytes:
    """A SET OF: its elements in ascending order of their encodings (X.690 §11.6)."""
    return tlv(tag, *sorted(elements))


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(0x04, value)


def small_integer(value: int) -> bytes:
    """An INTEGER between 0 and 127."""
    return bytes((0x02, 0x01, value))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, *(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))
