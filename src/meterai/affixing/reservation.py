"""Reserve: units held, serials drawn and bound, the row written; in one transaction, for many at once.

What is scarce here are a party's units. Locks are taken in one order: documents, turns, ledger accounts by id,
then new rows only, so that no two reservations can wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    known = await documents.lock_all(connection, {wish.document for wish in wishes})
    earlier = await _look_back(connection, wishes, known)
    moment = await store.moment(connection)
    answers: dict[UUID, Affixing | MeteraiError] = {}
    fresh: list[tuple[AffixingWish, Affixing]] = []
    terms: dict[ChannelId, Terms] = {}
    for wish in wishes:
        try:
            before = earlier.same_request(wish, known.get(wish.document))
            if before is not None:
                answers[wish.id] = before
                continue
            document = _fit(wish, known.get(wish.document))
            earlier.refuse_unwanted_repeat(wish, document)
            if wish.channel not in terms:
                terms[wish.channel] = await channels.terms_at(connection, wish.channel)
            affixing = _draft(wish, document, terms[wish.channel], moment)
            earlier.remember(wish, affixing)
            fresh.append((wish, affixing))
        except MeteraiError as error:
            answers[wish.id] = error
    for affixing, outcome in await _hold(connection, fresh):
        answers[affixing.id] = affixing if outcome.good else QuotaShort()
    granted = [pair for pair in fresh if pair[1] is answers[pair[1].id]]
    await _write(connection, granted)
    return [_answer(answers, answers[wish.id]) for wish in wishes]


def _answer(
    answers: dict[UUID, Affixing | MeteraiError], answer: Affixing | MeteraiError
) -> Affixing | MeteraiError:
    """A repetition inside the batch shares the fate of what it repeats."""
    return answer if isinstance(answer, MeteraiError) else answers.get(answer.id, answer)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What was granted before; it cannot change any more while this transaction lasts."""

    by_id: dict[UUID, Affixing]
    by_key: dict[tuple[UUID, str], Affixing]
    under_way: set[UUID]
    """Documents that are being affixed."""
    live: set[tuple[UUID, bytes]]
    """Parties and the documents they have affixed or are affixing."""

    def same_request(self, wish: AffixingWish, document: Document | None) -> Affixing | None:
        """What the same request was granted, whatever became of its document since.

        Raises :class:`SameKeyOtherRequest`.
        """
        before = self.by_id.get(wish.id)
        if before is None and wish.request_key is not None:
            before = self.by_key.get((wish.party, wish.request_key))
        if before and document and before.source_sha256 != document.sha256:
            raise SameKeyOtherRequest
        return before

    def refuse_unwanted_repeat(self, wish: AffixingWish, document: Document) -> None:
        """The same document twice warns, within one owner only, and asks (rule 7 of a stamp's life)."""
        if document.id in self.under_way:
            raise AlreadyUnderWay
        if not wish.repeat_wanted and (wish.party, document.sha256) in self.live:
            raise StampedBefore

    def remember(self, wish: AffixingWish, affixing: Affixing) -> None:
        """What follows in the same batch sees this one."""
        self.by_id[affixing.id] = affixing
        if wish.request_key is not None:
            self.by_key[wish.party, wish.request_key] = affixing
        self.under_way.add(affixing.document)
        self.live.add((affixing.party, affixing.source_sha256))


async def _look_back(
    connection: Connection, wishes: Sequence[AffixingWish], known: dict[UUID, Document]
) -> _Earlier:
    keys = [(w.party, w.request_key) for w in wishes if w.request_key is not None]
    sources = [(w.party, known[w.document].sha256) for w in wishes if w.document in known]
    # Two requests with one key, or for one document sent twice, may come to two processes at once.
    await store.take_turns(
        connection,
        [party.bytes + key.encode() for party, key in keys]
        + [party.bytes + sha256 for party, sha256 in sources],
    )
    return _Earlier(
        by_id=await store.find_all(connection, [wish.id for wish in wishes]),
        by_key=await store.with_request_keys(connection, keys),
        under_way=await store.documents_under_way(connection, known),
        live=await store.live_sources(connection, sources),
    )


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


def _draft(wish: AffixingWish, document: Document, terms: Terms, reserved_at: datetime) -> Affixing:
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
        road=None,
    )


def _certify(document: Document) -> int | None:
    """DocMDP by need: final documents forbid every change; those still to be signed allow signatures."""
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    if inspection.seal_as is SealAs.APPROVE:
        return None
    return 2 if document.still_to_sign else 1


async def _hold(
    connection: Connection, fresh: Sequence[tuple[AffixingWish, Affixing]]
) -> list[tuple[Affixing, Outcome]]:
    if not fresh:
        return []
    accounts = {}
    for party, channel in sorted({(a.party, a.channel) for _, a in fresh}):
        accounts[party, channel] = await open_accounts(connection, party, channel)
    groups = []
    for _, affixing in fresh:
        available, used = accounts[affixing.party, affixing.channel]
        groups.append([reserve(affixing.id, available=available, used=used, units=affixing.units)])
    outcomes = await journal.apply(connection, groups)
    return [(a, outcome) for (_, a), (outcome,) in zip(fresh, outcomes, strict=True)]


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
