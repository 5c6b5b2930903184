"""Looking a document over before anything is promised: may it be stamped, how, and what should be known.

Written for strangers' files: every step is bounded, nothing is drawn, and whatever a file is made to do
ends as a finding. The last step is a trial: a mark is really prepared on it, so that *accept* means that it
will work.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from itertools import product

import pikepdf
import pypdfium2

from meterai.pdf.contents import Contents, walk
from meterai.pdf.document import read_document
from meterai.pdf.envelope import check_envelope
from meterai.pdf.errors import (
    CannotStamp,
    EncryptionNotSupported,
    NoRoom,
    PasswordNeeded,
    TooComplex,
    TooLarge,
    Unreadable,
)
from meterai.pdf.findings import Finding, Note, error_of, note, refusal
from meterai.pdf.increment import Mark, Request, prepare
from meterai.pdf.inflation import Budget
from meterai.pdf.mark import MARK_MM
from meterai.pdf.model import Box, PageShape, Place
from meterai.pdf.picture import is_password_error
from meterai.pdf.repair import REPAIRABLE, repaired
from meterai.pdf.structure import Signature, SignatureBox, Structure, structure_of

_A3 = (297.0, 420.0)
_SLACK_MM = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost."""

    size_bytes: int = 10 * 1024 * 1024
    objects: int = 200_000
    pages: int = 2_000
    stream_bytes: int = 128 * 1024 * 1024
    """Any one stream, unpacked; a page scanned in colour at 600 dpi has 105 million."""
    unpacked_bytes: int = 512 * 1024 * 1024
    """All streams together."""


class Verdict(Enum):
    """Whether the document may be stamped."""

    ACCEPT = "accept"
    ACCEPT_WITH_NOTE = "accept_with_note"
    """Yes, and there is something to know."""
    REPAIR = "repair"
    """Yes, after it was written anew, which the person must be told before paying."""
    REFUSE = "refuse"


class Encryption(Enum):
    """How the document is locked."""

    NONE = "none"
    EMPTY_PASSWORD = "empty_password"  # noqa: S105 - no secret, the name of a state
    """Encrypted, but anybody can open it."""


class SealAs(Enum):
    """What kind of signature the seal must be."""

    CERTIFY = "certify"
    """The first signature: it may forbid changes."""
    APPROVE = "approve"
    """One beside the signatures that are there."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a document is like. JSON-able: it crosses the border of a process."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    sha256: str
    size_bytes: int
    pages: int = 0
    shapes: tuple[PageShape, ...] = ()
    version: str = ""
    encryption: Encryption = Encryption.NONE
    signatures: tuple[Signature, ...] = ()
    certified: int | None = None
    """DocMDP level in force."""
    signature_boxes: tuple[SignatureBox, ...] = ()
    serials: tuple[str, ...] = ()
    """Of our own marks that are sealed in it already."""
    unmarkable_pages: tuple[int, ...] = ()
    """Pages that no mark may stand on: shown at several places, or drawn differently by different programs."""
    revisions: int = 0
    seal_as: SealAs | None = None
    """None when it is refused."""
    cured: str = ""
    """With ``REPAIR`` the code of what was wrong. All else here then describes the repaired document, but
    for ``sha256`` and ``size_bytes``."""

    def refusal(self) -> CannotStamp | None:
        """Why it cannot be stamped, if it cannot."""
        refusing = [finding for finding in self.findings if finding.refuses]
        return error_of(refusing[0]) if refusing else None


def inspect(document: bytes, limits: Limits = Limits()) -> Inspection:
    """What the document is like, and whether it may be stamped. Never raises for a strange document."""
    inspector = _Inspector(document, limits)
    try:
        inspector.look()
    except REPAIRABLE as error:
        return _after_repair(document, limits, error) or inspector.refused(error)
    except CannotStamp as error:
        return inspector.refused(error)
    return inspector.accepted()


def repair(document: bytes, limits: Limits = Limits()) -> bytes:
    """The document as it is kept and stamped when its verdict is ``REPAIR``: written anew.

    Raises classes below :class:`~meterai.pdf.errors.CannotStamp`.
    """
    return repaired(document, _budget(limits), objects_max=limits.objects)


def _budget(limits: Limits) -> Budget:
    return Budget(limits.unpacked_bytes, limits.stream_bytes, limits.stream_bytes // 4)


def _after_repair(document: bytes, limits: Limits, error: CannotStamp) -> Inspection | None:
    """What the repaired document is like; None if it cannot be repaired, or not stamped even then."""
    try:
        inspector = _Inspector(repair(document, limits), limits)
        inspector.look()
    except CannotStamp:
        return None
    found = inspector.accepted()
    return replace(
        found,
        verdict=Verdict.REPAIR,
        findings=(note(Note.REPAIRED), *found.findings),
        sha256=hashlib.sha256(document).hexdigest(),
        size_bytes=len(document),
        cured=error.code,
    )


class _Inspector:
    """One inspection under way: what was seen so far is kept when a step refuses."""

    def __init__(self, document: bytes, limits: Limits) -> None:
        self._document = document
        self._limits = limits
        self._notes: list[Note] = []
        self._seen = Inspection(
            Verdict.REFUSE, (), hashlib.sha256(document).hexdigest(), len(document)
        )

    def look(self) -> None:
        """In order of price: bytes, then objects, then structure, then a trial."""
        limits, document = self._limits, self._document
        if len(document) > limits.size_bytes:
            raise TooLarge(size_kb=len(document) // 1024, limit_kb=limits.size_bytes // 1024)
        if check_envelope(document):
            self._notes.append(Note.TRAILING_BYTES)
        contents = walk(document, _budget(limits), objects_max=limits.objects)
        try:
            structure = read_document(document, structure_of)
        except PasswordNeeded as error:
            # qpdf opened it without a password, so what is missing is not a password
            raise EncryptionNotSupported from error
        self._keep(structure, contents)
        if structure.refusal is not None:
            raise structure.refusal
        if len(structure.shapes) > limits.pages:
            raise TooComplex
        odd = _odd_pages(document, structure.points)
        if contents.pages != len(structure.shapes) or len(odd) == len(structure.shapes):
            raise Unreadable  # programs see different documents in it
        unmarkable = structure.shared | odd
        self._seen = replace(self._seen, unmarkable_pages=tuple(sorted(unmarkable)))
        _try(document, structure, unmarkable)

    def _keep(self, structure: Structure, contents: Contents) -> None:
        self._seen = replace(
            self._seen,
            pages=len(structure.shapes),
            shapes=structure.shapes,
            version=structure.version,
            encryption=Encryption.EMPTY_PASSWORD if contents.encrypted else Encryption.NONE,
            signatures=structure.signatures,
            certified=structure.certified,
            signature_boxes=structure.boxes,
            serials=structure.serials,
            revisions=structure.revisions,
        )
        noted = {
            Note.READ_WITH_CARE: not structure.strict or contents.warnings > 0,
            Note.SEVERAL_REVISIONS: structure.revisions > 1,
            Note.ALREADY_SIGNED: bool(structure.signatures),
            Note.SIGNATURE_FIELDS: structure.empty_fields,
            Note.EMPTY_PASSWORD: contents.encrypted,
            Note.LARGE_PAGE: any(map(_larger_than_a3, structure.shapes)),
            Note.STATIC_FORM: structure.static_form,
            Note.PDFA: structure.pdfa,
        }
        self._notes.extend(sorted(contents.notes, key=lambda kind: kind.value))
        self._notes.extend(kind for kind, holds in noted.items() if holds)

    def refused(self, error: CannotStamp) -> Inspection:
        """The result when a step refused."""
        return replace(self._seen, findings=(refusal(error), *map(note, self._notes)))

    def accepted(self) -> Inspection:
        """The result when none did."""
        return replace(
            self._seen,
            verdict=Verdict.ACCEPT_WITH_NOTE if self._notes else Verdict.ACCEPT,
            findings=tuple(map(note, self._notes)),
            seal_as=SealAs.APPROVE if self._seen.signatures else SealAs.CERTIFY,
        )


def _larger_than_a3(shape: PageShape) -> bool:
    short, long = sorted((shape.width_mm, shape.height_mm))
    return short > _A3[0] + _SLACK_MM or long > _A3[1] + _SLACK_MM


def _odd_pages(document: bytes, points: tuple[tuple[float, float], ...]) -> frozenset[int]:
    """Pages to which pdfium, which draws them for people, gives another size.

    Raises :class:`Unreadable` when it sees another number of pages, or cannot open the document.
    """
    try:
        with pypdfium2.PdfDocument(document) as opened:
            if len(opened) != len(points):
                raise Unreadable
            seen = [opened.get_page_size(index) for index in range(len(opened))]
    except pypdfium2.PdfiumError as error:
        if is_password_error(error):  # qpdf opened it without one
            raise EncryptionNotSupported from error
        raise Unreadable from error
    return frozenset(
        number
        for number, (ours, theirs) in enumerate(zip(points, seen, strict=True), 1)
        if any(abs(a - b) > 1 + 0.02 * a for a, b in zip(ours, theirs, strict=True))
    )


_TRIAL_SERIAL = "0" * 22
_TRIAL_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _try(document: bytes, structure: Structure, unmarkable: frozenset[int]) -> None:
    """A mark is really prepared on the first page with room, and the result opened again.

    Raises whatever stamping would, and :class:`Unreadable` when another program cannot follow the update.
    """
    place = next(_free_places(structure, unmarkable), None)
    if place is None:
        raise NoRoom
    certify = None if structure.signatures else 1
    mark = Mark(_TRIAL_SERIAL, "HTTPS://M.TEST/", place)
    trial = prepare(document, Request((mark,), _TRIAL_TIME, 1024, certify))
    _check_followed(trial.sealed_with(b""), len(structure.shapes))


def _free_places(structure: Structure, unmarkable: frozenset[int]) -> Iterator[Place]:
    for number, shape in enumerate(structure.shapes, 1):
        if number in unmarkable:
            continue
        covered = [b.box for b in structure.boxes if b.page == number]
        lefts = _steps(shape.width_mm - MARK_MM)
        for left, top in product(lefts, _steps(shape.height_mm - MARK_MM)):
            mark = Box(left, top, MARK_MM, MARK_MM)
            if not any(mark.overlaps(box) for box in covered):
                yield Place(number, left, top)
                break


def _steps(room: float) -> list[float]:
    """From one edge to the other, in forty steps."""
    return [] if room < 0 else [room * step / 40 for step in range(41)]


def _check_followed(whole: bytes, pages: int) -> None:
    try:
        with pikepdf.open(io.BytesIO(whole), suppress_warnings=True) as pdf:
            names = [str(field.get("/T", "")) for field in pdf.Root.AcroForm.Fields]
            followed = len(pdf.pages) == pages and any(_TRIAL_SERIAL in name for name in names)
    except Exception as error:  # pikepdf hands on whatever qpdf stumbles over
        raise Unreadable from error
    if not followed:
        raise Unreadable
