"""Verdicts, their reasons, and the decision between them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meterai.errors import Text
from meterai.serial.model import Serial, SerialState


class Verdict(Enum):
    """What a file is; this list and no other."""

    GENUINE = "genuine"
    """The seal is whole and ours, and the registry knows this very file."""
    GENUINE_OFFLINE = "genuine_offline"
    """The seal is whole and ours; the registry was not asked."""
    ALTERED = "altered"
    """A true stamp, but the file was changed after it."""
    REUSED = "reused"
    """The serial belongs to another document."""
    VOID = "void"
    """The serial never counted or was taken back."""
    NOT_A_STAMP = "not_a_stamp"
    """No seal of a recognised issuer that holds; a picture alone is none."""
    NEEDS_REVIEW = "needs_review"
    """The machine may not decide this: a person must look."""
    UNREADABLE = "unreadable"
    """This is no PDF that can be read."""


WORDS: dict[Verdict, Text] = {
    Verdict.GENUINE: Text("Asli", "Genuine"),
    Verdict.GENUINE_OFFLINE: Text("Asli — cek daring", "Genuine — check online"),
    Verdict.ALTERED: Text("Diubah setelah dibubuhkan", "Altered after stamping"),
    Verdict.REUSED: Text("Dipakai ulang", "Reused"),
    Verdict.VOID: Text("Tidak berlaku", "Void"),
    Verdict.NOT_A_STAMP: Text("Bukan meterai", "Not a stamp"),
    Verdict.NEEDS_REVIEW: Text("Perlu diperiksa orang", "Needs a person"),
    Verdict.UNREADABLE: Text("Tidak terbaca", "Unreadable"),
}
"""Each verdict in a word or two."""

SEVERITY = (
    Verdict.VOID,
    Verdict.REUSED,
    Verdict.NEEDS_REVIEW,
    Verdict.GENUINE_OFFLINE,
    Verdict.GENUINE,
)
"""Of several serials in one file the worst answer counts."""


@dataclass(frozen=True, slots=True)
class TrueFile:
    """What may be told of the document that a reused serial belongs to; never anything personal."""

    affixed_at: datetime
    pages: int


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one file."""

    verdict: Verdict
    reason: str
    """A stable code; its sentence stands in :data:`meterai.verification.reasons.SENTENCES`."""
    serials: tuple[str, ...]
    sha256: bytes
    """Of the whole file that was shown."""
    signed_sha256: bytes | None = None
    """Of the signed range as it is now."""
    sealed_at: datetime | None = None
    signer: str | None = None
    true_file: TrueFile | None = None
    change: str | None = None
    """How an altered file was changed: a code of :data:`meterai.verification.reasons.CHANGES`."""
    last_good_bytes: int | None = None
    """Length of the beginning of the file that is still as it was sealed."""
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    """Not passed, or not looked at."""
    failed: tuple[str, ...] = ()
    """Those of them that were looked at and did not pass."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry makes of a seal: a verdict, its reason, and the true file of a reused serial."""

    verdict: Verdict
    reason: str
    true_file: TrueFile | None = None


def against_registry(known: Sequence[Serial | None], signed_sha256: bytes) -> Registered:
    """What the registry makes of a whole seal of ours over ``signed_sha256`` that names these serials."""
    if not known:
        return Registered(Verdict.NEEDS_REVIEW, "serials_wrong")
    return worst([_one(serial, signed_sha256) for serial in known])


def worst(answers: Sequence[Registered]) -> Registered:
    """Of several serials in one file the gravest answer counts."""
    return min(answers, key=lambda answer: SEVERITY.index(answer.verdict))


def _one(serial: Serial | None, signed_sha256: bytes) -> Registered:
    if serial is None:
        return Registered(Verdict.NEEDS_REVIEW, "serial_unknown")
    if serial.state is SerialState.VOID:
        return Registered(Verdict.VOID, "serial_void")
    if serial.state is not SerialState.AFFIXED:
        return Registered(Verdict.VOID, "serial_not_settled")
    if serial.signed_sha256 != signed_sha256:
        assert serial.affixed_at is not None
        true_file = TrueFile(serial.affixed_at, serial.pages or 0)
        return Registered(Verdict.REUSED, "other_document", true_file)
    return Registered(Verdict.GENUINE, "registered")
