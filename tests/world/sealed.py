"""Sealed files, and what the verifier says of them."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from asn1crypto import cms

from meterai.clock import now
from meterai.pdf.increment import Prepared, Request, prepare
from meterai.signing.seal import Sealer
from meterai.signing.trust import Trust
from meterai.signing.validation import SignatureReport, examine
from world import pki
from world.documents import letter, request


@cache
def trust() -> Trust:
    return Trust.load(pki.trust_folder())


async def sealed(
    document: bytes | None = None,
    asked: Request | None = None,
    *,
    sealer: Sealer | None = None,
    by: Callable[[bytes, Request], Prepared] = prepare,
) -> bytes:
    """A letter, or another document, stamped and sealed; ``by`` is the road of the engine."""
    return await filled(by(document or letter(), asked or request()), sealer=sealer)


async def filled(prepared: Prepared, *, sealer: Sealer | None = None) -> bytes:
    seal = await (sealer or pki.sealer()).seal(prepared.digest)
    return prepared.sealed_with(seal)


def judged(data: bytes, at: datetime | None = None, **changes: Any) -> SignatureReport:
    """The report on ``data``, by the trust of the demo PKI with these changes."""
    return examine(data, replace(trust(), **changes), at or now())


def reasons(report: SignatureReport) -> set[str]:
    return {reason.value for reason in report.reasons}


def certificates_in(data: bytes) -> tuple[bytes, ...]:
    """Every certificate in every hexadecimal CMS of a file."""
    found = []
    for text in re.findall(rb"<([0-9A-Fa-f\s]{2000,})>", data):
        with contextlib.suppress(ValueError):
            der = bytes.fromhex(text.decode())
            info = cms.ContentInfo.load(der[: 4 + int.from_bytes(der[2:4], "big")])
            if info["content_type"].native == "signed_data":
                found += [choice.chosen.dump() for choice in info["content"]["certificates"]]
    return tuple(found)
