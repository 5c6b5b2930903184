from hypothesis import given
from hypothesis import strategies as st

from meterai.channel.voucher_code import (
    ALPHABET,
    DRAWN,
    LENGTH,
    code_from,
    new_voucher_code,
    read_code,
    shown,
)

codes = st.binary(min_size=DRAWN, max_size=DRAWN).map(lambda b: code_from(bytes(v % 32 for v in b)))


@given(codes)
def test_a_code_is_read_however_it_is_typed(code: str) -> None:
    assert len(code) == LENGTH
    assert read_code(code) == code
    assert read_code(f" {shown(code).lower()}") == code
    assert read_code(f"{code[:3]}-{code[3:]}") == code


@given(codes, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_any_one_wrong_sign_is_noticed(code: str, place: int, sign: str) -> None:
    typed = code[:place] + sign + code[place + 1 :]
    assert read_code(typed) == (code if typed == code else None)


@given(codes, st.data())
def test_any_two_signs_that_changed_places_are_noticed(code: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, LENGTH - 2))
    second = data.draw(st.integers(first + 1, LENGTH - 1))
    signs = list(code)
    signs[first], signs[second] = signs[second], signs[first]
    typed = "".join(signs)
    assert read_code(typed) == (code if typed == code else None)


@given(st.text(max_size=14))
def test_what_is_no_code_is_none(typed: str) -> None:
    found = read_code(typed)
    assert found is None or len(found) == LENGTH


def test_drawn_codes_differ() -> None:
    assert len({new_voucher_code() for _ in range(1000)}) == 1000
