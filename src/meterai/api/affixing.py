"""Stampings: a PDF in, a stamped PDF out, units held and used or given back on the way."""

import asyncio
import hashlib
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, File, Form, Header, Query, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import Response

from meterai.affixing import documents, reception, store
from meterai.affixing.errors import (
    NoSuchDocument,
    NotAffixed,
    NothingRestored,
    QuotaShort,
    SameKeyOtherRequest,
)
from meterai.affixing.model import Affixing, AffixingState, Document, Lane, MarkPlace
from meterai.affixing.placing import CORNERS, as_suggested, corner_place, exact_place, page_at
from meterai.affixing.reception import Arrival
from meterai.affixing.reservation import AffixingWish
from meterai.api.access import Reader, Stamper, app_of
from meterai.channel.model import ChannelId
from meterai.clock import monotonic
from meterai.errors import Invalid
from meterai.ids import new_id
from meterai.pdf.inspection import Inspection
from meterai.people.model import Party
from meterai.quota.balance import holdings
from meterai.serial import store as serials
from meterai.wiring import App

router = APIRouter(tags=["stampings"])
WAIT_MAX_S = 25.0

Position = Literal["suggested", "bottom-right", "bottom-left", "top-right", "top-left"]


class Stamping(BaseModel):
    """One stamping as it stands now."""

    id: UUID
    state: Literal["waiting", "working", "affixed", "restored", "cancelled"]
    final: bool = Field(description="Nothing changes any more")
    file_name: str
    document_sha256: str = Field(description="Of the document as it was sent")
    file_sha256: str | None = Field(description="Of the stamped file; null until affixed")
    serials: list[str]
    units: int
    units_restored: int = Field(description="Units that came back")
    reason: str | None = Field(description="Why it waits again, or why units came back")
    attempts: int
    reserved_at: datetime
    deadline: datetime
    ended_at: datetime | None


def _stamping(document: Document, affixing: Affixing, numbers: list[str]) -> Stamping:
    back = affixing.state in (AffixingState.RESTORED, AffixingState.CANCELLED)
    return Stamping(
        id=affixing.id,
        state=affixing.state.value,
        final=affixing.state.final,
        file_name=document.file_name,
        document_sha256=affixing.source_sha256.hex(),
        file_sha256=None if affixing.file_sha256 is None else affixing.file_sha256.hex(),
        serials=numbers,
        units=affixing.units,
        units_restored=affixing.units if back else 0,
        reason=None if affixing.reason is None else affixing.reason.value,
        attempts=affixing.attempts,
        reserved_at=affixing.reserved_at,
        deadline=affixing.deadline,
        ended_at=affixing.ended_at,
    )


class _Where(BaseModel):
    page: int = -1
    position: Position = "suggested"
    left_mm: float | None = None
    top_mm: float | None = None


@router.post("/stampings", status_code=201)
async def create_stamping(
    request: Request,
    caller: Stamper,
    file: Annotated[UploadFile, File(description="The PDF")],
    page: Annotated[int, Form(description="From 1; -1 is the last page")] = -1,
    position: Annotated[Position, Form()] = "suggested",
    left_mm: Annotated[float | None, Form(description="From the left edge as seen")] = None,
    top_mm: Annotated[float | None, Form(description="From the top edge as seen")] = None,
    document_kind: Annotated[str | None, Form(max_length=40)] = None,
    document_number: Annotated[str | None, Form(max_length=80)] = None,
    document_date: Annotated[date | None, Form()] = None,
    repeat: Annotated[
        bool, Form(description="One more stamp on a document stamped before")
    ] = False,
    repair: Annotated[
        bool, Form(description="A file with a broken structure may be repaired first")
    ] = False,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Stamping:
    """A document is received, units are held, and it waits to be stamped.

    The same ``Idempotency-Key`` with the same document gives the same stamping again; with another
    document it is refused.
    """
    app = app_of(request)
    content = await file.read()
    before = await _same_request(app, caller, idempotency_key, content)
    if before is not None:
        return before
    received = await reception.receive(
        app.database,
        app.objects,
        app.intake,
        Arrival(app.channel, file.filename or "document.pdf", content, caller, repair),
    )
    where = _Where(page=page, position=position, left_mm=left_mm, top_mm=top_mm)
    place = await _place(app, received.document, received.content, where)
    async with app.database.transaction() as connection:
        await documents.set_place(connection, received.document.id, place, still_to_sign=False)
        await documents.set_details(
            connection,
            received.document.id,
            documents.Details(document_kind, document_number, document_date),
        )
        held = await holdings(connection, caller.id)
    channel = next((h.channel for h in held if h.available > 0), None)
    if channel is None:
        raise QuotaShort
    granted = await app.reservations.submit(
        AffixingWish(
            id=new_id(),
            document=received.document.id,
            party=caller.id,
            channel=ChannelId(channel),
            lane=Lane.BULK,
            request_key=idempotency_key,
            repeat_wanted=repeat,
        )
    )
    return await _shown(app, granted)


async def _same_request(
    app: App, caller: Party, key: str | None, content: bytes
) -> Stamping | None:
    if key is None:
        return None
    async with app.database.reading() as connection:
        before = await store.with_request_key(connection, caller.id, key)
        if before is None:
            return None
        document = await documents.find(connection, before.document)
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    if inspection.sha256 != hashlib.sha256(content).hexdigest():  # as it came, before any repair
        raise SameKeyOtherRequest
    return await _shown(app, before)


async def _place(app: App, document: Document, content: bytes, where: _Where) -> MarkPlace:
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    number = page_at(inspection, where.page)
    if where.left_mm is not None or where.top_mm is not None:
        if where.left_mm is None or where.top_mm is None:
            raise Invalid
        return exact_place(inspection, number, left_mm=where.left_mm, top_mm=where.top_mm)
    if where.position == "suggested":
        return as_suggested(await app.intake.suggest(content, number))
    return corner_place(inspection, number, CORNERS[where.position])


async def _shown(app: App, affixing: Affixing) -> Stamping:
    async with app.database.reading() as connection:
        current = await store.find(connection, affixing.id)
        assert current is not None
        document = await documents.find(connection, current.document)
        numbers = [s.number for s in await serials.of_affixing(connection, current.id)]
    return _stamping(document, current, list(numbers))


async def _own(app: App, caller: Party, id: UUID) -> Affixing:
    async with app.database.reading() as connection:
        affixing = await store.find(connection, id)
    if affixing is None or affixing.party != caller.id:
        raise NoSuchDocument
    return affixing


@router.get("/stampings/{id}")
async def read_stamping(
    request: Request,
    caller: Reader,
    id: UUID,
    wait: Annotated[
        float, Query(ge=0, le=WAIT_MAX_S, description="Seconds to wait for its end")
    ] = 0,
) -> Stamping:
    """The stamping as it stands now, or as soon as it has ended within ``wait`` seconds."""
    app = app_of(request)
    until = monotonic() + wait
    affixing = await _own(app, caller, id)
    while not affixing.state.final and monotonic() < until:
        await asyncio.sleep(0.1)
        affixing = await _own(app, caller, id)
    return await _shown(app, affixing)


@router.get("/stampings/{id}/file", response_class=Response)
async def read_file(request: Request, caller: Reader, id: UUID) -> Response:
    """The stamped PDF."""
    app = app_of(request)
    affixing = await _own(app, caller, id)
    if affixing.state is not AffixingState.AFFIXED or affixing.object is None:
        raise NotAffixed
    return Response(await app.objects.get(affixing.object), media_type="application/pdf")


@router.get("/stampings/{id}/certificate", response_class=Response)
async def read_certificate(request: Request, caller: Reader, id: UUID) -> Response:
    """The restoration certificate of a stamping that gave its units back, as a compact JWS."""
    affixing = await _own(app_of(request), caller, id)
    if affixing.certificate is None:
        raise NothingRestored
    return Response(affixing.certificate, media_type="application/jose")
