"""A folder of thousands: members of the crew may die, a serial may stand twice, and nothing is lost."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.scenes import SERIALS, Profile, another, asking, scene
from meterai.clock import now
from meterai.signing.report import Outcome, SignatureReport
from meterai.signing.validation import examine
from meterai.verification import crew as crews
from meterai.verification.batch import OTHERS_TOLD, cross_check, pairs_of, with_answers
from meterai.verification.crew import Crew, Examined
from meterai.verification.judgement import judge_offline
from meterai.verification.model import Registered, TrueFile, Verdict
from world.documents import letter
from world.sealed import trust

GENUINE = Registered(Verdict.GENUINE, "registered")


def report(data: bytes) -> SignatureReport:
    return examine(data, trust(), now())


def sound(serials: tuple[str, ...], digest: bytes, file: bytes) -> SignatureReport:
    return SignatureReport(Outcome.SOUND, (), (), file, 1, serials=serials, signed_sha256=digest)


def checked(*reports: SignatureReport):  # type: ignore[no-untyped-def]
    return cross_check([(str(n), judge_offline(r)) for n, r in enumerate(reports)])


def examined(files: list[Path], **more: object) -> list[Examined]:
    found = list(Crew(trust(), now(), jobs=2, **more).examine(files))  # type: ignore[arg-type]
    assert sorted(one.place for one in found) == list(range(len(files)))
    return sorted(found, key=lambda one: one.place)


def folder(tmp_path: Path, *contents: bytes) -> list[Path]:
    files = []
    for number, content in enumerate(contents):
        files.append(tmp_path / f"{number}.pdf")
        files[-1].write_bytes(content)
    return files


def test_a_crew_says_what_one_process_says(tmp_path: Path) -> None:
    whole = scene("P=1").whole
    contents = [whole, letter(), b"", whole + b"\n", *(whole for _ in range(60))]
    found = examined(folder(tmp_path, *contents))
    for one, content in zip(found, contents, strict=True):
        assert one.report is not None
        assert (one.report.outcome, one.report.reasons) == (
            report(content).outcome,
            report(content).reasons,
        )


def test_a_file_that_kills_its_reader_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scene("P=1").whole
    poison = b"%PDF-1.7 racun"

    def dying(data: bytes, *known: object) -> SignatureReport:
        if data == poison:
            os.kill(os.getpid(), signal.SIGKILL)
        return examine(data, *known)  # type: ignore[arg-type]

    monkeypatch.setattr(crews, "examine", dying)
    contents = [poison if n in {3, 4, 50} else whole for n in range(80)]
    found = examined(folder(tmp_path, *contents))
    assert [one.place for one in found if one.failed] == [3, 4, 50]
    assert {one.failed for one in found if one.failed} == {"document_too_heavy"}
    assert sum(one.report is not None for one in found) == 77


def test_what_cannot_be_read_is_told_and_what_was_known_is_not_examined(
    tmp_path: Path,
) -> None:
    whole = scene("P=1").whole
    files = [*folder(tmp_path, whole), tmp_path / "hilang.pdf"]
    first, lost = examined(files, known={report(whole).file_sha256})
    assert (first.report, first.failed) == (None, None)
    assert lost.failed == "file_error"


def test_only_serials_and_digests_are_asked_each_once() -> None:
    one = report(scene("several stamps").whole)
    assert one.signed_sha256 is not None
    pairs = pairs_of([one, one, report(letter())])
    assert pairs == [(SERIALS[0], one.signed_sha256), (SERIALS[1], one.signed_sha256)]


def test_the_registry_tells_the_true_file_from_its_twin_and_both_are_linked() -> None:
    true, false = report(scene("P=1").whole), report(another(Profile("P=1", asking(SERIALS[0]))))
    assert true.signed_sha256 is not None
    assert false.signed_sha256 is not None
    other = TrueFile(datetime(2026, 11, 24, tzinfo=UTC), 1)
    answers = {
        (SERIALS[0], true.signed_sha256): GENUINE,
        (SERIALS[0], false.signed_sha256): Registered(Verdict.REUSED, "other_document", other),
    }
    named = [(n, with_answers(r, answers)) for n, r in (("a", true), ("b", false))]
    a, b = cross_check(named)
    assert (a.finding.verdict, a.twins) == (Verdict.GENUINE, ("b",))
    assert (b.finding.verdict, b.twins) == (Verdict.REUSED, ("a",))
    assert b.finding.true_file == other
    assert "registry" in a.finding.checked


def test_without_the_registry_neither_twin_is_called_genuine() -> None:
    a, b = checked(report(scene("P=1").whole), report(another(Profile("P=1", asking(SERIALS[0])))))
    for one in (a, b):
        assert one.finding.verdict is Verdict.NEEDS_REVIEW
        assert one.finding.reason == "serial_twice_in_batch"


def test_the_same_file_twice_is_a_copy_and_no_twin() -> None:
    same = report(scene("P=1").whole)
    for one, other in zip(checked(same, same), "10", strict=True):
        assert (one.twins, one.copies) == ((), (other,))
        assert one.finding.verdict is Verdict.GENUINE_OFFLINE


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=60))
def test_every_serial_in_two_documents_is_found(files: list[tuple[int, int]]) -> None:
    reports = [
        sound((f"S{serial}",), bytes([content] * 32), bytes([n] * 32))
        for n, (serial, content) in enumerate(files)
    ]
    for n, one in enumerate(checked(*reports)):
        serial, content = files[n]
        others = [str(m) for m, (s, c) in enumerate(files) if s == serial and c != content]
        assert sorted(one.twins) == sorted(others)
        assert (one.finding.verdict is Verdict.NEEDS_REVIEW) is bool(others)


def test_thousands_of_one_kind_name_only_some_of_one_another() -> None:
    reports = [sound(("S",), bytes([n % 2] * 32), bytes(32)) for n in range(5_000)]
    for one in checked(*reports):
        assert len(one.twins) == OTHERS_TOLD
        assert len(one.copies) == OTHERS_TOLD
        assert one.finding.verdict is Verdict.NEEDS_REVIEW


def test_all_reuse_in_a_batch_of_ten_thousand_is_found() -> None:
    reports = [
        sound((f"S{n // 2 if n % 100 < 2 else n}x{n % 100 < 2}",), n.to_bytes(32), n.to_bytes(32))
        for n in range(10_000)
    ]
    found = [one for one in checked(*reports) if one.twins]
    assert len(found) == 200
    assert all(one.finding.verdict is Verdict.NEEDS_REVIEW for one in found)
