"""What a file's seal is worth: the strict policy, told in order, ending in a report whatever the file is.

``%PDF-`` first → the form's signatures → signed range and gap to the byte → a pinned certificate → signature
and content → the promise about changes → serials → time stamp → chain and revocation → nothing added → a second
engine that must agree. Nothing is fetched. *Sound* is never said by a path that left a step out.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel

from meterai.signing.certificates import ChainBroken, chain_of, revocation_of, subject_of
from meterai.signing.changes import change_in
from meterai.signing.own.road import examine_own
from meterai.signing.report import (
    Check,
    CheckName,
    Outcome,
    Profile,
    Reason,
    Result,
    SignatureReport,
    gravest_first,
    outcome_of,
)
from meterai.signing.sealed_file import (
    FIELD_PREFIX,
    OURS_KEY,
    FoundSignature,
    Range,
    Unsound,
    claimed_time,
    docmdp_level,
    empty_fields_at,
    is_the_certification,
    open_file,
    our_entry,
    range_of,
    signatures_in,
    stands_outside_streams,
)
from meterai.signing.second_opinion import opinion_on_other, opinion_on_seal
from meterai.signing.signed_data import (
    BadSignedData,
    SignedData,
    check_signature,
    read_signed_data,
)
from meterai.signing.tokens import read_token
from meterai.signing.trust import Trust

__all__ = [
    "Outcome",
    "Reason",
    "SignatureReport",
    "Trust",
    "examine",
    "examine_carefully",
    "examine_twice",
]

HEADER_SEARCH = 16 * 1024

_PROFILES = {None: Profile.APPROVAL, 1: Profile.FINAL, 2: Profile.OPEN}
_HARMLESS = {
    ModificationLevel.NONE,
    ModificationLevel.LTA_UPDATES,
    ModificationLevel.FORM_FILLING,
}


def examine(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    """What the seal in ``data`` is worth at the moment ``at``. Never raises for a strange file.

    A whole seal of ours is known on the fast road in a quarter of a millisecond; everything else is judged, and
    named, on the careful one.
    """
    return examine_own(data, trust, at) or examine_carefully(data, trust, at)


def examine_twice(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    """The same by both roads: where one calls sound what the other does not, a person must look."""
    own = examine_own(data, trust, at)
    careful = examine_carefully(data, trust, at)
    if own is None or _agree(own, careful):
        return careful
    failed = Check(CheckName.SECOND_OPINION, Result.FAILED)
    return replace(
        careful,
        outcome=Outcome.NEEDS_REVIEW,
        reasons=tuple(dict.fromkeys((Reason.ENGINES_DISAGREE, *careful.reasons))),
        checks=tuple(
            failed if check.name is CheckName.SECOND_OPINION else check for check in careful.checks
        ),
    )


def _agree(own: SignatureReport, careful: SignatureReport) -> bool:
    """Both say the same of the file; only the careful road asks the second engine."""
    return replace(own, checks=careful.checks) == careful


def examine_carefully(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    """What the seal in ``data`` is worth, with every step and a second engine. Never raises."""
    report = _examine_with_ends(data, trust, at)
    return replace(report, change=change_in(data, report))


def _examine_with_ends(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    """The whole file; where that says nothing definite, also what it was before something was added."""
    report = _examine_whole(data, trust, at)
    doubtful = _UNTOLD.intersection(report.reasons)
    if report.outcome is Outcome.SOUND or (report.last_good_bytes is not None and not doubtful):
        return report
    for end in _sealed_ends(data):
        before = _examine_whole(data[:end], trust, at)
        if before.outcome is Outcome.SOUND:
            # what was sealed is still there, whole; what follows spoilt the reading of it
            return replace(
                before,
                outcome=Outcome.ALTERED,
                reasons=tuple(dict.fromkeys((Reason.CHANGED_AFTER_SEAL, *report.reasons))),
                checks=report.checks,
                file_sha256=report.file_sha256,
                size_bytes=report.size_bytes,
                last_good_bytes=end,
            )
    return report


_UNTOLD = {Reason.PERMISSIONS_WRONG, Reason.SERIALS_WRONG}
"""What stands elsewhere than in the seal, so that a later revision can spoil it."""
_WRITTEN_RANGE = re.compile(rb"/ByteRange\s*\[\s*0+\s+\d{1,12}\s+(\d{1,12})\s+(\d{1,12})\s*\]")
_ENDS_MAX = 3


def _sealed_ends(data: bytes) -> list[int]:
    """Where sealed parts may end that are not the whole file, the longest first."""
    ends = {int(start) + int(length) for start, length in _WRITTEN_RANGE.findall(data)}
    return sorted((end for end in ends if 0 < end < len(data)), reverse=True)[:_ENDS_MAX]


def _examine_whole(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    examination = _Examination(data, trust, at)
    try:
        examination.run()
    except Unsound as stop:
        examination.note(stop.reason)
    except Exception:  # noqa: BLE001 - whatever a reader stumbles over asks for a person
        examination.note(Reason.UNUSUAL_STRUCTURE)
    return examination.report()


@dataclass(frozen=True, slots=True)
class _Seal:
    """The newest seal, once its cryptography is read."""

    found: FoundSignature
    range: Range
    signed: SignedData
    profile: Profile


class _Examination:
    """One file under examination; what was found so far is in the report when a step stops it."""

    def __init__(self, data: bytes, trust: Trust, at: datetime) -> None:
        self._data = data
        self._trust = trust
        self._at = at
        self._reasons: list[Reason] = []
        self._results: dict[CheckName, Result] = {}
        self._report = SignatureReport(
            Outcome.NEEDS_REVIEW, (), (), hashlib.sha256(data).digest(), len(data)
        )

    def run(self) -> None:
        """Every step in order. Raises :class:`Unsound` where going on would mean nothing."""
        self._check_header()
        reader, signatures = self._open()
        seals = [found for found in signatures if found.ours or self._is_by_us(reader, found)]
        if not seals:
            self._without_seal(reader, signatures)
        newest = seals[-1]
        self._keep(
            field=newest.field,
            earlier_serials=tuple(s.field.removeprefix(FIELD_PREFIX) for s in seals[:-1]),
            signing_time=claimed_time(newest),
        )
        seal = self._read_seal(reader, newest)
        self._check_serials(seal)
        moment = self._check_time(seal)
        self._check_chain(seal, moment)
        self._check_unchanged(reader, seal, signatures, moment)
        self._ask_second_engine(reader, seal, moment)

    def note(self, reason: Reason, check: CheckName | None = None) -> None:
        """This speaks against the file."""
        self._reasons.append(reason)
        if check is not None:
            self._results[check] = Result.FAILED

    def report(self) -> SignatureReport:
        """Everything that was found."""
        outcome = outcome_of(self._reasons, self._results)
        return replace(
            self._report,
            outcome=outcome,
            reasons=gravest_first(self._reasons, outcome),
            checks=tuple(
                Check(name, self._results.get(name, Result.NOT_CHECKED)) for name in CheckName
            ),
        )

    def _keep(self, **found: object) -> None:
        self._report = replace(self._report, **found)  # type: ignore[arg-type]  # names are checked

    def _passed(self, check: CheckName) -> None:
        self._results.setdefault(check, Result.PASSED)

    def _stop(self, reason: Reason, check: CheckName) -> Unsound:
        self._results[check] = Result.FAILED
        return Unsound(reason)

    def _check_header(self) -> None:
        if not self._data.startswith(b"%PDF-"):
            hidden = b"%PDF-" in self._data[:HEADER_SEARCH]
            reason = Reason.JUNK_BEFORE_HEADER if hidden else Reason.NOT_A_PDF
            raise self._stop(reason, CheckName.HEADER)
        self._passed(CheckName.HEADER)

    def _open(self) -> tuple[PdfFileReader, list[FoundSignature]]:
        try:
            reader = open_file(self._data)
            signatures = signatures_in(reader)
        except Unsound as stop:
            raise self._stop(stop.reason, CheckName.STRUCTURE) from stop
        except Exception as error:  # the reader raises whatever strange bytes make it stumble over
            raise self._stop(Reason.STRUCTURE_DAMAGED, CheckName.STRUCTURE) from error
        self._passed(CheckName.STRUCTURE)
        return reader, signatures

    def _is_by_us(self, reader: PdfFileReader, found: FoundSignature) -> bool:
        """A pinned key signed it, though its field does not say so."""
        try:
            seal = range_of(self._data, reader, found).seal
            return read_signed_data(seal).certificate in self._trust.seals
        except (Unsound, BadSignedData):
            return False

    def _without_seal(self, reader: PdfFileReader, signatures: Sequence[FoundSignature]) -> None:
        if signatures:
            self._name_signer(reader, signatures[-1])
            raise self._stop(Reason.FOREIGN_SIGNER, CheckName.SIGNER)
        if stands_outside_streams(self._data, reader, OURS_KEY.encode()):
            raise self._stop(Reason.SEAL_DAMAGED, CheckName.SIGNATURE)
        raise self._stop(Reason.NO_SEAL, CheckName.SIGNATURE)

    def _name_signer(self, reader: PdfFileReader, found: FoundSignature) -> None:
        self._keep(field=found.field, signing_time=claimed_time(found))
        try:
            certificate = read_signed_data(range_of(self._data, reader, found).seal).certificate
            self._keep(
                signer=subject_of(certificate), signer_sha256=hashlib.sha256(certificate).digest()
            )
        except (Unsound, BadSignedData, ValueError):
            self._keep(signer=None)  # a signature that cannot be read names nobody

    def _read_seal(self, reader: PdfFileReader, found: FoundSignature) -> _Seal:
        """The seal with its cryptography checked, and what it promises."""
        try:
            where = range_of(self._data, reader, found)
        except Unsound as stop:
            raise self._stop(stop.reason, CheckName.RANGE) from stop
        self._passed(CheckName.RANGE)
        digest = hashlib.sha256(self._data[: where.gap_start])
        digest.update(self._data[where.gap_end : where.end])
        self._keep(signed_sha256=digest.digest())
        try:
            signed = read_signed_data(where.seal)
        except BadSignedData as error:
            raise self._stop(Reason.SEAL_DAMAGED, CheckName.SIGNATURE) from error
        self._keep(
            signer=subject_of(signed.certificate),
            signer_sha256=hashlib.sha256(signed.certificate).digest(),
        )
        if signed.certificate not in self._trust.seals:
            raise self._stop(Reason.FOREIGN_SIGNER, CheckName.SIGNER)
        self._passed(CheckName.SIGNER)
        self._check_signature(signed, digest.digest())
        if where.end < len(self._data):
            self._keep(last_good_bytes=where.end)
        return _Seal(found, where, signed, self._check_permissions(reader, found))

    def _check_signature(self, signed: SignedData, digest: bytes) -> None:
        if signed.digest_algorithm != "sha256" or signed.content_type != "data":
            raise self._stop(Reason.SIGNATURE_WRONG, CheckName.SIGNATURE)
        try:
            check_signature(signed, digest)
        except BadSignedData as error:
            if error.why == "content_altered":
                self._passed(CheckName.SIGNATURE)
                raise self._stop(Reason.CONTENT_DAMAGED, CheckName.CONTENT) from error
            raise self._stop(Reason.SIGNATURE_WRONG, CheckName.SIGNATURE) from error
        self._passed(CheckName.SIGNATURE)
        self._passed(CheckName.CONTENT)

    def _check_permissions(self, reader: PdfFileReader, found: FoundSignature) -> Profile:
        level = docmdp_level(found)
        profile = _PROFILES.get(level)
        if profile is None or is_the_certification(reader, found) is (level is None):
            raise self._stop(Reason.PERMISSIONS_WRONG, CheckName.PERMISSIONS)
        self._passed(CheckName.PERMISSIONS)
        self._keep(profile=profile)
        return profile

    def _check_serials(self, seal: _Seal) -> None:
        entry = our_entry(seal.found)
        if (
            entry is None
            or not entry.serials
            or FIELD_PREFIX + entry.serials[0] != seal.found.field
            or len(set(entry.serials)) < len(entry.serials)
            or not 0 < entry.source_bytes < seal.range.gap_start
            or hashlib.sha256(self._data[: entry.source_bytes]).digest() != entry.source_sha256
        ):
            self.note(Reason.SERIALS_WRONG, CheckName.SERIALS)
            return
        self._passed(CheckName.SERIALS)
        self._keep(serials=entry.serials, source_sha256=entry.source_sha256)

    def _check_time(self, seal: _Seal) -> datetime:
        """The moment that the seal counts by: its time stamp's, or now where there is none."""
        if seal.signed.time_stamp is None:
            self.note(Reason.TIME_STAMP_MISSING, CheckName.TIME_STAMP)
            return self._at
        imprint = hashlib.sha256(seal.signed.signature).digest()
        try:
            token = read_token(seal.signed.time_stamp, imprint, self._trust.time_stamps)
        except BadSignedData:
            self.note(Reason.TIME_STAMP_WRONG, CheckName.TIME_STAMP)
            return self._at
        self._keep(time_stamp=token.time)
        try:
            chain = chain_of(token.certificate, self._trust.roots, self._trust.issuers, self._at)
            if revocation_of(chain, self._trust, token.time, self._at) is Reason.SIGNER_REVOKED:
                self.note(Reason.TIME_STAMP_WRONG, CheckName.TIME_STAMP)
        except ChainBroken as broken:
            # pinned, so it needs no chain; but a certificate that has run out proves nothing any more
            if broken.reason is Reason.CERTIFICATE_EXPIRED:
                self.note(Reason.TIME_STAMP_EXPIRED, CheckName.TIME_STAMP)
        self._passed(CheckName.TIME_STAMP)
        return token.time

    def _check_chain(self, seal: _Seal, moment: datetime) -> None:
        trust = self._trust
        try:
            chain = chain_of(seal.signed.certificate, trust.roots, trust.issuers, moment)
        except ChainBroken as broken:
            self.note(broken.reason, CheckName.CHAIN)
            return
        self._passed(CheckName.CHAIN)
        revoked = revocation_of(chain, trust, moment, self._at)
        if revoked is not None:
            self.note(revoked, CheckName.REVOCATION)
            return
        self._passed(CheckName.REVOCATION)

    def _check_unchanged(
        self,
        reader: PdfFileReader,
        seal: _Seal,
        signatures: Sequence[FoundSignature],
        moment: datetime,
    ) -> None:
        """Nothing follows the sealed part but what the seal allows, and no signature is out of place."""
        later = [s for s in signatures if s.revision > seal.found.revision]
        earlier = [s for s in signatures if s.revision < seal.found.revision]
        if seal.profile is not Profile.APPROVAL and len(signatures) > len(later) + 1:
            self.note(
                Reason.OTHER_SIGNATURES, CheckName.OTHER_SIGNERS
            )  # a certification is the first
        for found in earlier if seal.profile is Profile.APPROVAL else ():
            if found.ours and not self._holds(reader, found, moment):
                self.note(Reason.OTHER_SIGNATURES, CheckName.OTHER_SIGNERS)
        if seal.range.end == len(self._data):
            self._passed(CheckName.UNCHANGED)
            return
        if reader.xrefs.hybrid_xrefs_present:
            # two kinds of readers see two histories of such a file
            self.note(Reason.CHANGED_AFTER_SEAL, CheckName.UNCHANGED)
            return
        opinion = opinion_on_seal(reader, seal.found, self._trust, moment)
        evidence_only = (
            opinion.whole_revision
            and opinion.changes is ModificationLevel.LTA_UPDATES
            and "/DSS" in reader.root
        )
        if seal.profile is Profile.FINAL:
            reason = Reason.EVIDENCE_APPENDED if evidence_only else Reason.CHANGED_AFTER_SEAL
            self.note(reason, CheckName.UNCHANGED)
            return
        allowed = opinion.whole_revision and opinion.permitted and opinion.changes in _HARMLESS
        if not allowed or not later:
            self.note(Reason.CHANGED_AFTER_SEAL, CheckName.UNCHANGED)
            return
        self._check_later(reader, seal, later)

    def _check_later(
        self, reader: PdfFileReader, seal: _Seal, later: Sequence[FoundSignature]
    ) -> None:
        """Who signed after the seal did it in a field made for it, and nothing follows the last of them."""
        slots = empty_fields_at(reader, seal.found.revision)
        try:
            last = range_of(self._data, reader, later[-1])
        except Unsound:
            self.note(Reason.CHANGED_AFTER_SEAL, CheckName.UNCHANGED)
            return
        outside = [found for found in later if found.field not in slots]
        if last.end != len(self._data) or (seal.profile is Profile.OPEN and outside):
            self.note(Reason.CHANGED_AFTER_SEAL, CheckName.UNCHANGED)
            return
        self._passed(CheckName.UNCHANGED)
        for found in later:
            opinion = opinion_on_other(reader, found, self._trust, self._at)
            if not opinion.intact or not opinion.permitted:
                self.note(Reason.OTHER_SIGNATURES, CheckName.OTHER_SIGNERS)
            elif not opinion.valid:
                self.note(Reason.OTHER_SIGNER_UNKNOWN, CheckName.OTHER_SIGNERS)
        self._passed(CheckName.OTHER_SIGNERS)

    def _holds(self, reader: PdfFileReader, found: FoundSignature, moment: datetime) -> bool:
        """An earlier seal of ours is whole, and only signatures were added to it."""
        range_of(self._data, reader, found)
        opinion = opinion_on_seal(reader, found, self._trust, moment)
        return opinion.valid and opinion.whole_revision and opinion.changes in _HARMLESS

    def _ask_second_engine(self, reader: PdfFileReader, seal: _Seal, moment: datetime) -> None:
        if self._reasons:
            return  # it could only agree
        opinion = opinion_on_seal(reader, seal.found, self._trust, moment)
        whole = seal.range.end == len(self._data)
        agrees = (
            opinion.valid
            and opinion.permitted
            and opinion.whole_file is whole
            and (opinion.changes is ModificationLevel.NONE if whole else opinion.whole_revision)
        )
        if not agrees:
            self.note(Reason.ENGINES_DISAGREE, CheckName.SECOND_OPINION)
            return
        self._passed(CheckName.SECOND_OPINION)
