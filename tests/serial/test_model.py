from hypothesis import given
from hypothesis import strategies as st

from meterai.serial.model import ALPHABET, LENGTH, check_sign, grouped, number_from, read_number

drawn_values = st.binary(min_size=21, max_size=21).map(lambda b: bytes(v % 36 for v in b))


@given(drawn_values)
def test_a_serial_reads_back_as_itself_also_when_typed_loosely(chance: bytes) -> None:
    number = number_from(chance)
    assert len(number) == LENGTH
    assert read_number(number) == number
    assert read_number(grouped(number).lower()) == number


@given(drawn_values, st.integers(0, 21), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_always_noticed(chance: bytes, position: int, sign: str) -> None:
    number = number_from(chance)
    wrong = number[:position] + sign + number[position + 1 :]
    assert (read_number(wrong) == number) == (wrong == number)
    if wrong != number:
        assert read_number(wrong) is None


@given(drawn_values, st.integers(0, 20))
def test_two_neighbours_swapped_are_noticed(chance: bytes, position: int) -> None:
    number = number_from(chance)
    a, b = number[position], number[position + 1]
    swapped = number[:position] + b + a + number[position + 2 :]
    if a != b:
        assert read_number(swapped) is None


def test_the_check_sign_is_the_one_of_iso_7064_mod_37_36() -> None:
    # Example of the standard's hybrid system as used by the Global Release Identifier.
    assert check_sign("A12425GABC1234002") == "M"


def test_what_is_no_serial_is_none() -> None:
    assert read_number("") is None
    assert read_number("7K4P-2M") is None
    assert read_number("é" * 22) is None
