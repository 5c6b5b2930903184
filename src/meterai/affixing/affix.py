"""The story of a stamp, in order: claim, stamp, seal, store, settle. What fails gives back.

No transaction is open while a file is made. Everything irreversible is written down before: the row holds
the units, the serials and the document's digest, and from it alone the same bytes follow every time.

Many stamps go through each step together, because what a step costs is mostly paid once: a transaction, a wait
for the disk, a turn of a thread. Still each has its own end: one that fails on the way leaves the others alone.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from meterai.affixing import store
from meterai.affixing.errors import BreaksSignatures
from meterai.affixing.model import (
    LEASE,
    Affixing,
    Claim,
    Reason,
    may_try_again,
    pause_after,
)
from meterai.affixing.restoration import StatementSigner, restore
from meterai.affixing.store import Sealed
from meterai.clock import monotonic
from meterai.db.connection import Connection, Database
from meterai.db.errors import DatabaseUnavailable
from meterai.db.outbox import put
from meterai.errors import MeteraiError
from meterai.ledger import journal
from meterai.objects.errors import ObjectDamaged, ObjectMissing, StoreUnavailable
from meterai.objects.store import Objects
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Mark, Prepared, Request, prepare
from meterai.pdf.model import Place
from meterai.pdf.road import Road
from meterai.quota.reservation import settle as settle_units
from meterai.serial import store as serials
from meterai.signing.errors import SignerUnavailable, TimeStampUnavailable
from meterai.signing.seal import Sealer
from meterai.signing.survival import lost_signatures

_log = structlog.get_logger(__name__)

POINTS = ("claimed", "stamped", "sealed", "stored", "settling", "settled")
"""The named crash points, one after each step; the fault tests kill a real worker at each."""


Watch = Callable[[str, UUID], Awaitable[None]]
"""Told (point, affixing)."""


async def _pass(_point: str, _affixing: UUID) -> None:
    """Nothing happens at a point."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """What an affixing is made with; built once by wiring."""

    database: Database
    objects: Objects
    sealer: Sealer
    signer: StatementSigner
    address_of: Callable[[str], str]
    """The address that the QR code of a serial holds."""
    at: Watch = _pass
    """Told each point as it is reached; the fault tests end the process there."""


class Lost(Exception):
    """The claim is no longer the newest, or its time to seal is over. The file must not be made."""


SETTLE_PATIENCE_S = 15.0
"""How long a worker that holds finished files waits for a lost database."""
SETTLE_PAUSE_S = 0.5
BATCH = 32
"""Affixings that go through the steps together, where so many wait."""
BATCH_BYTES = 24 * 1024 * 1024
"""Large documents go in smaller company: so much of them is in memory at a time, a few times over."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Piece(Generic[Made]):
    """What a step made for a claim."""

    claim: Claim
    until: float
    """When its permission to seal ends, by this process's own clock."""
    made: Made


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A document with its marks; already sealed where the claim before left a complete file."""

    prepared: Prepared
    whole: bytes | None


@dataclass(frozen=True, slots=True)
class _Whole:
    """A sealed file, and the digest over its signed range."""

    content: bytes
    digest: bytes
    road: Road


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that made no file."""

    claim: Claim
    reason: Reason
    for_good: bool
    """Trying again would fail the same way."""


async def claim_waiting(
    bench: Workbench, worker: str, *, size: int = BATCH, lease: timedelta = LEASE
) -> "Claimed":
    """Up to ``size`` waiting affixings are this worker's."""
    async with bench.database.transaction() as connection:
        claims = await store.claim(connection, worker, size=size, lease=lease)
    claimed_at = monotonic()
    for claim in claims:
        await bench.at("claimed", claim.affixing.id)
    return Claimed(tuple(claims), claimed_at)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Claims, and when they were made."""

    claims: tuple[Claim, ...]
    at: float


async def affix_waiting(
    bench: Workbench, worker: str, *, size: int = BATCH, lease: timedelta = LEASE
) -> int:
    """Up to ``size`` waiting affixings were claimed and brought one step to their end.

    Returns how many were claimed: 0 means that nothing waits.
    """
    claimed = await claim_waiting(bench, worker, size=size, lease=lease)
    await affix(bench, claimed)
    return len(claimed.claims)


async def affix(bench: Workbench, claimed: Claimed) -> None:
    """What was claimed is settled, waits again or gave its units back."""
    for claims in _companies(claimed.claims):
        failed: list[Failed] = []
        pieces = [_Piece(c, claimed.at + c.left_s, None) for c in claims]
        stamped = await _stamp_all(bench, pieces, failed)
        sealed = await _seal_all(bench, stamped, failed)
        await settle(bench, await _store_all(bench, sealed, failed))
        for failure in failed:
            await give_back(bench, failure)


def _companies(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """In order, no more bytes together than a batch may have."""
    together: list[Claim] = []
    size = 0
    for claim in claims:
        if together and size + claim.size > BATCH_BYTES:
            yield together
            together, size = [], 0
        together.append(claim)
        size += claim.size
    if together:
        yield together


async def _each(
    pieces: Sequence[_Piece[Given]],
    step: Callable[[_Piece[Given]], Awaitable[Made]],
    failed: list[Failed],
) -> list[_Piece[Made]]:
    """The step is done for each piece, all at once; what fails is in ``failed``, what was lost is left out."""
    outcomes = await asyncio.gather(*(_try(piece, step) for piece in pieces))
    failed.extend(outcome for outcome in outcomes if isinstance(outcome, Failed))
    return [outcome for outcome in outcomes if isinstance(outcome, _Piece)]


async def _try(
    piece: _Piece[Given], step: Callable[[_Piece[Given]], Awaitable[Made]]
) -> _Piece[Made] | Failed | None:
    """What the step made, a failure with its reason, or None when the claim was lost on the way."""
    claim = piece.claim
    try:
        async with asyncio.timeout(piece.until - monotonic()):
            return _Piece(claim, piece.until, await step(piece))
    except (Lost, TimeoutError):
        _said_of(claim).warning("claim_lost")
        return None
    except SignerUnavailable:
        return Failed(claim, Reason.SIGNER_DOWN, for_good=False)
    except TimeStampUnavailable:
        return Failed(claim, Reason.TIME_STAMP_DOWN, for_good=False)
    except StoreUnavailable:
        return Failed(claim, Reason.STORE_DOWN, for_good=False)
    except (CannotStamp, BreaksSignatures, ObjectMissing, ObjectDamaged) as error:
        _said_of(claim).warning("cannot_stamp", code=error.code)
        return Failed(claim, Reason.CANNOT_STAMP, for_good=True)
    except Exception:  # noqa: BLE001 - logged with its trace; the attempt counts
        _said_of(claim).exception("attempt_failed")
        return Failed(claim, Reason.INTERNAL, for_good=False)


def _said_of(claim: Claim) -> Any:
    """The log, with what every line about this claim says."""
    return _log.bind(affixing=str(claim.affixing.id), fence=claim.fence)


async def _stamp_all(
    bench: Workbench, pieces: Sequence[_Piece[None]], failed: list[Failed]
) -> list[_Piece[_Stamped]]:
    """The marks are on the documents, each with an open gap."""
    sources = await bench.objects.get_all([piece.claim.source_object for piece in pieces])

    async def stamp(piece: _Piece[None]) -> _Stamped:
        claim = piece.claim
        source = sources[claim.source_object]
        if isinstance(source, MeteraiError):
            raise source
        prepared = prepare(source, request_of(claim.affixing, claim.numbers, bench))
        if prepared.source_sha256 != claim.affixing.source_sha256:
            raise ObjectDamaged
        await bench.at("stamped", claim.affixing.id)
        return _Stamped(prepared, await _left_by_the_claim_before(bench, claim, prepared))

    return await _each(pieces, stamp, failed)


async def _seal_all(
    bench: Workbench, pieces: Sequence[_Piece[_Stamped]], failed: list[Failed]
) -> list[_Piece[_Whole]]:
    """The seals are in the gaps: made only under claims that were the newest just before."""
    open_gaps = [(p.claim.affixing.id, p.claim.fence) for p in pieces if p.made.whole is None]
    mine: set[UUID] = set()
    if open_gaps:
        async with bench.database.reading() as connection:
            mine = await store.still_mine(connection, open_gaps)

    async def seal(piece: _Piece[_Stamped]) -> _Whole:
        affixing, prepared, whole = piece.claim.affixing, piece.made.prepared, piece.made.whole
        if whole is None:
            if affixing.id not in mine:
                raise Lost
            whole = prepared.sealed_with(await bench.sealer.seal(prepared.digest))
            if affixing.certify is None and lost_signatures(
                prepared.document, whole, affixing.reserved_at
            ):
                raise BreaksSignatures
            await bench.at("sealed", affixing.id)
        road = Road.REPAIR if piece.claim.repaired else prepared.road
        return _Whole(whole, prepared.digest, road)

    return await _each(pieces, seal, failed)


async def _store_all(
    bench: Workbench, pieces: Sequence[_Piece[_Whole]], failed: list[Failed]
) -> list[Sealed]:
    """The files are durable and were read back."""
    if not pieces:
        return []
    files = {piece.claim.object: piece.made.content for piece in pieces}
    stored = asyncio.create_task(_keep(bench, files))

    async def keep(piece: _Piece[_Whole]) -> Sealed:
        claim = piece.claim
        if claim.object not in await asyncio.shield(stored):
            raise StoreUnavailable
        await bench.at("stored", claim.affixing.id)
        return Sealed(
            id=claim.affixing.id,
            fence=claim.fence,
            object=claim.object,
            signed_sha256=piece.made.digest,
            file_sha256=hashlib.sha256(piece.made.content).digest(),
            size=len(piece.made.content),
            pages=claim.pages,
            road=piece.made.road,
        )

    kept = await _each(pieces, keep, failed)
    await asyncio.wait([stored])  # nothing is left behind, also when every claim was lost
    return [piece.made for piece in kept]


async def _keep(bench: Workbench, files: dict[str, bytes]) -> set[str]:
    """Those of the files that were found whole afterwards."""
    await bench.objects.put_all(files)
    back = await bench.objects.get_all(list(files))
    return {name for name, content in files.items() if back[name] == content}


def request_of(affixing: Affixing, numbers: Sequence[str], bench: Workbench) -> Request:
    """What the engine is asked for: a function of the row and of this installation's address alone."""
    return Request(
        marks=tuple(
            Mark(number, bench.address_of(number), Place(mark.page, mark.left_mm, mark.top_mm))
            for number, mark in zip(numbers, affixing.marks, strict=True)
        ),
        signing_time=affixing.reserved_at,
        certify=affixing.certify,
        gap_bytes=bench.sealer.gap_bytes,
    )


async def _left_by_the_claim_before(
    bench: Workbench, claim: Claim, prepared: Prepared
) -> bytes | None:
    """A complete file of the claim before this one: its worker died between storing and settling.

    It counts only when it is byte for byte what this claim would make, outside the gap of the seal,
    and the seal in the gap is whole.
    """
    if claim.object_before is None:
        return None
    try:
        left = await bench.objects.get(claim.object_before)
    except (ObjectMissing, ObjectDamaged):
        return None
    return left if prepared.is_sealed_in(left) else None


async def settle(bench: Workbench, files: Sequence[Sealed]) -> set[UUID]:
    """The files whose claim is still the newest have won: units used, serials affixed, in one commit.

    Returns the winners. A loser's file is never served, is swept later, and verifies as void. When the database
    is lost on the way, also at COMMIT, it is asked again: the rows themselves say whether they were settled.
    """
    if not files:
        return set()
    patience, again = monotonic() + SETTLE_PATIENCE_S, False
    while True:
        try:
            won = await _settle(bench, files, again=again)
        except DatabaseUnavailable:
            if monotonic() > patience:
                raise  # the files are stored under a live fence: recovery settles them
            _log.warning("settle_again", files=len(files))
            await asyncio.sleep(SETTLE_PAUSE_S)
            again = True
            continue
        for file in won:
            await bench.at("settled", file.id)
        return {file.id for file in won}


async def _settle(bench: Workbench, files: Sequence[Sealed], *, again: bool) -> list[Sealed]:
    async with bench.database.transaction() as connection:
        before = await store.settled_already(connection, files) if again else set()
        winners = await store.lock_fenced(connection, [(f.id, f.fence) for f in files])
        won = [f for f in files if f.id in winners]
        await _write_settled(connection, won)
        for file in won:
            await bench.at("settling", file.id)
    return [f for f in files if f.id in winners or f.id in before]


async def _write_settled(connection: Connection, won: Sequence[Sealed]) -> None:
    if not won:
        return
    await store.mark_affixed(connection, won)
    await serials.mark_affixed(
        connection,
        [serials.Registration(f.id, f.signed_sha256, f.file_sha256, f.pages) for f in won],
    )
    await put(connection, "affixing.settled", [(f.id, {}) for f in won])
    for said in await journal.apply(connection, [[settle_units(f.id)] for f in won]):
        journal.demand(said)


async def give_back(bench: Workbench, failed: Failed) -> None:
    """A failed attempt waits for another with the same serials, or gives its units back at once.

    This worker has stopped and holds the newest fence, so nobody else may be sealing.
    """
    claim = failed.claim
    try:
        async with bench.database.transaction() as connection:
            held = await store.lock_fenced(connection, [(claim.affixing.id, claim.fence)])
            affixing = held.get(claim.affixing.id)
            if affixing is None:
                return
            moment = await store.moment(connection)
            if failed.for_good or not may_try_again(affixing, moment):
                await restore(connection, bench.signer, [(affixing, failed.reason)])
            else:
                pause = pause_after(affixing.attempts)
                await store.mark_waiting(connection, affixing.id, failed.reason, pause)
    except MeteraiError as error:
        # The row stays claimed; when its permission to seal is over, the clock takes care of it.
        _log.warning("give_back_failed", affixing=str(claim.affixing.id), code=error.code)
