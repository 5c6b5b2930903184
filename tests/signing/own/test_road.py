"""The fast road: it says *sound* or nothing, and never what the careful road would not say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meterai.clock import now
from meterai.pdf.increment import Slot
from meterai.pdf.model import Place
from meterai.signing import validation
from meterai.signing.own.road import examine_own
from meterai.signing.own.syntax import dictionary
from meterai.signing.report import CheckName, Outcome, Profile, Reason, Result, SignatureReport
from meterai.signing.validation import examine, examine_carefully, examine_twice
from world import documents, planting, tampering
from world.documents import OTHER_SERIAL, mark, request
from world.revocation import lists
from world.sealed import sealed, trust

ORDINARY = dict(documents.ordinary())
MIDDLE = Place(-1, 100, 150)
ELSEWHERE = {"form", "encrypted-rc4", "encrypted-aes128", "encrypted-aes256", "encrypted-form"}
"""Shapes that only the careful road reads."""


def own(data: bytes) -> SignatureReport | None:
    return examine_own(data, trust(), now())


def both(data: bytes) -> tuple[SignatureReport | None, SignatureReport]:
    at = now()
    return examine_own(data, trust(), at), examine_carefully(data, trust(), at)


@pytest.mark.parametrize("shape", ORDINARY)
async def test_both_roads_say_the_same_of_an_untouched_stamp(shape: str) -> None:
    fast, careful = both(await sealed(ORDINARY[shape], request(mark(place=MIDDLE))))
    assert careful.outcome is Outcome.SOUND
    assert (fast is None) is (shape in ELSEWHERE)
    assert fast is None or replace(fast, checks=careful.checks) == careful


async def test_several_marks_and_open_slots_take_the_fast_road_too() -> None:
    marks = (mark(place=Place(1, 20, 240)), mark(OTHER_SERIAL, Place(1, 60, 240)))
    slots = (Slot("penyewa", Place(1, 20, 200), 50, 20),)
    for asked, profile in (
        (request(*marks), Profile.FINAL),
        (request(certify=2, slots=slots), Profile.OPEN),
    ):
        fast, careful = both(await sealed(asked=asked))
        assert fast is not None
        assert fast.profile is profile
        assert replace(fast, checks=careful.checks) == careful


async def test_an_approval_is_left_to_the_careful_road() -> None:
    fast, careful = both(await sealed(asked=request(certify=None)))
    assert fast is None
    assert careful.outcome is Outcome.SOUND


async def test_the_fast_road_says_that_it_asked_no_second_engine() -> None:
    fast = own(await sealed())
    assert fast is not None
    unchecked = {check.name for check in fast.checks if check.result is Result.NOT_CHECKED}
    assert unchecked == {CheckName.SECOND_OPINION, CheckName.OTHER_SIGNERS, CheckName.REGISTRY}
    assert {check.name for check in fast.checks if check.result is Result.PASSED} == (
        set(CheckName) - unchecked
    )


@pytest.mark.parametrize("attack", tampering.CHANGES)
async def test_the_fast_road_calls_no_attack_sound(attack: str) -> None:
    slots = (Slot("penyewa", Place(1, 20, 200), 50, 20),)
    for asked in (request(), request(certify=2, slots=slots)):
        if attack == "permission widened" and asked.certify == 2:
            continue  # there is no narrower permission to widen
        assert own(tampering.CHANGES[attack][0](await sealed(asked=asked))) is None


_SEALED = asyncio.run(sealed())
_START, _END = tampering.gap(_SEALED)


@given(st.integers(0, len(_SEALED) - 1), st.integers(0, 7))
@example(_START + 1, 0)
@settings(max_examples=600, deadline=None)
def test_a_flipped_bit_is_never_sound_on_the_fast_road_alone(place: int, bit: int) -> None:
    changed = tampering.flipped(_SEALED, place, 1 << bit)
    fast = own(changed)
    if fast is not None:
        # nothing but the case of a hexadecimal letter
        assert _START < place < _END
        careful = examine_carefully(changed, trust(), now())
        assert replace(fast, checks=careful.checks) == careful


@given(st.integers(0, len(_SEALED)), st.integers(0, 400), st.binary(max_size=40), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_cut_or_a_splice_is_never_sound(at: int, drop: int, put: bytes, copy: bool) -> None:
    put = _SEALED[at : at + len(put)] if copy else put
    changed = _SEALED[:at] + put + _SEALED[at + drop :]
    assert own(changed) is None or changed == _SEALED


async def test_a_gap_taken_over_by_a_dictionary_planted_before_sealing_is_no_seal() -> None:
    trap = await planting.sprung()
    assert own(trap.whole) is not None  # as it was sealed it is genuine
    fast, careful = both(trap.sprung)
    assert fast is None
    assert careful.outcome is Outcome.ALTERED
    assert Reason.RANGE_WRONG in careful.reasons


async def test_a_stale_list_and_a_revoked_signer_leave_the_fast_road() -> None:
    whole = await sealed()
    at = now()
    assert examine_own(whole, trust(), at) is not None
    for changed in (
        replace(trust(), revocations=()),
        replace(trust(), revocations=lists(ends=at - timedelta(hours=1))),
        replace(trust(), seals=trust().time_stamps),
        replace(trust(), time_stamps=trust().seals),
        replace(trust(), roots=trust().seals),
    ):
        assert examine_own(whole, changed, at) is None
    assert examine_own(whole, trust(), at + timedelta(days=6 * 365)) is None
    assert examine_own(whole, trust(), at - timedelta(days=30)) is None


async def test_what_was_remembered_of_one_trust_says_nothing_in_another() -> None:
    whole = await sealed()
    assert own(whole) is not None
    stranger = replace(trust(), seals=())
    assert examine(whole, stranger, now()).outcome is Outcome.FOREIGN_SIGNER


@pytest.mark.parametrize(
    "lie",
    [
        lambda report: replace(report, serials=(OTHER_SERIAL,)),
        lambda report: replace(report, signed_sha256=bytes(32)),
        lambda report: replace(report, time_stamp=None),
    ],
)
async def test_where_the_roads_disagree_a_person_must_look(
    lie: Callable[[SignatureReport], SignatureReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, at = await sealed(), now()
    assert examine_twice(whole, trust(), at) == examine_carefully(whole, trust(), at)
    said = own(whole)
    assert said is not None
    monkeypatch.setattr(validation, "examine_own", lambda *_: lie(said))
    report = examine_twice(whole, trust(), at)
    assert report.outcome is Outcome.NEEDS_REVIEW
    assert report.reasons[0] is Reason.ENGINES_DISAGREE


async def test_sound_on_the_fast_road_alone_asks_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = own(await sealed())
    monkeypatch.setattr(validation, "examine_own", lambda *_: said)
    report = examine_twice(tampering.overlaid(await sealed()), trust(), now())
    assert report.outcome is Outcome.NEEDS_REVIEW
    assert Reason.ENGINES_DISAGREE in report.reasons


@pytest.mark.parametrize(
    "written",
    [
        b"<</Info 5 0 R/Root 4 0 R/ID [<1c><64>]/Size 13>>",
        b"<< /Info 5 0 R /Root 4 0 R\n/Size 13 >>",
    ],
)
def test_dense_and_spaced_dictionaries_read_the_same(written: bytes) -> None:
    spans, end = dictionary(written)
    assert (spans[b"Info"], spans[b"Root"], spans[b"Size"]) == (b"5 0 R", b"4 0 R", b"13")
    assert end == len(written)
