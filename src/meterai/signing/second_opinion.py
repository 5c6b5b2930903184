"""What pyHanko's validator thinks, as the second of two engines that must agree.

It knows rules that the first engine does not even try: path building by RFC 5280, and the careful comparison of
two revisions that decides whether what was added to a signed document is harmless.
"""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from meterai.signing.sealed_file import FoundSignature
from meterai.signing.trust import Trust

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opinion:
    """About one signature of a file."""

    valid: bool
    """Signature, content, chain, time stamp and permissions hold."""
    intact: bool
    """Signature and content hold, whoever made it."""
    whole_file: bool
    whole_revision: bool
    """The whole file, or all of it up to the end of its revision."""
    changes: ModificationLevel
    """What was changed since."""
    permitted: bool
    """The changes are within what the signature itself permits."""


def opinion_on_seal(
    reader: PdfFileReader, signature: FoundSignature, trust: Trust, moment: datetime
) -> Opinion:
    """PyHanko on a seal of ours, its certificate judged at ``moment``; nothing is fetched.

    Raises whatever the validator raises.
    """
    return _ask(reader, signature, trust, context_for(trust, trust.roots, moment, "hard-fail"))


def opinion_on_other(
    reader: PdfFileReader, signature: FoundSignature, trust: Trust, moment: datetime
) -> Opinion:
    """PyHanko on somebody else's signature: revocation counts where a list is at hand.

    Raises whatever the validator raises.
    """
    roots = (*trust.roots, *trust.others)
    return _ask(reader, signature, trust, context_for(trust, roots, moment, "soft-fail"))


def _ask(
    reader: PdfFileReader, signature: FoundSignature, trust: Trust, context: ValidationContext
) -> Opinion:
    embedded = EmbeddedPdfSignature(reader, signature.field_dictionary, signature.field)
    # the authorities of time stamps are pinned: each is its own root
    roots = (*trust.roots, *trust.others, *trust.time_stamps)
    stamps = context_for(trust, roots, context.moment, "soft-fail")
    return _read(completed(async_validate_pdf_signature(embedded, context, stamps)))


def context_for(
    trust: Trust, roots: Sequence[bytes], moment: datetime, revocation: str
) -> ValidationContext:
    """What pyHanko may believe at this moment: these roots, our issuers and lists, nothing from outside."""
    return ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in roots],
        other_certs=[x509.Certificate.load(der) for der in trust.issuers],
        crls=list(trust.revocations),
        moment=moment,
        revocation_mode=revocation,
        retroactive_revinfo=True,  # lists are newer than the seals they speak of
        allow_fetching=False,
    )


def _read(status: PdfSignatureStatus) -> Opinion:
    covered = status.coverage
    return Opinion(
        valid=bool(status.bottom_line),
        intact=bool(status.intact and status.valid),
        whole_file=covered is SignatureCoverageLevel.ENTIRE_FILE,
        whole_revision=covered
        in {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION},
        changes=status.modification_level or ModificationLevel.OTHER,
        permitted=bool(status.docmdp_ok),
    )


def completed(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never waits: pyHanko's validator, once it may fetch nothing.

    So it can be asked from plain functions, inside and outside an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    coroutine.close()
    raise RuntimeError("the validator waited for something")
