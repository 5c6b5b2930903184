import asyncio
import csv
import hashlib
import os
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.clock import now
from meterai.pdf import fields
from meterai.pdf.increment import Prepared, Slot, prepare
from meterai.pdf.model import Place
from meterai.pdf.request import OURS_KEY
from meterai.proving.pki import SEAL, make_pki, read_issued
from meterai.proving.pki import issue as issue_certificate
from meterai.signing import sealed_file
from meterai.signing.keys import FileKey, algorithm_of
from meterai.signing.report import CheckName, Outcome, Profile, Reason, Result
from meterai.signing.seal import Sealer
from meterai.signing.trust import Trust
from meterai.signing.validation import (
    SignatureReport,
    examine,
    examine_carefully,
    examine_twice,
)
from world import documents, hostile, luring, pki, signers, tampering
from world.documents import OTHER_SERIAL, SERIAL, letter, mark, request
from world.revocation import lists, revoked
from world.sealed import certificates_in, filled, judged, reasons, sealed, trust

ORDINARY = dict(documents.ordinary())
MIDDLE = Place(-1, 100, 150)


# --- what is untouched ---


@pytest.mark.parametrize("shape", ORDINARY)
async def test_an_untouched_stamp_is_sound(shape: str) -> None:
    prepared = prepare(ORDINARY[shape], request(mark(place=MIDDLE)))
    report = judged(await filled(prepared))
    assert report.outcome is Outcome.SOUND, report.reasons
    assert report.reasons == ()
    assert report.serials == (SERIAL,)
    assert report.field == f"Meterai-{SERIAL}"
    assert report.profile is Profile.FINAL
    assert report.signed_sha256 == prepared.digest
    assert report.source_sha256 == prepared.source_sha256
    assert report.signing_time == documents.SIGNED_AT
    assert report.time_stamp is not None
    assert "CONTOH Meterai Elektronik" in (report.signer or "")


async def test_a_report_says_what_was_not_checked() -> None:
    report = judged(await sealed())
    unchecked = {check.name for check in report.checks if check.result is Result.NOT_CHECKED}
    asked_twice = examine_twice(await sealed(), trust(), now())
    both = {check.name for check in asked_twice.checks if check.result is Result.NOT_CHECKED}
    assert both == {CheckName.REGISTRY, CheckName.OTHER_SIGNERS}
    assert unchecked == both | {CheckName.SECOND_OPINION}
    assert {check.name for check in report.checks} == set(CheckName)


async def test_several_marks_are_all_named() -> None:
    marks = (mark(place=Place(1, 20, 240)), mark(OTHER_SERIAL, Place(1, 60, 240)))
    report = judged(await sealed(asked=request(*marks)))
    assert report.outcome is Outcome.SOUND
    assert report.serials == (SERIAL, OTHER_SERIAL)


async def test_a_stamp_still_to_be_signed_is_sound_before_anybody_signs() -> None:
    report = judged(await sealed(asked=with_slots()))
    assert (report.outcome, report.profile) == (Outcome.SOUND, Profile.OPEN)


async def test_an_approval_is_sound() -> None:
    report = judged(await sealed(asked=request(certify=None)))
    assert (report.outcome, report.profile) == (Outcome.SOUND, Profile.APPROVAL)


async def test_a_second_stamp_by_another_party_names_both() -> None:
    first = await sealed(asked=request(certify=None))
    both = await sealed(first, request(mark(OTHER_SERIAL, Place(1, 20, 240)), certify=None))
    report = judged(both)
    assert report.outcome is Outcome.SOUND, report.reasons
    assert report.serials == (OTHER_SERIAL,)
    assert report.earlier_serials == (SERIAL,)


async def test_a_report_crosses_a_process_border_unharmed() -> None:
    for data in (await sealed(), letter(), b"", hostile.nested(), (await sealed())[:-3]):
        report = judged(data)
        assert msgspec.json.decode(msgspec.json.encode(report), type=SignatureReport) == report


# --- what was changed ---


@pytest.mark.parametrize("attack", tampering.CHANGES)
async def test_every_attack_is_rejected_with_its_reason(attack: str) -> None:
    whole = await sealed()
    change, reason = tampering.CHANGES[attack]
    changed = change(whole)
    assert changed != whole
    report = judged(changed)
    assert report.outcome is not Outcome.SOUND
    assert reason in reasons(report)


@pytest.mark.parametrize(
    "attack", [name for name, (_, reason) in tampering.CHANGES.items() if reason == "changed_after_seal"]
)  # fmt: skip
async def test_what_was_sealed_can_be_cut_out_again(attack: str) -> None:
    whole = await sealed()
    report = judged(tampering.CHANGES[attack][0](whole))
    assert report.outcome is Outcome.ALTERED
    assert report.last_good_bytes == len(whole)


@pytest.mark.parametrize("attack", tampering.CHANGES)
@pytest.mark.parametrize("certify", [2, None])
async def test_attacks_on_an_open_document_are_rejected_too(
    attack: str, certify: int | None
) -> None:
    whole = await sealed(asked=with_slots() if certify == 2 else request(certify=None))
    if attack == "permission widened":
        pytest.skip("there is no narrower permission to widen")
    changed = tampering.CHANGES[attack][0](whole)
    assert judged(changed).outcome not in {Outcome.SOUND, Outcome.NEEDS_REVIEW}


async def test_a_seal_moved_to_another_document_is_rejected() -> None:
    one, other = await sealed(), await sealed(letter(text="Surat Kuasa"))
    assert reasons(judged(tampering.transplanted(one, other))) == {"content_damaged"}


async def test_the_document_without_its_stamp_has_none() -> None:
    assert judged(letter()).outcome is Outcome.NO_SEAL


def test_a_date_made_nonsense_is_an_alteration_like_any_other() -> None:
    date = re.search(rb"/M ?\(D(:|\\072)20", _SEALED)
    assert date is not None
    place = date.end() - 3  # the colon, however it is written
    assert judged(tampering.flipped(_SEALED, place, 4)).outcome is Outcome.ALTERED


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_outside_the_seal_goes_unnoticed(data: st.DataObject) -> None:
    start, end = tampering.gap(_SEALED)
    outside = st.integers(0, start) | st.integers(end - 1, len(_SEALED) - 1)
    place, mask = data.draw(outside), 1 << data.draw(st.integers(0, 7))
    report = judged(tampering.flipped(_SEALED, place, mask))
    assert report.outcome in {Outcome.ALTERED, Outcome.UNREADABLE, Outcome.NO_SEAL}


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_flipped_bit_in_the_seal_changes_what_it_says(data: st.DataObject) -> None:
    start, end = tampering.gap(_SEALED)
    place, mask = data.draw(st.integers(start + 1, end - 2)), 1 << data.draw(st.integers(0, 7))
    changed = tampering.flipped(_SEALED, place, mask)
    report = judged(changed)
    if report.outcome is Outcome.SOUND:
        # upper or lower case of a digit, or a part of the CMS that decides nothing: same signer, content, time
        whole = judged(_SEALED)
        # the fast road looks at less
        bare = replace(report, file_sha256=whole.file_sha256, checks=whole.checks)
        assert bare == whole


def _sealed_once() -> bytes:
    return asyncio.run(sealed())


_SEALED = _sealed_once()


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda noise: b"%PDF-1.7\n" + noise))
@settings(max_examples=60, deadline=None)
def test_noise_becomes_a_report(noise: bytes) -> None:
    assert judged(noise).outcome is Outcome.UNREADABLE


@pytest.mark.parametrize(
    "make",
    [hostile.page_loop, hostile.field_loop, hostile.nested, hostile.nested_annotations,
     hostile.xref_loop, hostile.root_that_is_itself, hostile.object_stream_bomb, hostile.huge_size],
)  # fmt: skip
def test_hostile_documents_become_a_report(make: Callable[[], bytes]) -> None:
    assert judged(make()).outcome in {Outcome.UNREADABLE, Outcome.NO_SEAL, Outcome.NEEDS_REVIEW}


def test_a_locked_document_says_so() -> None:
    report = judged(documents.encrypted(letter(), "aes256", user="rahasia"))
    assert (report.outcome, reasons(report)) == (Outcome.UNREADABLE, {"locked"})


# --- who sealed it ---


def key_under(folder: Path, certificate_key: Any = None) -> FileKey:
    """A sealing key that the authority of this PKI certified, but that nobody pinned."""
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    issued = issue_certificate(SEAL, issuing, key=certificate_key)
    above = tuple(
        x509.load_pem_x509_certificate((folder / name).read_bytes()).public_bytes(Encoding.DER)
        for name in ("issuing.pem", "root.pem")
    )
    leaf = issued.certificate.public_bytes(Encoding.DER)
    return FileKey((leaf, *above), algorithm_of(leaf), issued.key)


async def test_a_forger_with_the_same_names_is_foreign(tmp_path: Path) -> None:
    make_pki(tmp_path)
    forger = Sealer(key_under(tmp_path), pki.time_stamps())
    report = judged(await sealed(sealer=forger))
    assert (report.outcome, reasons(report)) == (Outcome.FOREIGN_SIGNER, {"foreign_signer"})
    assert "CONTOH Meterai Elektronik" in (report.signer or "")


async def test_a_sibling_certificate_of_the_same_authority_is_foreign() -> None:
    sibling = Sealer(key_under(pki.keys_folder()), pki.time_stamps())
    assert judged(await sealed(sealer=sibling)).outcome is Outcome.FOREIGN_SIGNER


async def test_another_certificate_of_the_same_key_is_foreign() -> None:
    twin = Sealer(key_under(pki.keys_folder(), pki.seal_key().private), pki.time_stamps())
    assert judged(await sealed(sealer=twin)).outcome is Outcome.FOREIGN_SIGNER


async def test_somebody_elses_signature_is_no_seal_but_is_named() -> None:
    theirs = await signers.signed(letter(), "Notaris", signers.signer(pki.keys_folder()))
    report = judged(theirs)
    assert report.outcome is Outcome.FOREIGN_SIGNER
    assert report.field == "Notaris"
    assert "CONTOH Surat Keterangan" in (report.signer or "")


async def test_our_key_in_a_field_of_another_name_needs_a_person() -> None:
    prepared = prepare(letter(), request())
    renamed = prepared.before.replace(b"(Meterai-", b"(Materai-")
    assert renamed != prepared.before
    report = judged(await filled(redigested(replace(prepared, before=renamed))))
    assert (report.outcome, reasons(report)) == (Outcome.NEEDS_REVIEW, {"serials_wrong"})


def redigested(prepared: Prepared) -> Prepared:
    """As an attacker who may have anything signed would prepare it."""
    digest = hashlib.sha256(prepared.document + prepared.before + prepared.after)
    return replace(prepared, digest=digest.digest())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (rb"/P 1>>", b"/P 3>>", "permissions_wrong"),
        (rb"/P 1>>", b"/P 9>>", "permissions_wrong"),
        (rb"/DocMDP \d", b"/DocNDP 1", "permissions_wrong"),
        (rb"/XXMeterai", b"/XXMateria", "serials_wrong"),
        (rb"/Length 1\d\d\d", b"/Length 1000", "serials_wrong"),
        (rb"/Serials", b"/Serialz", "serials_wrong"),
    ],
)
async def test_a_seal_over_what_our_engine_would_not_write_needs_a_person(
    old: bytes, new: bytes, reason: str
) -> None:
    prepared = prepare(letter(), request())
    before = re.sub(old, new, prepared.before)
    assert len(before) == len(prepared.before)
    assert before != prepared.before
    report = judged(await filled(redigested(replace(prepared, before=before))))
    assert (report.outcome, reasons(report)) == (Outcome.NEEDS_REVIEW, {reason})


# --- time and revocation ---


async def test_a_seal_without_a_time_stamp_is_not_trusted() -> None:
    report = judged(await sealed(sealer=Sealer(pki.seal_key(), None)))
    assert (report.outcome, reasons(report)) == (Outcome.UNTRUSTED, {"time_stamp_missing"})


async def test_a_time_stamp_of_a_stranger_is_not_trusted() -> None:
    report = judged(await sealed(), time_stamps=(pki.seal_key().chain[0],))
    assert (report.outcome, reasons(report)) == (Outcome.UNTRUSTED, {"time_stamp_wrong"})


YESTERDAY, TOMORROW = timedelta(days=-1), timedelta(days=1)


@pytest.mark.parametrize(
    ("reason", "when", "outcome"),
    [
        # revoked before the seal was made: worthless, whatever the reason
        (x509.ReasonFlags.superseded, YESTERDAY, Outcome.UNTRUSTED),
        (x509.ReasonFlags.key_compromise, YESTERDAY, Outcome.UNTRUSTED),
        # revoked after: a harmless reason leaves it whole, a stolen key does not
        (x509.ReasonFlags.superseded, TOMORROW, Outcome.SOUND),
        (x509.ReasonFlags.cessation_of_operation, TOMORROW, Outcome.SOUND),
        (x509.ReasonFlags.key_compromise, TOMORROW, Outcome.UNTRUSTED),
        (None, TOMORROW, Outcome.UNTRUSTED),
    ],
)
async def test_revocation_counts_by_its_reason_and_day(
    reason: x509.ReasonFlags | None, when: timedelta, outcome: Outcome
) -> None:
    entry = revoked(pki.seal_key().chain[0], reason, now() + when)
    report = judged(await sealed(), revocations=lists(entry))
    assert report.outcome is outcome, report.reasons
    assert reasons(report) == ({"signer_revoked"} if outcome is Outcome.UNTRUSTED else set())


async def test_a_stolen_key_with_a_known_day_spares_the_seals_before() -> None:
    whole = await sealed()
    leaf, reason = pki.seal_key().chain[0], x509.ReasonFlags.key_compromise
    after = revoked(leaf, reason, now() + TOMORROW, now() + TOMORROW)
    before = revoked(leaf, reason, now() + TOMORROW, now() + YESTERDAY)
    assert judged(whole, revocations=lists(after)).outcome is Outcome.SOUND
    assert judged(whole, revocations=lists(before)).outcome is Outcome.UNTRUSTED


async def test_without_a_fresh_list_revocation_is_unknown_never_fine() -> None:
    whole = await sealed()
    for known in ((), lists(ends=now() - timedelta(hours=1)), lists()[:1]):
        report = judged(whole, revocations=known)
        assert (report.outcome, reasons(report)) == (Outcome.NEEDS_REVIEW, {"revocation_unknown"})


async def test_a_list_that_a_stranger_signed_says_nothing(tmp_path: Path) -> None:
    make_pki(tmp_path)
    strange = Trust.load(tmp_path / "trust").revocations
    assert reasons(judged(await sealed(), revocations=strange)) == {"revocation_unknown"}


async def test_a_revoked_time_stamp_authority_is_not_believed() -> None:
    authority = pki.stamper().key.chain[0]
    entry = revoked(authority, x509.ReasonFlags.key_compromise, now() + YESTERDAY)
    report = judged(await sealed(), revocations=lists(entry))
    assert (report.outcome, reasons(report)) == (Outcome.UNTRUSTED, {"time_stamp_wrong"})


async def test_a_seal_outlives_its_certificate_while_its_time_stamp_is_believed() -> None:
    key = key_under_for(timedelta(minutes=10))
    whole = await sealed(sealer=Sealer(key, pki.time_stamps()))
    pinned = (*trust().seals, key.chain[0])
    later = now() + timedelta(hours=5)
    assert judged(whole, later, seals=pinned).outcome is Outcome.SOUND


async def test_a_certificate_that_had_run_out_before_is_not_trusted() -> None:
    key = key_under_for(timedelta(seconds=-60))
    whole = await sealed(sealer=Sealer(key, pki.time_stamps()))
    report = judged(whole, seals=(key.chain[0],))
    assert (report.outcome, reasons(report)) == (Outcome.UNTRUSTED, {"certificate_expired"})


def key_under_for(left: timedelta) -> FileKey:
    """A sealing key whose certificate is valid for so long from now."""
    folder = pki.keys_folder()
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    begins = now() - timedelta(days=30)
    kind = replace(SEAL, life=now() + left - begins)
    issued = issue_certificate(kind, issuing, begins=begins, key=pki.seal_key().private)
    leaf = issued.certificate.public_bytes(Encoding.DER)
    return FileKey((leaf, *pki.seal_key().chain[1:]), algorithm_of(leaf), issued.key)


async def test_when_the_time_stamp_authority_has_run_out_a_person_must_look() -> None:
    whole = await sealed()
    later = now() + timedelta(days=6 * 365)
    report = judged(whole, later, revocations=lists(ends=later + TOMORROW))
    assert report.outcome is Outcome.NEEDS_REVIEW
    assert reasons(report) == {"time_stamp_expired"}


# --- who signs afterwards ---


def with_slots() -> Any:
    slots = (Slot("penyewa", Place(1, 20, 240), 50, 20), Slot("pemilik", Place(1, 80, 240), 50, 20))
    return request(certify=2, slots=slots)


async def test_signing_in_a_field_made_for_it_leaves_the_stamp_sound(tmp_path: Path) -> None:
    make_pki(tmp_path)
    notary = signers.signer(tmp_path)
    once = await signers.signed(await sealed(asked=with_slots()), "penyewa", notary)
    twice = await signers.signed(once, "pemilik", notary)
    known = Trust.load(tmp_path / "trust").roots
    between = (*trust().issuers, *Trust.load(tmp_path / "trust").issuers)
    for data in (once, twice):
        report = judged(data, others=known, issuers=between)
        assert report.outcome is Outcome.SOUND, report.reasons
        assert report.serials == (SERIAL,)
        unknown = judged(data)
        assert unknown.outcome is Outcome.NEEDS_REVIEW
        assert reasons(unknown) == {"other_signer_unknown"}


async def test_signing_outside_those_fields_is_a_change() -> None:
    who = signers.signer(pki.keys_folder())
    whole = await sealed(asked=with_slots())
    for box in (None, (50, 50, 150, 100)):
        report = judged(await signers.signed(whole, "lain", who, box=box))
        assert report.outcome is Outcome.ALTERED
        assert "changed_after_seal" in reasons(report)


async def test_what_follows_a_later_signature_is_a_change() -> None:
    who = signers.signer(pki.keys_folder())
    signed = await signers.signed(await sealed(asked=with_slots()), "penyewa", who)
    report = judged(documents.appended(signed))
    assert report.outcome is Outcome.ALTERED
    assert "changed_after_seal" in reasons(report)
    assert judged(signed + b"\n").outcome is Outcome.ALTERED


async def test_text_changed_under_a_later_signature_is_a_change() -> None:
    who = signers.signer(pki.keys_folder())
    overlaid = tampering.overlaid(await sealed(asked=with_slots()))
    report = judged(await signers.signed(overlaid, "penyewa", who))
    assert report.outcome is Outcome.ALTERED


async def test_a_stamp_on_a_signed_document_is_sound_and_later_signatures_are_seen() -> None:
    who = signers.signer(pki.keys_folder())
    signed = await signers.signed(letter(), "penjual", who)
    stamped = await sealed(signed, request(certify=None))
    assert judged(stamped).outcome is Outcome.SOUND
    after = await signers.signed(stamped, "pembeli", who)
    report = judged(after)
    assert report.outcome is Outcome.SOUND, report.reasons
    assert report.serials == (SERIAL,)


# --- files of others ---

CORPUS = os.environ.get("METERAI_CORPUS")  # noqa: TID251 - names test material, no setting of the platform


@pytest.mark.skipif(
    not CORPUS, reason="METERAI_CORPUS names no folder with the public attack files"
)
def test_the_public_forgeries_are_rejected_even_if_their_signers_were_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealed_file, "FIELD_PREFIX", "")  # every field counts as one of our seals
    folder = Path(CORPUS or "")
    with (folder / "manifest.csv").open() as stream:
        forged = [row for row in csv.DictReader(stream) if row["set"] == "attack"]
    assert len(forged) == 20
    for row in forged:
        data = (folder / row["file"]).read_bytes()
        theirs = certificates_in(data)
        report = judged(data, seals=theirs, roots=theirs)
        assert report.outcome in {Outcome.ALTERED, Outcome.UNREADABLE}, row["source_path"]
        assert report.reasons


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the verifier opened a connection")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert judged(_SEALED).outcome is Outcome.SOUND
    # even of a signer whom we recognise, whose certificate says where to ask
    key = luring.certificate("http://127.0.0.1:9/x")
    (der,) = key.chain
    pinned = replace(trust(), seals=(der,), roots=(*trust().roots, der))
    for road in (examine, examine_carefully, examine_twice):
        report = road(luring.sealed_with(key), pinned, now())
        assert report.signer_sha256 == hashlib.sha256(der).digest()


def test_the_names_that_the_engine_writes_are_the_ones_that_are_looked_for() -> None:
    # two tools that may not import each other
    assert sealed_file.FIELD_PREFIX == fields.FIELD_PREFIX
    assert sealed_file.OURS_KEY == OURS_KEY


def test_a_file_without_an_end_is_never_given_to_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reader(*_: object, **__: object) -> None:
        raise AssertionError("it would go through the file byte by byte")

    monkeypatch.setattr(sealed_file, "PdfFileReader", reader)
    report = judged(b"%PDF-1.7\n".ljust(100_000, b"0"))
    assert (report.outcome, report.reasons) == (Outcome.UNREADABLE, (Reason.STRUCTURE_DAMAGED,))
