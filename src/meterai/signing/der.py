"""Writing and reading DER (ITU-T X.690) by hand: seals and time stamps are mostly constant bytes, and these few
words are all they need.
"""

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


def integer(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, *(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))


Element = tuple[int, int, int, int]
"""Tag, and the offsets of the element, of its contents, and after them."""


def element_at(data: bytes, at: int) -> Element:
    """The element that begins at ``at``. Raises ``ValueError`` where it is no DER, or does not fit."""
    try:
        tag, size = data[at], data[at + 1]
    except IndexError as error:
        raise ValueError("cut off") from error
    start = at + 2
    if size >= 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
        if not 1 <= count <= 4 or size < 0x80 or size >> 8 * (count - 1) == 0:
            raise ValueError("not the shortest length")
    if tag & 0x1F == 0x1F or start + size > len(data):
        raise ValueError("long tag, or cut off")
    return tag, at, start, start + size


def elements_in(data: bytes, start: int, end: int) -> list[Element]:
    """The elements that fill ``data[start:end]`` exactly. Raises ``ValueError``."""
    found = []
    while start < end:
        element = element_at(data, start)
        found.append(element)
        start = element[3]
    if start != end:
        raise ValueError("does not fit")
    return found
