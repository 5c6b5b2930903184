"""Verdicts on stamped files."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, File, Request, UploadFile
from pydantic import BaseModel

from meterai.affixing.reception import refuse_size
from meterai.api.access import app_of
from meterai.errors import Invalid
from meterai.serial import store as serials
from meterai.serial.model import read_number
from meterai.verification.model import WORDS, against_registry
from meterai.verification.reasons import SENTENCES
from meterai.verification.verify import verify
from meterai.wiring import App

router = APIRouter(tags=["verifications"])
PAIRS_MAX = 5000
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
    change: str | None
    """How an altered file was changed: resaved, overlaid, appended, content, seal."""
    last_good_bytes: int | None
    """So many bytes from its beginning are still as they were sealed."""
    checked: list[str]
    not_checked: list[str]


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A serial, and the SHA-256 of the signed range that it stands in, in hexadecimal."""

    serial: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{22}$")]
    signed_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Pairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checker asks who keeps the files at home."""

    pairs: Annotated[list[Pair], msgspec.Meta(min_length=1, max_length=PAIRS_MAX)]


class Answer(BaseModel):
    """What the registry says of one pair; the seal itself was judged by the asker."""

    serial: str
    signed_sha256: str
    verdict: str
    reason: str
    true_file: TrueFile | None


class Answers(BaseModel):
    """One for each pair, in the same order."""

    answers: list[Answer]


@router.post(
    "/verifications",
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {"schema": msgspec.json.schema(Pairs)["$defs"]["Pairs"]}
            }
        }
    },
)
async def create_verification(
    request: Request, file: Annotated[UploadFile | None, File()] = None
) -> Verification | Answers:
    """The verdict on a file, or the registry's answers to up to 5,000 pairs of serial and digest. Public;
    a file is not kept.
    """
    app = app_of(request)
    if file is None:
        return await _answers(app, await request.body())
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
        change=finding.change,
        last_good_bytes=finding.last_good_bytes,
        checked=list(finding.checked),
        not_checked=list(finding.not_checked),
    )


async def _answers(app: App, body: bytes) -> Answers:
    """What the registry knows of each pair."""
    try:
        asked = msgspec.json.decode(body, type=Pairs).pairs
    except msgspec.DecodeError as error:
        raise Invalid from error
    numbers = {pair.serial: read_number(pair.serial) for pair in asked}
    async with app.database.reading() as connection:
        known = await serials.find_all(connection, [n for n in numbers.values() if n is not None])
    said = []
    for pair in asked:
        number = numbers[pair.serial]
        found = None if number is None else known.get(number)
        answer = against_registry([found], bytes.fromhex(pair.signed_sha256))
        true_file = answer.true_file
        said.append(
            Answer(
                serial=pair.serial,
                signed_sha256=pair.signed_sha256,
                verdict=answer.verdict.value,
                reason=answer.reason,
                true_file=None
                if true_file is None
                else TrueFile(affixed_at=true_file.affixed_at, pages=true_file.pages),
            )
        )
    return Answers(answers=said)
