"""A batch of files checked against one another: one serial in two documents, one file sent twice. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meterai.signing.report import Outcome, SignatureReport
from meterai.verification.judgement import judge_offline
from meterai.verification.model import Finding, Registered, Verdict, worst

Pair = tuple[str, bytes]
"""A serial, and the digest of the signed range that it stands in."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One file of a batch with its verdict."""

    name: str
    finding: Finding
    twins: tuple[str, ...] = ()
    """Other files of the batch that carry one of the same serials with another content."""
    copies: tuple[str, ...] = ()
    """Other files of the batch that are the same, byte for byte."""


def pairs_of(reports: Sequence[SignatureReport]) -> list[Pair]:
    """What the registry must be asked, each once: nothing else ever leaves the machine."""
    found = {
        (serial, report.signed_sha256): None
        for report in reports
        if report.signed_sha256 is not None
        for serial in report.serials
    }
    return list(found)


def with_answers(report: SignatureReport, answers: Mapping[Pair, Registered]) -> Finding:
    """The verdict on one file, with what the registry said of its pairs (empty: it was not asked)."""
    finding = judge_offline(report)
    assert report.signed_sha256 is not None or not report.serials
    said = [answers.get((serial, report.signed_sha256 or b"")) for serial in report.serials]
    known = [answer for answer in said if answer is not None]
    if not known or len(known) < len(said):
        return finding
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


def cross_check(
    named: Sequence[tuple[str, Finding, SignatureReport | None]],
) -> list[Checked]:
    """Every file with its twins and copies. Without the registry nobody knows which twin is the true one."""
    by_serial: dict[str, dict[bytes, list[str]]] = defaultdict(lambda: defaultdict(list))
    by_file: dict[bytes, list[str]] = defaultdict(list)
    for name, finding, report in named:
        by_file[finding.sha256].append(name)
        if report is not None and report.signed_sha256 is not None:
            for serial in report.serials:
                by_serial[serial][report.signed_sha256].append(name)
    checked = []
    for name, finding, report in named:
        twins: dict[str, None] = {}
        for serial in report.serials if report is not None else ():
            for digest, names in by_serial[serial].items():
                if report is not None and digest != report.signed_sha256:
                    twins |= dict.fromkeys(names)
        if twins and finding.verdict is Verdict.GENUINE_OFFLINE:
            finding = replace(  # noqa: PLW2901 - the same finding, seen beside the others
                finding, verdict=Verdict.NEEDS_REVIEW, reason="serial_twice_in_batch"
            )
        copies = tuple(other for other in by_file[finding.sha256] if other != name)
        checked.append(Checked(name, finding, tuple(twins), copies))
    return checked
