"""How much a stream unpacks to, found out without keeping it: a bomb is refused before anything is drawn."""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from meterai.pdf.errors import TooInflated

CHUNK = 1024 * 1024
COMPRESSING = {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}
_IMAGES = {
    "/DCTDecode", "/DCT", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode", "/CCF", "/Crypt"
}  # fmt: skip
_SPACE = re.compile(rb"[\0\t\n\f\r ]+")


@dataclass(slots=True)
class Budget:
    """How much may still be unpacked in one document; it only shrinks."""

    left: int
    stream_max: int
    """For any one stream."""
    layer_max: int
    """For what is packed twice: the inner layer has to be kept while the outer one is measured."""

    def spend(self, size: int) -> None:
        """So much was unpacked. Raises :class:`TooInflated`."""
        self.left -= size
        if self.left < 0:
            raise TooInflated


def measure(raw: bytes, filters: list[str], budget: Budget) -> None:
    """The stream unpacks to something reasonable. Raises :class:`TooInflated`.

    Damaged data counts as what came out of it; judging it is not our business.
    """
    packed = [name for name in filters if name in COMPRESSING]
    if len(packed) > 3 or len(filters) > 6:
        raise TooInflated
    for place, name in enumerate(filters):
        later = any(after in COMPRESSING for after in filters[place + 1 :])
        if name in _IMAGES or (name not in COMPRESSING and not later):
            return
        raw = _unpacked(raw, name, budget, keep=later)


def _unpacked(raw: bytes, name: str, budget: Budget, *, keep: bool) -> bytes:
    limit = min(budget.layer_max if keep else budget.stream_max, budget.left)
    match name:
        case "/FlateDecode" | "/Fl":
            return _inflated(raw, limit, budget, keep=keep)
        case "/LZWDecode" | "/LZW":
            if keep:
                raise TooInflated  # LZW inside another compression: no honest program does that
            budget.spend(lzw_size(raw, limit))
            return b""
        case "/RunLengthDecode" | "/RL":
            if keep:
                raise TooInflated
            budget.spend(run_length_size(raw, limit))
            return b""
        case "/ASCII85Decode" | "/A85":
            return _ascii85(raw)
        case "/ASCIIHexDecode" | "/AHx":
            return _ascii_hex(raw)
    return b""


def _inflated(raw: bytes, limit: int, budget: Budget, *, keep: bool) -> bytes:
    engine = zlib.decompressobj()
    kept: list[bytes] = []
    size = 0
    try:
        while raw and not engine.eof:
            piece = engine.decompress(raw, CHUNK)
            raw = engine.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise TooInflated
            if keep:
                kept.append(piece)
            if not piece and not raw:
                break
    except zlib.error:
        pass  # readers show what came before the damage
    budget.spend(size)
    return b"".join(kept)


def lzw_size(raw: bytes, limit: int) -> int:
    """Bytes that LZW data unpacks to (ISO 32000-2 §7.4.4); stops counting above ``limit`` with an error."""
    lengths = [1] * 258
    size = before = 0
    width, bits, held = 9, 0, 0
    for byte in raw:
        held = (held << 8 | byte) & 0xFFFFFF
        bits += 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits & (1 << width) - 1
        if code == 256:
            del lengths[258:]
            width, before = 9, 0
            continue
        if code == 257:
            break
        if code < len(lengths):
            length = lengths[code]
        elif before:
            length = before + 1
        else:
            break
        if before and len(lengths) < 4096:
            lengths.append(before + 1)
        before = length
        width = 9 + (len(lengths) > 510) + (len(lengths) > 1022) + (len(lengths) > 2046)
        size += length
        if size > limit:
            raise TooInflated
    return size


def run_length_size(raw: bytes, limit: int) -> int:
    """Bytes that run-length data unpacks to (ISO 32000-2 §7.4.5)."""
    size = place = 0
    while place < len(raw):
        length = raw[place]
        if length == 128:
            break
        if length < 128:
            size += length + 1
            place += length + 2
        else:
            size += 257 - length
            place += 2
        if size > limit:
            raise TooInflated
    return size


def _ascii85(raw: bytes) -> bytes:
    text = _SPACE.sub(b"", raw).removeprefix(b"<~").split(b"~", 1)[0]
    try:
        return base64.a85decode(text)
    except ValueError:
        return b""


def _ascii_hex(raw: bytes) -> bytes:
    text = _SPACE.sub(b"", raw).split(b">", 1)[0]
    try:
        return binascii.unhexlify(text + b"0" * (len(text) % 2))
    except binascii.Error:
        return b""
