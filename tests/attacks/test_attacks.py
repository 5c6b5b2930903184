"""Every class of attack on every profile: right verdict, right reason, and no harm to the untouched."""

import csv
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attacks.classes import ATTACKS, Attack
from attacks.scenes import PROFILES, ROADS, Profile, judged, own_trust, registry_of, scene
from attacks.table import DOCUMENT, in_document, table
from meterai.clock import now
from meterai.signing import sealed_file
from meterai.signing.report import Outcome
from meterai.signing.trust import Trust
from meterai.signing.validation import examine
from meterai.verification.model import Verdict
from world.sealed import certificates_in, trust

NAMES = {attack.name: attack for attack in ATTACKS}
ACCEPTED = {Verdict.GENUINE, Verdict.GENUINE_OFFLINE}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """PyHanko tells the log about every file it stumbles over."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def profiles_of(attack: Attack) -> list[Profile]:
    return [p for p in PROFILES if not attack.only or p.kind in attack.only]


def untouched(believed: Trust | None = None) -> None:
    """The controls of the same run."""
    for profile in PROFILES:
        stage = scene(profile.name)
        trusted = own_trust(stage.whole) if believed is None else believed
        finding = judged(stage.whole, registry_of(stage), trusted)
        assert (finding.verdict, finding.reason) == (Verdict.GENUINE, "registered"), profile.name


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_gets_its_verdict_and_its_reason(name: str) -> None:
    attack = NAMES[name]
    untouched(trust())
    for profile in profiles_of(attack):
        shown = attack.make(scene(profile.name))
        assert shown.data != scene(profile.name).whole or attack.family in {
            "who sealed, and when",
            "serials",
        }
        finding = judged(shown.data, shown.registry, shown.trust, shown.at)
        wanted = (attack.verdict, attack.reason_for(profile))
        assert (finding.verdict, finding.reason) == wanted, profile.name


@pytest.mark.parametrize("name", [attack.name for attack in ATTACKS if attack.structural])
def test_the_structure_is_what_rejects_it_even_when_its_own_certificates_are_believed(
    name: str,
) -> None:
    attack = NAMES[name]
    for profile in profiles_of(attack):
        stage = scene(profile.name)
        shown = attack.make(stage)
        report = examine(shown.data, own_trust(stage.whole), now())
        assert report.outcome is not Outcome.SOUND
        finding = judged(shown.data, shown.registry, own_trust(stage.whole))
        assert finding.verdict not in ACCEPTED, profile.name
        wanted = (attack.verdict, attack.reason_for(profile))
        assert (finding.verdict, finding.reason) == wanted, profile.name


def test_the_untouched_are_genuine_on_every_road_and_in_the_test_mode() -> None:
    untouched()
    for profile in PROFILES:
        stage = scene(profile.name)
        for road in ROADS:
            finding = judged(stage.whole, registry_of(stage), trust(), road=road)
            assert (finding.verdict, finding.reason) == (Verdict.GENUINE, "registered")


def test_there_are_forty_classes_at_least_and_of_every_published_family() -> None:
    assert len(ATTACKS) >= 40
    said = " ".join(NAMES)
    for family in ("USF", "ISA", "SWA", "EAA", "SSA", "shadow", "QR swap"):
        assert family in said


def test_the_table_in_the_document_is_the_one_that_was_generated() -> None:
    assert in_document(DOCUMENT.read_text()) == table()


CORPUS = os.environ.get("METERAI_CORPUS")  # noqa: TID251 - names test material, no setting of the platform


@pytest.mark.skipif(
    not CORPUS, reason="METERAI_CORPUS names no folder with the public attack files"
)
def test_the_public_attack_files_are_rejected_with_a_reason_even_if_their_signers_were_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(CORPUS or "")
    with (folder / "manifest.csv").open() as stream:
        files = [folder / row["file"] for row in csv.DictReader(stream) if row["set"] == "attack"]
    assert len(files) == 20
    for file in files:
        data = file.read_bytes()
        assert judged(data, {}, trust()).verdict not in ACCEPTED
    monkeypatch.setattr(sealed_file, "FIELD_PREFIX", "")  # every field counts as one of our seals
    for file in files:
        data = file.read_bytes()
        theirs = certificates_in(data)
        believed = replace(trust(), seals=theirs, roots=theirs, time_stamps=theirs)
        finding = judged(data, {}, believed)
        assert finding.verdict in {Verdict.ALTERED, Verdict.UNREADABLE}, file.name
        assert finding.reason
