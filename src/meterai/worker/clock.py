"""The clock: one leader by a row lease, which sees to it that nothing waits for ever.

Each duty is small, safe to repeat, and on its own: one that fails is logged and tried again, and keeps no other
from its turn.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from meterai.affixing import documents, store
from meterai.affixing.paid import reserve_paid_documents, take_payment
from meterai.affixing.restoration import StatementSigner, restore_due
from meterai.channel import stock
from meterai.channel.allocation import refill
from meterai.channel.board import board
from meterai.clock import now
from meterai.db import lease
from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable
from meterai.errors import MeteraiError
from meterai.objects.store import Objects
from meterai.payment import store as payments
from meterai.payment.provider import Provider
from meterai.refund.asking import claim_unplaced
from meterai.refund.payout import pay_out
from meterai.sale.checkout import expire_due
from meterai.worker.metrics import HEALED, LEADER, RESTORED, SWEPT

_log = structlog.get_logger(__name__)

LEADS_FOR = timedelta(seconds=10)
LOST_HOST_GRACE = timedelta(seconds=5)
SWEEP_AFTER_S = 24 * 3600
SILENT_S = 10
"""A payment that nobody reported for so long is asked about."""
ASKED_AT_ONCE = 10
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
    public: Path | None = None
    """The folder of small files that everybody may read."""


@dataclass(frozen=True, slots=True)
class _Duty:
    does: Callable[[Keeper], Awaitable[None]]
    every_s: float


async def keep(keeper: Keeper, stop: asyncio.Event) -> None:
    """Leads whenever nobody else does, until ``stop`` is set.

    Every duty has a task of its own: a provider that hangs must not keep a unit from coming back in time.
    """
    duties = [
        _Duty(restore, 0.5),
        _Duty(free_lost_rows, 2),
        _Duty(match_new_payments, 1),
        _Duty(ask_about_silent_payments, 2),
        _Duty(expire_orders, 5),
        _Duty(give_money_back, 2),
        _Duty(watch_stock, 15),
        _Duty(publish_stock, 4),
        _Duty(reserve_forgotten_documents, 10),
        _Duty(delete_documents_on_their_day, 600),
        _Duty(sweep_objects, 3600),
    ]
    while not stop.is_set():
        if await _leads(keeper):
            await _lead(keeper, duties, stop)
        await _pause(stop, 2)
    await _let_go(keeper)


async def _lead(keeper: Keeper, duties: list[_Duty], stop: asyncio.Event) -> None:
    LEADER.set(1)
    tasks = [asyncio.create_task(_repeat(duty, keeper, stop)) for duty in duties]
    try:
        while not stop.is_set() and await _leads(keeper):
            await _pause(stop, LEADS_FOR.total_seconds() / 5)
    finally:
        LEADER.set(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(duty: _Duty, keeper: Keeper, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await _do(duty, keeper)
        await _pause(stop, duty.every_s)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


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
    except Exception:  # noqa: BLE001 - logged with its trace; this duty has its next turn
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
    for notice in waiting:  # one by one: one that cannot be matched keeps no other from it
        async with keeper.database.transaction() as connection:
            await take_payment(connection, notice)


async def ask_about_silent_payments(keeper: Keeper) -> None:
    """A payment whose callback was lost is found by asking, well within a minute."""
    if keeper.provider is None:
        return
    async with keeper.database.transaction() as connection:
        silent = await payments.silent_requests(
            connection, silent_s=SILENT_S, give_up_s=GIVE_UP_S, size=ASKED_AT_ONCE
        )
    asked = await asyncio.gather(
        *(_ask_about(keeper, keeper.provider, *request) for request in silent),
        return_exceptions=True,
    )
    failed = [answer for answer in asked if isinstance(answer, BaseException)]
    if failed:
        raise failed[0]


async def _ask_about(keeper: Keeper, provider: Provider, reference: str, method: str) -> None:
    reported = await provider.inquire(reference, method)
    if reported is None:
        return
    async with keeper.database.transaction() as connection:
        notice, is_new = await payments.record_notice(connection, reported, "inquiry")
    HEALED.inc(is_new)
    async with keeper.database.transaction() as connection:
        await take_payment(connection, notice.id)


async def give_money_back(keeper: Keeper) -> None:
    """What plainly fits no order is on its way back, and what was agreed to is paid."""
    async with keeper.database.transaction() as connection:
        for refund in await claim_unplaced(connection, now()):
            _log.info("refund_claimed", refund=refund.reference, why=refund.why)
    if keeper.provider is not None:
        await pay_out(keeper.database, keeper.provider)


async def watch_stock(keeper: Keeper) -> None:
    """Stocks are read, alarms stand where stock is low, and rules have filled up what they can."""
    async with keeper.database.transaction() as connection:
        await stock.read_stocks(connection)
        for channel in await stock.watch(connection):
            _log.warning("stock_low", channel=channel)
    async with keeper.database.transaction() as connection:
        for move in await refill(connection):
            _log.info("stock_refilled", channel=move.taker, units=move.units)


async def publish_stock(keeper: Keeper) -> None:
    """``stock.json`` says what every channel has, as of now."""
    if keeper.public is None:
        return
    async with keeper.database.reading() as connection:
        content = msgspec.json.encode(await board(connection, now()))
    await asyncio.to_thread(_replace, keeper.public / "stock.json", content)


def _replace(file: Path, content: bytes) -> None:
    """Readers see the old file or the new one, never a half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    draft.replace(file)


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
