import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.signing.vault import Vault

vault = Vault(bytes(range(32)))


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_was_sealed_opens_in_its_context(plain: bytes, context: bytes) -> None:
    assert vault.open(vault.seal(plain, context), context) == plain


@given(st.binary(max_size=100), st.data())
def test_a_changed_byte_or_another_context_never_opens(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(vault.seal(plain, b"a"))
    with pytest.raises(ValueError, match="context"):
        vault.open(bytes(sealed), b"b")
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError, match="sealed"):
        vault.open(bytes(sealed), b"a")


@pytest.mark.parametrize("junk", [b"", b"\x01", bytes(28), b"\x02" + bytes(60)])
def test_what_was_never_sealed_does_not_open(junk: bytes) -> None:
    with pytest.raises(ValueError, match="sealed"):
        vault.open(junk, b"")


def test_equal_things_look_different_when_sealed() -> None:
    assert vault.seal(b"x", b"") != vault.seal(b"x", b"")


def test_another_secret_opens_nothing_and_finds_nothing() -> None:
    other = Vault(bytes(32))
    with pytest.raises(ValueError, match="context"):
        other.open(vault.seal(b"x", b""), b"")
    assert other.blind_index(b"x", b"phone") != vault.blind_index(b"x", b"phone")
    assert other.short_mac(b"x") != vault.short_mac(b"x")


def test_an_index_finds_the_same_value_for_the_same_purpose_only() -> None:
    assert vault.blind_index(b"0812", b"phone") == vault.blind_index(b"0812", b"phone")
    assert vault.blind_index(b"0812", b"phone") != vault.blind_index(b"0812", b"code")
    assert vault.blind_index(b"0812", b"phone") != vault.blind_index(b"0813", b"phone")
    assert len(vault.blind_index(b"", b"")) == 32


def test_short_codes_are_eight_signs_and_forgive_small_letters() -> None:
    code = vault.short_mac(b"7K4P")
    assert len(code) == 8
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert vault.is_short_mac(b"7K4P", code.lower())
    assert not vault.is_short_mac(b"7K4Q", code)
    assert not vault.is_short_mac(b"7K4P", "é")


def test_keys_never_change() -> None:
    # what is sealed today must open in ten years
    assert vault.short_mac(b"meterai") == "7YED3XJ3"
    assert (
        vault.blind_index(b"meterai", b"test").hex()
        == "cd2f2e63ff52af5d45cac6c3b8f106aec71d91276ec9c7b27ea76f265f6ccd93"
    )


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Vault(b"x" * 31)


def test_a_secret_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    Vault.make_secret(file)
    made = file.read_bytes()
    assert len(made) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Vault.make_secret(file)
    assert file.read_bytes() == made
    Vault(made)
