import base64
import io
import zlib

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.pdf.errors import TooInflated
from meterai.pdf.inflation import Budget, lzw_size, measure, run_length_size
from world import hostile


def budget(left: int = 10_000) -> Budget:
    return Budget(left, left, left)


def lzw(content: bytes) -> bytes:
    """A plain encoder (ISO 32000-2 §7.4.4.2, early change 1)."""
    table = {bytes((byte,)): byte for byte in range(256)}
    codes, width, held = [(256, 9)], 9, b""
    next_code = 258
    for byte in content:
        longer = held + bytes((byte,))
        if longer in table:
            held = longer
            continue
        codes.append((table[held], width))
        table[longer] = next_code
        next_code += 1
        width = 9 + (next_code > 511) + (next_code > 1023) + (next_code > 2047)
        if next_code == 4094:
            codes.append((256, width))
            table = {bytes((b,)): b for b in range(256)}
            next_code, width = 258, 9
        held = bytes((byte,))
    if held:
        codes.append((table[held], width))
        next_code += 1
        width = 9 + (next_code > 511) + (next_code > 1023) + (next_code > 2047)
    codes.append((257, width))
    bits = "".join(format(code, f"0{wide}b") for code, wide in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@given(st.binary(max_size=3000) | st.integers(0, 20_000).map(bytes))
def test_the_size_of_lzw_data_is_counted_exactly(content: bytes) -> None:
    packed = lzw(content)
    assert lzw_size(packed, 10**6) == len(content)


def test_our_encoder_is_understood_by_others() -> None:
    content = b"meterai " * 3000
    document = hostile.assembled(
        {1: hostile.CATALOGUE, 2: hostile.PAGES, 3: hostile.PAGE,
         4: hostile.stream(lzw(content), b"/Filter/LZWDecode")}
    )  # fmt: skip
    with pikepdf.open(io.BytesIO(document)) as pdf:
        assert pdf.get_object((4, 0)).read_bytes() == content


@given(st.binary(max_size=500))
def test_counting_damaged_data_never_fails(noise: bytes) -> None:
    lzw_size(noise, 10**9)
    run_length_size(noise, 10**9)
    for name in (
        "/FlateDecode",
        "/LZWDecode",
        "/RunLengthDecode",
        "/ASCII85Decode",
        "/ASCIIHexDecode",
    ):
        measure(
            noise, [name, "/FlateDecode"] if name.startswith("/ASCII") else [name], budget(10**9)
        )


def test_what_fits_is_taken_from_the_budget() -> None:
    purse = budget(1000)
    measure(zlib.compress(bytes(400)), ["/FlateDecode"], purse)
    assert purse.left == 600
    with pytest.raises(TooInflated):
        measure(zlib.compress(bytes(601)), ["/FlateDecode"], purse)


def test_ascii_around_a_bomb_hides_nothing() -> None:
    packed = zlib.compress(bytes(100_000))
    for name, text in (
        ("/ASCIIHexDecode", packed.hex().encode() + b">"),
        ("/ASCII85Decode", base64.a85encode(packed) + b"~>"),
    ):
        with pytest.raises(TooInflated):
            measure(text, [name, "/FlateDecode"], budget(99_999))
        measure(text, [name, "/FlateDecode"], budget(100_000))


def test_too_many_filters_are_no_honest_stream() -> None:
    with pytest.raises(TooInflated):
        measure(b"", ["/FlateDecode"] * 4, budget())
    with pytest.raises(TooInflated):
        measure(b"", ["/ASCIIHexDecode"] * 7, budget())


def test_pictures_are_left_to_their_own_limits() -> None:
    measure(b"\xff\xd8", ["/DCTDecode"], budget(0))


def test_run_lengths_are_counted() -> None:
    assert run_length_size(b"\x02abc\xfe\x00\x80garbage", 100) == 6
