"""The quick reader beside the careful one: it may know less, never more."""

import hashlib
from functools import cache

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.clock import now
from meterai.proving.simulators.time_stamps import Stamper
from meterai.signing.quick_token import Pinned, read_answer
from meterai.signing.signed_data import BadSignedData
from meterai.signing.time_stamps import request_of
from meterai.signing.tokens import read_token
from world import pki

IMPRINT = hashlib.sha256(b"tanda tangan").digest()


@cache
def answer() -> bytes:
    return pki.stamper().answer(request_of(IMPRINT, 7), now(), 1)


def token_in(response: bytes) -> bytes:
    token: bytes = tsp.TimeStampResp.load(response)["time_stamp_token"].dump()
    return token


@cache
def pinned(*, knows_riders: bool = True) -> Pinned:
    certificates = Pinned([pki.stamper().key.chain[0]])
    if knows_riders:
        certificates.pass_riders(token_in(answer()))
    return certificates


def test_both_readers_say_the_same_of_an_ordinary_token() -> None:
    found = read_answer(answer(), IMPRINT, pinned())
    assert found is not None
    assert found.token == token_in(answer())
    assert found.said == read_token(found.token, IMPRINT, [pki.stamper().key.chain[0]])


def test_certificates_never_seen_before_are_for_the_careful_reader() -> None:
    assert read_answer(answer(), IMPRINT, pinned(knows_riders=False)) is None


def test_another_imprint_another_authority_and_a_refusal_are_not_known() -> None:
    assert read_answer(answer(), hashlib.sha256(b"lain").digest(), pinned()) is None
    assert read_answer(answer(), IMPRINT, Pinned([pki.seal_key().chain[0]])) is None
    impostor = Stamper(pki.seal_key()).answer(request_of(IMPRINT, 7), now(), 1)
    assert read_answer(impostor, IMPRINT, Pinned([pki.seal_key().chain[0]])) is None


@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_whatever_the_quick_reader_accepts_the_careful_one_accepts(bit: int) -> None:
    sound, known, certificates = answer(), pinned(), [pki.stamper().key.chain[0]]
    accepted = 0
    for place in range(len(sound)):
        broken = bytearray(sound)
        broken[place] ^= bit
        found = read_answer(bytes(broken), IMPRINT, known)
        if found is not None:
            accepted += 1
            assert read_token(found.token, IMPRINT, certificates) == found.said
    # the status may be "granted with modifications", and the list of digests decides nothing
    assert accepted <= 2


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_noise_is_not_known(noise: bytes) -> None:
    assert read_answer(noise, IMPRINT, pinned()) is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_cut_and_mixed_answers_are_judged_alike(data: st.DataObject) -> None:
    sound = answer()
    start = data.draw(st.integers(0, len(sound)))
    broken = sound[:start] + data.draw(st.binary(max_size=8)) + sound[start + 4 :]
    found = read_answer(broken, IMPRINT, pinned())
    if found is not None and broken != sound:
        try:
            said = read_token(found.token, IMPRINT, [pki.stamper().key.chain[0]])
        except BadSignedData as error:  # pragma: no cover - only when the quick reader is wrong
            pytest.fail(f"accepted what the careful reader refuses: {error.why}")
        assert said == found.said
