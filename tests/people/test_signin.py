import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.people.errors import PhoneNotUnderstood
from meterai.people.model import masked_phone, read_phone


@pytest.mark.parametrize(
    "typed",
    ["0812 3456 7890", "62812-3456-7890", "+62 812 3456 7890", "(0812) 34567890", "081234567890"],
)
def test_a_mobile_number_is_understood_however_it_is_written(typed: str) -> None:
    assert read_phone(typed) == "+6281234567890"


@pytest.mark.parametrize(
    "typed", ["", "12345", "021 555 1234", "+1 555 123 4567", "0812", "٠٨١٢٣٤٥٦٧٨٩"]
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(PhoneNotUnderstood):
        read_phone(typed)


@given(st.text(max_size=30))
def test_no_input_breaks_it(typed: str) -> None:
    with contextlib.suppress(PhoneNotUnderstood):
        assert read_phone(typed).startswith("+628")


def test_a_masked_number_cannot_be_called() -> None:
    assert masked_phone("+6281234567890") == "+62812****890"
