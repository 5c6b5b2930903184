"""A real process that moves money or stock is killed after each statement; the books are asked each time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from meterai.audit.reconciler import audit
from meterai.channel import allocation, stock
from meterai.channel import store as channels
from meterai.channel import voucher as vouchers
from meterai.channel.model import Move, Outlet
from meterai.clock import now
from meterai.db.connection import Connection, Database
from meterai.ids import new_id
from meterai.money import Rupiah, Units
from meterai.quota.balance import holdings
from meterai.refund.asking import ask
from meterai.refund.void import ask_void
from meterai.sale import counter, shift
from meterai.sale.checkout import Wish, place
from meterai.sale.counter import Opening
from meterai.sale.matching import match
from world.doomed import VAULT, Doomed
from world.network import CENTRE, COUNTER, FIRST, open_network, prepay
from world.trade import add_buyer, payment_for, report

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

PRICE = 10_500
STATEMENTS_MAX = 400


@dataclass(slots=True)
class Counter:
    """An open shift at a counter with 20 units, of which five are its block."""

    database: Database
    doomed: Doomed
    shift: UUID
    clerk: UUID
    buyer: UUID
    block: list[tuple[UUID, str]]
    died: int = field(default=0)

    async def free(self) -> int:
        async with self.database.reading() as connection:
            (state,) = await stock.states(connection, [COUNTER])
            return state.free

    async def has(self, party: UUID) -> int:
        async with self.database.reading() as connection:
            return sum(h.available for h in await holdings(connection, party))

    async def kill_at_every_statement(
        self, between: Callable[[], Awaitable[None]] | None = None, **order: Any
    ) -> None:
        """The movement was tried again and again, each time one statement further, until it ended."""
        for lives in range(1, STATEMENTS_MAX):
            said = await asyncio.to_thread(self.doomed.live, lives, **order)
            assert said in ("killed", "done"), f"{order['what']} failed at statement {lives}"
            assert (await audit(self.database)).discrepancies == []
            if said == "done":
                return
            self.died += 1
            if between is not None:
                await between()
        raise AssertionError("it never ended")


@pytest.fixture
async def here(database: Database, dsn: str) -> AsyncIterator[Counter]:
    async with database.transaction() as connection:
        await open_network(connection)
        await prepay(connection, FIRST, 40 * 10_000)
        await allocation.move(connection, Move(new_id(), CENTRE, FIRST, Units(40)))
        await allocation.move(connection, Move(new_id(), FIRST, COUNTER, Units(20)))
        await channels.add_outlet(connection, Outlet("pasar", COUNTER, "Pasar", "Jalan"))
        clerk, buyer = await add_buyer(connection), await add_buyer(connection)
        opened = await open_shift(connection, clerk.id)
        block = await vouchers.codes_kept(connection, VAULT, opened)
    with Doomed(dsn) as doomed:
        yield Counter(database, doomed, opened, clerk.id, buyer.id, block)


async def open_shift(connection: Connection, clerk: UUID) -> UUID:
    wish = Opening(new_id(), COUNTER, "pasar", clerk, Rupiah(0), 5)
    return (await counter.open_shift(connection, VAULT, wish)).id


async def test_opening_a_shift_takes_its_block_once(here: Counter) -> None:
    async with here.database.transaction() as connection:
        other = await add_buyer(connection)
    shift_id = new_id()
    await here.kill_at_every_statement(
        what="open", shift=str(shift_id), channel=COUNTER, by=str(other.id)
    )
    assert here.died >= 8
    assert await here.free() == 20 - 5 - 4
    async with here.database.reading() as connection:
        assert len(await vouchers.codes_kept(connection, VAULT, shift_id)) == 4


async def test_what_a_device_reports_is_sold_once(here: Counter) -> None:
    sold = [str(id) for id, _ in here.block[:2]]
    await here.kill_at_every_statement(what="sync", shift=str(here.shift), vouchers=sold)
    assert here.died >= 20
    async with here.database.reading() as connection:
        drawer = await shift.drawer(connection, here.shift)
        left = await vouchers.codes_kept(connection, VAULT, here.shift)
    assert (drawer.cash_orders, drawer.cash, drawer.units) == (2, 2 * PRICE, 2)
    assert len(left) == 3


async def test_a_voucher_that_its_device_never_reported_is_redeemed_once(here: Counter) -> None:
    _, code = here.block[0]
    await here.kill_at_every_statement(what="redeem", code=code, by=str(here.buyer))
    assert here.died >= 15
    assert await here.has(here.buyer) == 1
    async with here.database.reading() as connection:
        drawer = await shift.drawer(connection, here.shift)
    assert (drawer.cash_orders, drawer.cash) == (1, PRICE)


async def test_closing_a_shift_returns_what_is_left_once(here: Counter) -> None:
    await here.kill_at_every_statement(what="close", shift=str(here.shift), cash=500)
    assert here.died >= 6
    assert await here.free() == 20
    async with here.database.reading() as connection:
        drawer = await shift.drawer(connection, here.shift)
    assert drawer.difference == 500


async def test_a_void_gives_back_voucher_and_cash_once(here: Counter) -> None:
    async with here.database.transaction() as connection:
        made = await counter.sell_for_cash(connection, VAULT, here.shift, new_id(), 3, now())
        await ask_void(connection, made.id, "salah jumlah", here.clerk)
    assert await here.free() == 20 - 5 - 3

    order = {"voucher": str(made.id), "by": str(here.buyer), "at": now().isoformat()}
    for lives in range(1, STATEMENTS_MAX):
        said = await asyncio.to_thread(here.doomed.live, lives, what="void", **order)
        assert (await audit(here.database)).discrepancies == []
        async with here.database.reading() as connection:
            drawer = await shift.drawer(connection, here.shift)
        if said == "killed" and drawer.given_back == 0:
            assert await here.free() == 20 - 5 - 3
            continue
        break
    assert lives > 20
    assert drawer.given_back == 3 * PRICE
    assert await here.free() == 20 - 5


async def test_stock_moves_once(here: Counter) -> None:
    for giver, taker in ((CENTRE, FIRST), (FIRST, COUNTER), (COUNTER, FIRST)):
        if giver == CENTRE:
            async with here.database.transaction() as connection:
                await prepay(connection, FIRST, 4 * 10_000)
        died = here.died
        await here.kill_at_every_statement(what="stock", id=str(new_id()), giver=giver, taker=taker)
        assert here.died >= died + 5
    assert await here.free() == 20 - 5
    async with here.database.reading() as connection:
        (first,) = await stock.states(connection, [FIRST])
        moves = await connection.fetchval("select count(*) from allocation")
    assert first.free == 40 - 20 + 4
    assert moves == 1 + 2 + 3


async def test_a_refund_is_paid_once_whatever_dies_on_the_way(
    here: Counter, tmp_path: Path
) -> None:
    async with here.database.transaction() as connection:
        order = await place(connection, Wish.new(here.buyer, COUNTER, 3), "snap")
        notice = await report(connection, payment_for(order))
        await match(connection, notice.id)
    async with here.database.transaction() as connection:
        await ask(connection, new_id(), order.id, here.buyer, units=2, now=now())
    bank = tmp_path / "bank"

    async def its_turn_comes_again() -> None:
        async with here.database.transaction() as connection:
            await connection.execute(
                "update refund set not_before = now() where state = 'approved'"
            )

    await here.kill_at_every_statement(its_turn_comes_again, what="pay_out", bank=str(bank))
    assert here.died >= 10
    assert len(bank.read_text().split()) == 1
    assert await here.has(here.buyer) == 1
    assert await here.free() == 20 - 5 - 1
    async with here.database.reading() as connection:
        assert await connection.fetchval("select state from refund") == "paid"
