"""What an examination says about a file: data, not an exception and not a yes or no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Outcome(Enum):
    """What the seal is worth, as far as cryptography can see. Reuse of a serial it cannot see."""

    SOUND = "sound"
    """Whole, by a recognised key, time-stamped, and the file is exactly as it was sealed (or was only signed
    in the fields that were made for it)."""
    ALTERED = "altered"
    """There was a seal, and the file is no longer what was sealed."""
    NO_SEAL = "no_seal"
    """There is no signature at all; a picture of a mark is none."""
    FOREIGN_SIGNER = "foreign_signer"
    """There is a signature, but by nobody we recognise."""
    UNTRUSTED = "untrusted"
    """A recognised key sealed it, but its certificate or the time stamp does not hold."""
    NEEDS_REVIEW = "needs_review"
    """The machine may not decide: a person must look."""
    UNREADABLE = "unreadable"
    """This cannot be read as a PDF."""


class Reason(Enum):
    """Why; stable."""

    NOT_A_PDF = "not_a_pdf"
    JUNK_BEFORE_HEADER = "junk_before_header"
    """Other bytes stand before the document."""
    LOCKED = "locked"
    """It needs a password."""
    STRUCTURE_DAMAGED = "structure_damaged"
    NO_SEAL = "no_seal"
    FOREIGN_SIGNER = "foreign_signer"
    SEAL_DAMAGED = "seal_damaged"
    """The seal's own data is missing or cannot be read."""
    RANGE_WRONG = "range_wrong"
    """The signed range is not everything but the seal."""
    CHANGED_AFTER_SEAL = "changed_after_seal"
    """Something was added behind the sealed part."""
    CONTENT_DAMAGED = "content_damaged"
    """The sealed part itself differs from what was sealed."""
    SIGNATURE_WRONG = "signature_wrong"
    """The signature does not belong to the key."""
    CERTIFICATE_EXPIRED = "certificate_expired"
    CHAIN_BROKEN = "chain_broken"
    SIGNER_REVOKED = "signer_revoked"
    REVOCATION_UNKNOWN = "revocation_unknown"
    """There is no fresh revocation list for the certificate."""
    TIME_STAMP_MISSING = "time_stamp_missing"
    TIME_STAMP_WRONG = "time_stamp_wrong"
    TIME_STAMP_EXPIRED = "time_stamp_expired"
    """The authority's certificate has run out; older evidence is needed to believe its stamp."""
    PERMISSIONS_WRONG = "permissions_wrong"
    """The promise about later changes (DocMDP) is missing or is none of ours."""
    SERIALS_WRONG = "serials_wrong"
    """The serials in the seal contradict each other."""
    EVIDENCE_APPENDED = "evidence_appended"
    """Only evidence for long keeping (DSS, document time stamp) was added to a final document."""
    OTHER_SIGNATURES = "other_signatures"
    """Signatures of others are where none are expected, or are not sound."""
    OTHER_SIGNER_UNKNOWN = "other_signer_unknown"
    """Somebody unknown to us signed afterwards, in a field made for it."""
    ENGINES_DISAGREE = "engines_disagree"
    """pyHanko, the second engine, does not agree."""
    UNUSUAL_STRUCTURE = "unusual_structure"


class CheckName(Enum):
    """What is looked at, in order."""

    HEADER = "header"
    STRUCTURE = "structure"
    RANGE = "range"
    SIGNER = "signer"
    """The sealing certificate is one of the pinned."""
    SIGNATURE = "signature"
    CONTENT = "content"
    """The digest of the signed range."""
    UNCHANGED = "unchanged"
    """Nothing but what is allowed follows the sealed part."""
    PERMISSIONS = "permissions"
    SERIALS = "serials"
    TIME_STAMP = "time_stamp"
    CHAIN = "chain"
    REVOCATION = "revocation"
    SECOND_OPINION = "second_opinion"
    OTHER_SIGNERS = "other_signers"
    REGISTRY = "registry"
    """Never looked at here: only the registry of serials knows of reuse and cancellation."""


class Result(Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


_OUTCOMES: dict[Outcome, tuple[Reason, ...]] = {
    Outcome.UNREADABLE: (
        Reason.NOT_A_PDF,
        Reason.JUNK_BEFORE_HEADER,
        Reason.LOCKED,
        Reason.STRUCTURE_DAMAGED,
    ),
    Outcome.NO_SEAL: (Reason.NO_SEAL,),
    Outcome.FOREIGN_SIGNER: (Reason.FOREIGN_SIGNER,),
    Outcome.ALTERED: (
        Reason.SEAL_DAMAGED,
        Reason.RANGE_WRONG,
        Reason.CHANGED_AFTER_SEAL,
        Reason.CONTENT_DAMAGED,
        Reason.SIGNATURE_WRONG,
    ),
    Outcome.UNTRUSTED: (
        Reason.CERTIFICATE_EXPIRED,
        Reason.CHAIN_BROKEN,
        Reason.SIGNER_REVOKED,
        Reason.TIME_STAMP_MISSING,
        Reason.TIME_STAMP_WRONG,
    ),
}
"""What a reason makes of a file, the gravest first; every other reason asks for a person."""


_NEEDED = frozenset(CheckName) - {CheckName.OTHER_SIGNERS, CheckName.REGISTRY}
"""What must have passed before anything is called sound."""


def outcome_of(reasons: Sequence[Reason], results: Mapping[CheckName, Result]) -> Outcome:
    """What reasons and checks make of a file."""
    for outcome, grave in _OUTCOMES.items():
        if any(reason in grave for reason in reasons):
            return outcome
    if reasons or any(results.get(name) is not Result.PASSED for name in _NEEDED):
        return Outcome.NEEDS_REVIEW
    return Outcome.SOUND


def gravest_first(reasons: Sequence[Reason], outcome: Outcome) -> tuple[Reason, ...]:
    """Each reason once, those that make the outcome before the others."""
    grave = _OUTCOMES.get(outcome, ())
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: reason not in grave))


class Change(Enum):
    """How a file was changed after it was sealed, as far as its bytes tell."""

    RESAVED = "resaved"
    """Laid out anew: saved, compressed, joined or printed by another program; what was sealed is lost."""
    OVERLAID = "overlaid"
    """Something was added behind the sealed part that reaches what the pages show."""
    APPENDED = "appended"
    """Something was added behind the sealed part; the pages lead to none of it."""
    CONTENT = "content"
    """Bytes of the sealed part differ."""
    SEAL = "seal"
    """The seal itself is damaged."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: CheckName
    result: Result


class Profile(Enum):
    """What the seal promises about later changes."""

    FINAL = "final"
    """Certified, no change at all."""
    OPEN = "open"
    """Certified, and the fields made for it may still be signed."""
    APPROVAL = "approval"
    """A signature beside those of others."""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """JSON-able: it crosses the border of a process."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    checks: tuple[Check, ...]
    file_sha256: bytes
    """Of the whole file that was shown."""
    size_bytes: int
    serials: tuple[str, ...] = ()
    """As the newest seal names them, in the order of the marks."""
    earlier_serials: tuple[str, ...] = ()
    """Of our earlier seals in the same file."""
    profile: Profile | None = None
    field: str | None = None
    signed_sha256: bytes | None = None
    """Digest of the signed range as it is now; the registry knows what it must be."""
    source_sha256: bytes | None = None
    """Of the document before it was stamped, checked against the bytes that are there."""
    signer: str | None = None
    """Subject of the certificate."""
    signer_sha256: bytes | None = None
    """Fingerprint of the certificate."""
    signing_time: datetime | None = None
    """As the seal claims."""
    time_stamp: datetime | None = None
    """As the authority says."""
    last_good_bytes: int | None = None
    """When something follows a sealed part that is whole: the length of that part."""
    change: Change | None = None
    """Of an altered file."""
