"""The story of one stamp, in order: claim, stamp, seal, store, settle. What fails gives back.

No transaction is open while a file is made. Everything irreversible is written down before: the row holds
the units, the serials and the document's digest, and from it alone the same bytes follow every time.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from meterai.db.outbox import put
from meterai.errors import MeteraiError
from meterai.ledger import journal
from meterai.objects.errors import ObjectDamaged, ObjectMissing, StoreUnavailable
from meterai.objects.store import Objects
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Mark, Prepared, Request, prepare
from meterai.pdf.model import Place
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


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that made no file."""

    claim: Claim
    reason: Reason
    for_good: bool
    """Trying again would fail the same way."""


async def affix_waiting(
    bench: Workbench, worker: str, *, size: int = 16, lease: timedelta = LEASE
) -> int:
    """Up to ``size`` waiting affixings were claimed and brought one step to their end.

    Returns how many were claimed: 0 means that nothing waits.
    """
    async with bench.database.transaction() as connection:
        claims = await store.claim(connection, worker, size=size, lease=lease)
    claimed_at = monotonic()
    for claim in claims:
        await bench.at("claimed", claim.affixing.id)
    outcomes = await asyncio.gather(*(_try(bench, claim, claimed_at) for claim in claims))
    await settle(bench, [outcome for outcome in outcomes if isinstance(outcome, Sealed)])
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            await give_back(bench, outcome)
    return len(claims)


async def _try(bench: Workbench, claim: Claim, claimed_at: float) -> Sealed | Failed | None:
    """A stored file, a failure with its reason, or None when the claim was lost on the way."""
    log = _log.bind(affixing=str(claim.affixing.id), fence=claim.fence)
    try:
        async with asyncio.timeout(claimed_at + claim.left_s - monotonic()):
            return await _make(bench, claim)
    except (Lost, TimeoutError):
        log.warning("claim_lost")
        return None
    except SignerUnavailable:
        return Failed(claim, Reason.SIGNER_DOWN, for_good=False)
    except TimeStampUnavailable:
        return Failed(claim, Reason.TIME_STAMP_DOWN, for_good=False)
    except StoreUnavailable:
        return Failed(claim, Reason.STORE_DOWN, for_good=False)
    except (CannotStamp, BreaksSignatures, ObjectMissing, ObjectDamaged) as error:
        log.warning("cannot_stamp", code=error.code)
        return Failed(claim, Reason.CANNOT_STAMP, for_good=True)
    except Exception:
        log.exception("attempt_failed")
        return Failed(claim, Reason.INTERNAL, for_good=False)


async def _make(bench: Workbench, claim: Claim) -> Sealed:
    affixing = claim.affixing
    source = await bench.objects.get(claim.source_object)
    if hashlib.sha256(source).digest() != affixing.source_sha256:
        raise ObjectDamaged
    numbers = await _numbers(bench, affixing.id)
    prepared = prepare(source, request_of(affixing, numbers, bench))
    await bench.at("stamped", affixing.id)
    whole = await _left_by_the_claim_before(bench, claim, prepared)
    if whole is None:
        async with bench.database.reading() as connection:
            if not await store.still_mine(connection, affixing.id, claim.fence):
                raise Lost
        whole = prepared.sealed_with(await bench.sealer.seal(prepared.digest))
        if affixing.certify is None and lost_signatures(source, whole, affixing.reserved_at):
            raise BreaksSignatures
        await bench.at("sealed", affixing.id)
    await bench.objects.put(claim.object, whole)
    if await bench.objects.get(claim.object) != whole:
        raise StoreUnavailable
    await bench.at("stored", affixing.id)
    return Sealed(
        id=affixing.id,
        fence=claim.fence,
        object=claim.object,
        signed_sha256=prepared.digest,
        file_sha256=hashlib.sha256(whole).digest(),
        size=len(whole),
        pages=claim.pages,
    )


async def _numbers(bench: Workbench, affixing: UUID) -> list[str]:
    async with bench.database.reading() as connection:
        return [serial.number for serial in await serials.of_affixing(connection, affixing)]


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

    Returns the winners. A loser's file is never served, is swept later, and verifies as void.
    """
    if not files:
        return set()
    async with bench.database.transaction() as connection:
        winners = await store.lock_fenced(connection, [(f.id, f.fence) for f in files])
        won = [f for f in files if f.id in winners]
        await _write_settled(connection, won)
        for file in won:
            await bench.at("settling", file.id)
    for file in won:
        await bench.at("settled", file.id)
    return set(winners)


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
