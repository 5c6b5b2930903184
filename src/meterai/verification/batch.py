"""A batch of files checked against one another: one serial in two documents, one file sent twice. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from meterai.signing.report import Outcome, SignatureReport
from meterai.verification.judgement import judge_offline
from meterai.verification.model import Finding, Registered, Verdict, worst

Pair = tuple[str, bytes]
"""A serial, and the digest of the signed range that it stands in."""

OTHERS_TOLD = 50
"""So many twins and copies of a file are named: a thousand of one kind would name a million."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One file of a batch with its verdict."""

    name: str
    finding: Finding
    twins: tuple[str, ...] = ()
    """Other files of the batch that carry one of the same serials with another content; some of very many."""
    copies: tuple[str, ...] = ()
    """Other files of the batch that are the same, byte for byte; some of very many."""


def pairs_of(reports: Sequence[SignatureReport]) -> list[Pair]:
    """What the registry must be asked, each once: nothing else ever leaves the machine."""
    found = {
        (serial, report.signed_sha256): None
        for report in reports
        if report.signed_sha256 is not None
        for serial in report.serials
    }
    return list(found)


def with_answers(
    report: SignatureReport, answers: Mapping[Pair, Registered], *, live: bool = True
) -> Finding:
    """The verdict on one file, with what the registry said of its pairs (empty: it was not asked).

    ``live`` is False for a copy of the registry: then the registry itself stays unasked.
    """
    finding = judge_offline(report)
    assert report.signed_sha256 is not None or not report.serials
    said = [answers.get((serial, report.signed_sha256 or b"")) for serial in report.serials]
    known = [answer for answer in said if answer is not None]
    if not known or len(known) < len(said):
        return finding
    asked = finding
    if live:
        asked = replace(
            finding,
            checked=(*finding.checked, "registry"),
            not_checked=tuple(name for name in finding.not_checked if name != "registry"),
        )
    answer = worst(known)
    if report.outcome is Outcome.SOUND:
        return replace(
            asked, verdict=answer.verdict, reason=answer.reason, true_file=answer.true_file
        )
    if any(one.reason == "serial_void" for one in known):
        return replace(asked, verdict=Verdict.VOID, reason="serial_void")
    return finding


def cross_check(named: Sequence[tuple[str, Finding]]) -> list[Checked]:
    """Every file with its twins and copies. Without the registry nobody knows which twin is the true one."""
    by_serial: dict[str, dict[bytes, list[str]]] = defaultdict(lambda: defaultdict(list))
    by_file: dict[bytes, list[str]] = defaultdict(list)
    for name, finding in named:
        by_file[finding.sha256].append(name)
        if finding.signed_sha256 is not None:
            for serial in finding.serials:
                by_serial[serial][finding.signed_sha256].append(name)
    checked = []
    for name, finding in named:
        twins = tuple(islice(_twins(finding, by_serial), OTHERS_TOLD))
        if twins and finding.verdict is Verdict.GENUINE_OFFLINE:
            finding = replace(  # noqa: PLW2901 - the same finding, seen beside the others
                finding, verdict=Verdict.NEEDS_REVIEW, reason="serial_twice_in_batch"
            )
        same = by_file[finding.sha256]
        copies = tuple(islice((other for other in same if other != name), OTHERS_TOLD))
        checked.append(Checked(name, finding, tuple(dict.fromkeys(twins)), copies))
    return checked


def _twins(
    finding: Finding, by_serial: Mapping[str, Mapping[bytes, Sequence[str]]]
) -> Iterator[str]:
    """Files that carry a serial of this one in another signed range."""
    for serial in finding.serials:
        for digest, names in by_serial.get(serial, {}).items():
            if digest != finding.signed_sha256:
                yield from names
