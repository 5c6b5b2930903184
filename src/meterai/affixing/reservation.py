"""Reserve: units held, serials drawn and bound, the row written; in one transaction, for many at once.

What is scarce here are a party's units. Locks are taken in one order: document, ledger accounts by id,
then new rows only, so that no two reservations can wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from meterai.affixing import documents, store
from meterai.affixing.errors import (
    AlreadyUnderWay,
    DocumentDeleted,
    NoPlaceYet,
    NoSuchDocument,
    PageMissing,
    QuotaShort,
    SameKeyOtherRequest,
    StampedBefore,
)
from meterai.affixing.model import (
    RECIPE,
    Affixing,
    AffixingState,
    Document,
    Lane,
    MarkPlace,
)
from meterai.channel import store as channels
from meterai.channel.model import ChannelId, Terms
from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger import journal
from meterai.ledger.model import Outcome
from meterai.pdf.inspection import Inspection, SealAs
from meterai.quota.reservation import open_accounts, reserve
from meterai.serial import store as serials
from meterai.serial.registry import draw_number


@dataclass(frozen=True, slots=True)
class AffixingWish:
    """What somebody wants affixed. ``id`` (and ``request_key``) make a repetition harmless."""

    id: UUID
    document: UUID
    party: UUID
    """Whose units are used."""
    channel: ChannelId
    """From which channel the units were bought; its terms hold."""
    lane: Lane
    marks: tuple[MarkPlace, ...] = ()
    """Where the marks stand; empty: one mark, where the document's own place says."""
    request_key: str | None = None
    repeat_wanted: bool = False
    """The person confirmed that the same document needs one more stamp."""

    @classmethod
    def for_document(
        cls, document: Document, *, lane: Lane = Lane.PEOPLE, party: UUID | None = None
    ) -> "AffixingWish":
        """One stamp at the document's place, for its owner."""
        return cls(
            new_id(), document.id, party or document.party, ChannelId(document.channel), lane
        )


async def reserve_all(
    connection: Connection, wishes: Sequence[AffixingWish]
) -> list[Affixing | MeteraiError]:
    """For each wish its affixing, waiting from now on, or the error why not; nothing half.

    A wish that was granted before (same id, or same request key and same document) gives the same
    affixing again.
    """
    answers: dict[UUID, Affixing | MeteraiError] = {}
    granted = await store.find_all(connection, [wish.id for wish in wishes])
    known = await documents.lock_all(connection, {wish.document for wish in wishes})
    fresh: list[tuple[AffixingWish, Affixing]] = []
    terms: dict[ChannelId, Terms] = {}
    for wish in wishes:
        try:
            before = granted.get(wish.id) or await _by_key(connection, wish)
            if before is not None:
                answers[wish.id] = before
                continue
            if wish.channel not in terms:
                terms[wish.channel] = await channels.terms_at(connection, wish.channel)
            document = _fit(wish, known.get(wish.document))
            if any(document.id == other.document for other, _ in fresh):
                raise AlreadyUnderWay
            await _refuse_unwanted_repeat(connection, wish, document)
            fresh.append((wish, await _draft(connection, wish, document, terms[wish.channel])))
        except MeteraiError as error:
            answers[wish.id] = error
    held = await _hold(connection, fresh)
    for (wish, affixing), outcome in zip(fresh, held, strict=True):
        answers[wish.id] = affixing if outcome.good else QuotaShort()
    await _write(
        connection, [pair for pair, outcome in zip(fresh, held, strict=True) if outcome.good]
    )
    return [answers[wish.id] for wish in wishes]


async def _by_key(connection: Connection, wish: AffixingWish) -> Affixing | None:
    if wish.request_key is None:
        return None
    before = await store.with_request_key(connection, wish.party, wish.request_key)
    if before is not None and before.document != wish.document:
        raise SameKeyOtherRequest
    return before


def _fit(wish: AffixingWish, document: Document | None) -> Document:
    if document is None:
        raise NoSuchDocument
    if document.deleted_at is not None:
        raise DocumentDeleted
    marks = wish.marks or ((document.place,) if document.place else ())
    if not marks:
        raise NoPlaceYet
    if any(not 1 <= mark.page <= document.pages for mark in marks):
        raise PageMissing(pages=document.pages)
    return document


async def _refuse_unwanted_repeat(
    connection: Connection, wish: AffixingWish, document: Document
) -> None:
    """The same document twice warns, within one owner only, and asks (rule 7 of a stamp's life)."""
    newest = await store.newest_of_document(connection, document.id)
    if newest is not None and not newest.state.final:
        raise AlreadyUnderWay
    if wish.repeat_wanted:
        return
    live = await store.live_with_source(connection, wish.party, document.sha256)
    if live is not None:
        raise StampedBefore


async def _draft(
    connection: Connection, wish: AffixingWish, document: Document, terms: Terms
) -> Affixing:
    reserved_at = await store.moment(connection)
    marks = wish.marks or ((document.place,) if document.place else ())
    return Affixing(
        id=wish.id,
        document=document.id,
        party=wish.party,
        channel=wish.channel,
        lane=wish.lane,
        units=len(marks),
        marks=marks,
        certify=_certify(document),
        recipe=RECIPE,
        source_sha256=document.sha256,
        # The signing time in the file has seconds only; the row says what the file will say.
        reserved_at=reserved_at.replace(microsecond=0),
        deadline=reserved_at + timedelta(seconds=terms.deadline_seconds),
        attempts=0,
        attempts_max=terms.attempts_max,
        state=AffixingState.WAITING,
        fence=0,
        seal_until=None,
        reason=None,
        object=None,
        signed_sha256=None,
        file_sha256=None,
        size=None,
        ended_at=None,
        certificate=None,
    )


def _certify(document: Document) -> int | None:
    """DocMDP by need: final documents forbid every change; those still to be signed allow signatures."""
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    if inspection.seal_as is SealAs.APPROVE:
        return None
    return 2 if document.still_to_sign else 1


async def _hold(
    connection: Connection, fresh: Sequence[tuple[AffixingWish, Affixing]]
) -> list[Outcome]:
    if not fresh:
        return []
    accounts = {}
    for party, channel in sorted({(a.party, a.channel) for _, a in fresh}):
        accounts[party, channel] = await open_accounts(connection, party, channel)
    groups = []
    for _, affixing in fresh:
        available, used = accounts[affixing.party, affixing.channel]
        groups.append([reserve(affixing.id, available=available, used=used, units=affixing.units)])
    return [outcome for (outcome,) in await journal.apply(connection, groups)]


async def _write(connection: Connection, pairs: Sequence[tuple[AffixingWish, Affixing]]) -> None:
    if not pairs:
        return
    await store.add(connection, [(affixing, wish.request_key) for wish, affixing in pairs])
    await serials.bind(
        connection,
        [
            serials.Binding(draw_number(), a.channel, a.party, a.id, position, a.source_sha256)
            for _, a in pairs
            for position in range(1, a.units + 1)
        ],
    )
    await put(connection, "affixing.reserved", [(a.id, {"units": a.units}) for _, a in pairs])
