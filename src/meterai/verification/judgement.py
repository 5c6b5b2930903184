"""The decision: what cryptography found and what the registry knows, together one verdict. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from meterai.serial.model import Serial, SerialState
from meterai.signing.report import CheckName, Outcome, Reason, Result, SignatureReport
from meterai.verification.model import Finding, Verdict, against_registry

_VERDICTS: dict[Outcome, Verdict] = {
    Outcome.SOUND: Verdict.GENUINE_OFFLINE,
    Outcome.ALTERED: Verdict.ALTERED,
    Outcome.NO_SEAL: Verdict.NOT_A_STAMP,
    Outcome.FOREIGN_SIGNER: Verdict.NOT_A_STAMP,
    Outcome.UNTRUSTED: Verdict.NOT_A_STAMP,
    Outcome.NEEDS_REVIEW: Verdict.NEEDS_REVIEW,
    Outcome.UNREADABLE: Verdict.UNREADABLE,
}
_UNDECIDED = frozenset(
    {Reason.REVOCATION_UNKNOWN, Reason.TIME_STAMP_EXPIRED, Reason.CERTIFICATE_EXPIRED}
)
"""Of a recognised key, but what would be needed to say yes or no is not there."""


def judge_offline(report: SignatureReport) -> Finding:
    """The verdict of cryptography alone: at best *genuine_offline*, never plainly genuine."""
    verdict = _VERDICTS[report.outcome]
    if report.outcome is Outcome.UNTRUSTED and _UNDECIDED.intersection(report.reasons):
        verdict = Verdict.NEEDS_REVIEW
    sound = report.outcome is Outcome.SOUND
    reason = "registry_not_asked" if sound else report.reasons[0].value
    return Finding(
        verdict=verdict,
        reason=reason,
        serials=report.serials,
        sha256=report.file_sha256,
        signed_sha256=report.signed_sha256,
        sealed_at=report.time_stamp,
        signer=report.signer,
        change=None if report.change is None else report.change.value,
        last_good_bytes=report.last_good_bytes,
        checked=tuple(c.name.value for c in report.checks if c.result is Result.PASSED),
        not_checked=tuple(c.name.value for c in report.checks if c.result is not Result.PASSED),
        failed=tuple(c.name.value for c in report.checks if c.result is Result.FAILED),
    )


def judge(report: SignatureReport, known: Sequence[Serial | None]) -> Finding:
    """The verdict with the registry asked; ``known`` answers ``report.serials``, one by one."""
    finding = judge_offline(report)
    if report.outcome is Outcome.SOUND:
        assert report.signed_sha256 is not None
        answer = against_registry(known, report.signed_sha256)
        return replace(
            _registry_asked(finding),
            verdict=answer.verdict,
            reason=answer.reason,
            true_file=answer.true_file,
        )
    if any(s is not None and s.state is SerialState.VOID for s in known):
        # Whatever else is wrong with it: a void serial never counts.
        return replace(_registry_asked(finding), verdict=Verdict.VOID, reason="serial_void")
    if any(s is not None and s.file_sha256 == report.file_sha256 for s in known) and (
        finding.verdict is Verdict.ALTERED
    ):
        # The registry knows this very file, byte for byte, and cryptography says it was changed.
        return replace(finding, verdict=Verdict.NEEDS_REVIEW, reason="engines_disagree")
    return finding


def _registry_asked(finding: Finding) -> Finding:
    name = CheckName.REGISTRY.value
    return replace(
        finding,
        checked=(*finding.checked, name),
        not_checked=tuple(n for n in finding.not_checked if n != name),
    )
