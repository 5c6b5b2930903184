import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from meterai.signing.der import element_at, elements_in, integer, octets, oid, set_of, tlv


@given(st.integers(min_value=0, max_value=2**128))
def test_integers_are_written_as_another_encoder_writes_them(value: int) -> None:
    assert integer(value) == core.Integer(value).dump()


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "2.5.4.3"])
def test_object_identifiers_are_written_as_another_encoder_writes_them(dotted: str) -> None:
    assert oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.binary(max_size=70_000))
def test_what_was_written_is_read_again(content: bytes) -> None:
    written = octets(content)
    tag, at, start, end = element_at(written, 0)
    assert (tag, at, end, written[start:end]) == (0x04, 0, len(written), content)


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_a_set_is_in_ascending_order(contents: list[bytes]) -> None:
    written = set_of(*map(octets, contents))
    _, _, start, end = element_at(written, 0)
    found = [written[e[1] : e[3]] for e in elements_in(written, start, end)]
    assert found == sorted(map(octets, contents))


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x04",
        b"\x04\x02a",
        b"\x04\x80",
        b"\x04\x81\x05hello",  # five fits the short form
        b"\x04\x82\x00\x85" + b"x" * 0x85,
        b"\x04\x85\x01\x00\x00\x00\x00",
        b"\x1f\x81\x01\x00",
    ],
)
def test_what_is_no_der_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|shortest|long"):
        element_at(wrong, 0)


@given(st.binary(max_size=60))
def test_reading_noise_ends_in_elements_or_a_value_error(noise: bytes) -> None:
    try:
        found = elements_in(noise, 0, len(noise))
    except ValueError:
        return
    assert b"".join(noise[e[1] : e[3]] for e in found) == noise


def test_elements_that_do_not_fit_their_frame_are_refused() -> None:
    frame = tlv(0x30, octets(b"abc"))
    with pytest.raises(ValueError, match="fit"):
        elements_in(frame, 2, len(frame) - 1)
