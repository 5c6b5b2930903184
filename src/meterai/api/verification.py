"""Verdicts on stamped files."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from pydantic import BaseModel

from meterai.affixing.reception import refuse_size
from meterai.api.access import app_of
from meterai.verification.model import WORDS
from meterai.verification.reasons import SENTENCES
from meterai.verification.verify import verify

router = APIRouter(tags=["verifications"])
FILE_MAX = 32 * 1024 * 1024


class TrueFile(BaseModel):
    """What may be told of the document that a reused serial belongs to."""

    affixed_at: datetime
    pages: int


class Verification(BaseModel):
    """One verdict with its reason, and what was and was not checked."""

    verdict: str
    reason: str
    title: str
    title_en: str
    sentence: str
    sentence_en: str
    serials: list[str]
    sha256: str
    sealed_at: datetime | None
    signer: str | None
    true_file: TrueFile | None
    last_good_bytes: int | None
    checked: list[str]
    not_checked: list[str]


@router.post("/verifications")
async def create_verification(
    request: Request, file: Annotated[UploadFile, File()]
) -> Verification:
    """The verdict on a file. Public; the file is not kept."""
    app = app_of(request)
    content = await file.read()
    refuse_size(len(content), FILE_MAX)
    finding = await verify(app.database, app.intake, content)
    word, sentence = WORDS[finding.verdict], SENTENCES[finding.reason]
    true_file = finding.true_file
    return Verification(
        verdict=finding.verdict.value,
        reason=finding.reason,
        title=word.id,
        title_en=word.en,
        sentence=sentence.id,
        sentence_en=sentence.en,
        serials=list(finding.serials),
        sha256=finding.sha256.hex(),
        sealed_at=finding.sealed_at,
        signer=finding.signer,
        true_file=None
        if true_file is None
        else TrueFile(affixed_at=true_file.affixed_at, pages=true_file.pages),
        last_good_bytes=finding.last_good_bytes,
        checked=list(finding.checked),
        not_checked=list(finding.not_checked),
    )
