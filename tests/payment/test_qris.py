import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.payment import qris
from meterai.payment.errors import BadQris

FIELDS = [("00", "01"), ("01", "12"), ("53", "360"), ("54", "10500"), ("58", "ID")]


def test_the_checksum_is_crc_16_ccitt_false() -> None:
    assert qris.checksum("123456789") == "29B1"


def test_a_written_code_reads_back() -> None:
    text = qris.write([*FIELDS, ("59", "CONTOH"), ("60", "JAKARTA"), ("62", "0105M1234")])
    found = qris.read(text)
    assert (found.amount, found.bill, found.merchant) == (10500, "M1234", "CONTOH")
    assert found.dynamic


@given(st.integers(0, 60), st.sampled_from("0123456789ABCDEF"))
def test_a_changed_sign_is_noticed(position: int, sign: str) -> None:
    text = qris.write([*FIELDS, ("59", "CONTOH"), ("60", "JAKARTA")])
    position %= len(text)
    changed = text[:position] + sign + text[position + 1 :]
    if changed != text:
        with pytest.raises(BadQris):
            qris.read(changed)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(BadQris):
        qris.read(text)
