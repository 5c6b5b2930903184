"""The fast road: a whole seal of ours in a file that our engines wrote, judged without any reader of documents.

It only ever says *sound*. Whatever it does not know, and whatever is wrong, is for the careful road
(:mod:`meterai.signing.validation`) to judge and to name.
"""

import hashlib
from datetime import datetime

from meterai.signing.own.anchors import anchors_of
from meterai.signing.own.cms import moment_of, signer_of_seal, take_apart, time_of
from meterai.signing.own.file import OwnFile, Unfamiliar, read_own_file
from meterai.signing.report import (
    Check,
    CheckName,
    Outcome,
    Profile,
    Result,
    SignatureReport,
)
from meterai.signing.trust import Trust

_NOT_LOOKED_AT = {CheckName.SECOND_OPINION, CheckName.OTHER_SIGNERS, CheckName.REGISTRY}
_CHECKS = tuple(
    Check(name, Result.NOT_CHECKED if name in _NOT_LOOKED_AT else Result.PASSED)
    for name in CheckName
)
_PROFILES = {1: Profile.FINAL, 2: Profile.OPEN}


def examine_own(data: bytes, trust: Trust, at: datetime) -> SignatureReport | None:
    """The report on a sound file of ours; None when this road does not know."""
    try:
        return _examine(data, trust, at)
    except Unfamiliar:
        return None


def _examine(data: bytes, trust: Trust, at: datetime) -> SignatureReport:
    anchors = anchors_of(trust)
    file = read_own_file(data)
    parts = take_apart(file.seal, anchors)
    if parts.content is not None:
        raise Unfamiliar
    signer = signer_of_seal(file.seal, parts, anchors, at)
    source, signed, whole = _digests(data, file)
    if source != file.source_sha256 or signed != parts.message_digest:
        raise Unfamiliar
    if not signer.signed(parts.attributes, parts.signature):
        raise Unfamiliar
    moment = time_of(parts, anchors, at)
    if not signer.standing.holds(moment, at):
        raise Unfamiliar
    return SignatureReport(
        outcome=Outcome.SOUND,
        reasons=(),
        checks=_CHECKS,
        file_sha256=whole,
        size_bytes=len(data),
        serials=file.serials,
        profile=_PROFILES[file.level],
        field=file.field,
        signed_sha256=signed,
        source_sha256=source,
        signer=signer.subject,
        signer_sha256=signer.sha256,
        signing_time=moment_of(file.said_time.removeprefix("D:").encode()),
        time_stamp=moment,
    )


def _digests(data: bytes, file: OwnFile) -> tuple[bytes, bytes, bytes]:
    """SHA-256 of the document before, of the signed range, and of the whole file."""
    view = memoryview(data)
    running = hashlib.sha256(view[: file.source_bytes])
    source = running.digest()
    running.update(view[file.source_bytes : file.gap_start])
    whole = running.copy()
    whole.update(view[file.gap_start :])
    running.update(view[file.gap_end :])
    return source, running.digest(), whole.digest()
