"""The clock: one leader by a row lease, which sees to it that nothing waits for ever.

Each duty is small, safe to repeat, and on its own: one that fails is logged and tried again, and keeps no other
from its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from meterai.affixing import documents, store
from meterai.affixing.paid import reserve_paid_documents, take_payment
from meterai.affixing.restoration import StatementSigner, restore_due
from meterai.clock import monotonic
from meterai.db import lease
from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable
from meterai.errors import MeteraiError
from meterai.objects.store import Objects
from meterai.payment import store as payments
from meterai.payment.provider import Provider
from meterai.sale.checkout import expire_due
from meterai.worker.metrics import HEALED, LEADER, RESTORED, SWEPT

_log = structlog.get_logger(__name__)

LEADS_FOR = timedelta(seconds=10)
LOST_HOST_GRACE = timedelta(seconds=5)
SWEEP_AFTER_S = 24 * 3600
SILENT_S = 10
"""A payment that nobody reported for so long is asked about."""
GIVE_UP_S = 3 * 24 * 3600
"""Payments come late: an order is asked about for three days after its end."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """What the clock's duties are done with."""

    database: Database
    objects: Objects
    signer: StatementSigner
    provider: Provider | None
    name: str


@dataclass(slots=True)
class _Duty:
    does: Callable[[Keeper], Awaitable[None]]
    every_s: float
    due: float = 0.0


async def keep(keeper: Keeper, stop: asyncio.Event) -> None:
    """Leads whenever nobody else does, until ``stop`` is set."""
    duties = [
        _Duty(restore, 0.5),
        _Duty(free_lost_rows, 2),
        _Duty(match_new_payments, 1),
        _Duty(ask_about_silent_payments, 2),
        _Duty(expire_orders, 5),
        _Duty(reserve_forgotten_documents, 10),
        _Duty(delete_documents_on_their_day, 600),
        _Duty(sweep_objects, 3600),
    ]
    while not stop.is_set():
        leads = await _leads(keeper)
        LEADER.set(leads)
        for duty in duties:
            if leads and monotonic() >= duty.due:
                await _do(duty, keeper)
                duty.due = monotonic() + duty.every_s
        try:
            await asyncio.wait_for(stop.wait(), 0.2 if leads else 2)
        except TimeoutError:
            continue
    await _let_go(keeper)


async def _leads(keeper: Keeper) -> bool:
    try:
        async with keeper.database.transaction() as connection:
            return await lease.hold(connection, "clock", keeper.name, LEADS_FOR)
    except DatabaseUnavailable:
        _log.warning("database_unavailable", process="clock")
        return False


async def _let_go(keeper: Keeper) -> None:
    try:
        async with keeper.database.transaction() as connection:
            await lease.let_go(connection, "clock", keeper.name)
    except DatabaseUnavailable:
        _log.warning("database_unavailable", process="clock")


async def _do(duty: _Duty, keeper: Keeper) -> None:
    try:
        await duty.does(keeper)
    except MeteraiError as error:
        _log.warning("duty_failed", duty=duty.does.__name__, code=error.code)
    except Exception:  # noqa: BLE001 - logged with its trace; the other duties must have their turn
        _log.exception("duty_failed", duty=duty.does.__name__)


async def restore(keeper: Keeper) -> None:
    """Nothing is past its deadline or out of attempts."""
    while True:
        async with keeper.database.transaction() as connection:
            restored = await restore_due(connection, keeper.signer)
        RESTORED.inc(len(restored))
        if not restored:
            return
        _log.info("units_restored", affixings=len(restored))


async def free_lost_rows(keeper: Keeper) -> None:
    """What was claimed on a lost host waits again."""
    async with keeper.database.transaction() as connection:
        freed = await store.free_lost_rows(connection, grace=LOST_HOST_GRACE)
    if freed:
        _log.warning("rows_of_lost_workers_freed", affixings=freed)


async def match_new_payments(keeper: Keeper) -> None:
    """Every recorded payment is credited or visibly unplaced."""
    async with keeper.database.reading() as connection:
        waiting = await payments.new_notices(connection, size=200)
    for notice in waiting:
        async with keeper.database.transaction() as connection:
            await take_payment(connection, notice)


async def ask_about_silent_payments(keeper: Keeper) -> None:
    """A payment whose callback was lost is found by asking, well within a minute."""
    if keeper.provider is None:
        return
    async with keeper.database.transaction() as connection:
        silent = await payments.silent_requests(
            connection, silent_s=SILENT_S, give_up_s=GIVE_UP_S, size=50
        )
    for reference in silent:
        reported = await keeper.provider.inquire(reference)
        if reported is None:
            continue
        async with keeper.database.transaction() as connection:
            notice, is_new = await payments.record_notice(connection, reported, "inquiry")
        HEALED.inc(is_new)
        async with keeper.database.transaction() as connection:
            await take_payment(connection, notice.id)


async def expire_orders(keeper: Keeper) -> None:
    """Orders whose time is over hold no stock."""
    while True:
        async with keeper.database.transaction() as connection:
            if not await expire_due(connection):
                return


async def reserve_forgotten_documents(keeper: Keeper) -> None:
    """What was paid for a document is affixed, also when the reservation failed at first."""
    async with keeper.database.transaction() as connection:
        await reserve_paid_documents(connection)


async def delete_documents_on_their_day(keeper: Keeper) -> None:
    """Files are not kept longer than was promised; rows and digests stay."""
    async with keeper.database.reading() as connection:
        due = await documents.due_for_deletion(connection, size=200)
    for document in due:
        async with keeper.database.transaction() as connection:
            names = await documents.delete(connection, document)
        for name in names:
            await keeper.objects.delete(name)


async def sweep_objects(keeper: Keeper) -> None:
    """Objects that no row has named for a day are gone: losers' files, and what a crash left."""
    old = [name async for name in keeper.objects.older_than(SWEEP_AFTER_S)]
    for start in range(0, len(old), 500):
        names = old[start : start + 500]
        async with keeper.database.reading() as connection:
            needed = await store.objects_named(connection, names)
        for name in names:
            if name not in needed:
                await keeper.objects.delete(name)
                SWEPT.inc()
