import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from meterai.audit.reconciler import audit
from meterai.channel import allocation, stock
from meterai.channel import store as channels
from meterai.channel import voucher as vouchers
from meterai.channel.errors import NoSuchVoucher, SoldOut, TooManyMisses, VoucherOver
from meterai.channel.model import Move
from meterai.channel.voucher import MISSES_MAX, Gift, VoucherState
from meterai.channel.voucher_code import code_from
from meterai.clock import WIB, now
from meterai.db.connection import Database
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger.errors import NotEnough
from meterai.money import Rupiah, Units
from meterai.people.model import Party
from meterai.quota.balance import holdings
from meterai.sale import counter, shift
from meterai.sale.counter import Opening, Sale, Synced
from meterai.sale.errors import ShiftOver, ShiftUnderWay, WhyDifferent
from meterai.sale.matching import match
from meterai.sale.shift import Drawer, Shift
from meterai.signing.vault import Vault
from meterai.treasury.settlement import settle_day
from world.network import COUNTER, FIRST, open_counter
from world.trade import TERMS, add_buyer, payment_for, report

VAULT = Vault(bytes(range(32)))
PRICE = 10_500


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Database]:
    """A counter with 30 units; the books must be right after every test."""
    async with database.transaction() as connection:
        await open_counter(connection, units=30)
    yield database
    assert (await audit(database)).discrepancies == []


async def opened(database: Database, *, block: int = 5, cash: int = 100_000) -> Shift:
    async with database.transaction() as connection:
        clerk = await add_buyer(connection)
        wish = Opening(new_id(), COUNTER, "pasar", clerk.id, Rupiah(cash), block)
        return await counter.open_shift(connection, VAULT, wish)


async def block_of(database: Database, shift: Shift) -> list[tuple[UUID, str]]:
    async with database.reading() as connection:
        return await vouchers.codes_kept(connection, VAULT, shift.id)


async def free(database: Database) -> int:
    async with database.reading() as connection:
        (state,) = await stock.states(connection, [COUNTER])
        return state.free


async def redeemed(database: Database, code: str, party: Party) -> int:
    """By this code the party got its units; returns how many it has."""
    async with database.transaction() as connection:
        said = await counter.redeem_code(connection, VAULT, code, party.id, now())
    if isinstance(said, MeteraiError):
        raise said
    async with database.reading() as connection:
        return sum(h.available for h in await holdings(connection, party.id))


async def buyer(database: Database) -> Party:
    async with database.transaction() as connection:
        return await add_buyer(connection)


async def synced(database: Database, shift: Shift, *ids: UUID) -> list[Synced]:
    async with database.transaction() as connection:
        sales = [Sale(id, now()) for id in ids]
        said = await counter.take_sales(connection, shift.id, sales, now())
    return [said[id] for id in ids]


async def closed(database: Database, shift: Shift, counted: int, remark: str = "") -> Drawer:
    async with database.transaction() as connection:
        return await counter.close_shift(connection, shift.id, Rupiah(counted), remark)


async def test_a_walk_in_pays_cash_and_uses_the_voucher_at_home(shop: Database) -> None:
    shift = await opened(shop)
    sale = new_id()
    for _ in range(2):  # the second tap of an impatient clerk sells nothing more
        async with shop.transaction() as connection:
            voucher = await counter.sell_for_cash(connection, VAULT, shift.id, sale, 3, now())
            code = await vouchers.code_of(connection, VAULT, voucher.id)
    assert await free(shop) == 30 - 5 - 3
    someone = await buyer(shop)
    assert await redeemed(shop, code, someone) == 3
    assert await redeemed(shop, code, someone) == 3
    with pytest.raises(VoucherOver):
        await redeemed(shop, code, await buyer(shop))
    drawer = await closed(shop, shift, 100_000 + 3 * PRICE)
    assert (drawer.difference, drawer.cash_orders, drawer.units) == (0, 1, 3)
    assert await free(shop) == 30 - 3


async def test_a_device_sells_alone_and_reports_later_once(shop: Database) -> None:
    shift = await opened(shop)
    (first, _), (second, _), *_ = await block_of(shop, shift)
    assert await synced(shop, shift, first, second) == [Synced.RECORDED, Synced.RECORDED]
    assert await synced(shop, shift, second, first) == [Synced.KNOWN, Synced.KNOWN]
    drawer = await closed(shop, shift, 100_000 + 2 * PRICE)
    assert (drawer.difference, drawer.units) == (0, 2)
    assert await free(shop) == 28


async def test_a_code_that_was_shown_works_before_its_counter_reports_it(shop: Database) -> None:
    shift = await opened(shop)
    (id, code), *_ = await block_of(shop, shift)
    assert await redeemed(shop, code, await buyer(shop)) == 1
    assert await synced(shop, shift, id) == [Synced.KNOWN]
    async with shop.reading() as connection:
        drawer = await shift_drawer(connection, shift)
    assert drawer.cash == PRICE


async def shift_drawer(connection: object, of: Shift) -> Drawer:
    return await shift.drawer(connection, of.id)  # type: ignore[arg-type]  # a connection


async def test_two_buyers_with_one_code_at_once_get_it_once(shop: Database) -> None:
    shift = await opened(shop)
    (id, code), *_ = await block_of(shop, shift)
    buyers = [await buyer(shop) for _ in range(4)]
    said = await asyncio.gather(
        *(redeemed(shop, code, someone) for someone in buyers),
        synced(shop, shift, id),
        return_exceptions=True,
    )
    assert said[:4].count(1) == 1
    assert sum(isinstance(answer, VoucherOver) for answer in said[:4]) == 3


async def test_a_sale_reported_after_the_closing_is_kept_and_shows_as_a_difference(
    shop: Database,
) -> None:
    shift = await opened(shop)
    (id, code), *_ = await block_of(shop, shift)
    await closed(shop, shift, 100_000)
    with pytest.raises(VoucherOver):
        await redeemed(shop, code, await buyer(shop))
    assert await synced(shop, shift, id) == [Synced.RECORDED]
    assert await redeemed(shop, code, await buyer(shop)) == 1
    drawer = await closed(shop, shift, 0)
    assert drawer.difference == -PRICE
    async with shop.transaction() as connection:
        with pytest.raises(ShiftOver):
            await counter.sell_for_cash(connection, VAULT, shift.id, new_id(), 1, now())


async def test_a_late_report_without_any_stock_left_is_told_not_lost(shop: Database) -> None:
    shift = await opened(shop)
    (id, _), *_ = await block_of(shop, shift)
    await closed(shop, shift, 100_000)
    async with shop.transaction() as connection:
        await allocation.move(connection, Move(new_id(), COUNTER, FIRST, Units(30)))
    assert await synced(shop, shift, id) == [Synced.SOLD_OUT]
    async with shop.reading() as connection:
        told = await connection.fetchval(
            "select count(*) from outbox where topic = 'counter.sold_without_stock'"
        )
    assert told == 1


async def test_a_difference_needs_a_name(shop: Database) -> None:
    shift = await opened(shop)
    with pytest.raises(WhyDifferent):
        await closed(shop, shift, 99_000)
    drawer = await closed(shop, shift, 99_000, "uang kembalian salah")
    assert drawer.difference == -1000
    assert (await closed(shop, shift, 0)).difference == -1000
    assert await free(shop) == 30


async def test_one_clerk_has_one_open_shift_and_one_device_its_block(shop: Database) -> None:
    open_ = await opened(shop)
    wish = Opening(new_id(), COUNTER, "pasar", open_.clerk, Rupiah(0), 1)
    async with shop.transaction() as connection:
        with pytest.raises(ShiftUnderWay):
            await counter.open_shift(connection, VAULT, wish)
    async with shop.transaction() as connection:
        assert await shift.bind_device(connection, open_.id, b"one")
        assert not await shift.bind_device(connection, open_.id, b"other")
        assert await shift.bind_device(connection, open_.id, b"one")


async def test_a_block_is_never_larger_than_the_stock(shop: Database) -> None:
    with pytest.raises(SoldOut):
        await opened(shop, block=31)
    await opened(shop, block=30)
    assert await free(shop) == 0


async def test_codes_of_others_are_refused_and_guessing_ends(shop: Database) -> None:
    one, other = await opened(shop), await opened(shop)
    (id, _), *_ = await block_of(shop, one)
    assert await synced(shop, other, id, new_id()) == [Synced.NOT_YOURS, Synced.NOT_YOURS]
    guesser = await buyer(shop)
    for n in range(MISSES_MAX):
        with pytest.raises(NoSuchVoucher):
            await redeemed(shop, code_from(bytes([n] * 9)), guesser)
    with pytest.raises(TooManyMisses):
        await redeemed(shop, code_from(bytes(9)), guesser)


async def test_a_qris_sale_gets_its_voucher_when_it_is_paid(shop: Database) -> None:
    shift = await opened(shop)
    async with shop.transaction() as connection:
        order = await counter.order_by_qris(connection, shift.id, new_id(), 2, "snap", now())
    with pytest.raises(NotEnough):  # nothing was paid, so there is nothing to wrap
        async with shop.transaction() as connection:
            await counter.voucher_of_order(connection, VAULT, order)
    async with shop.transaction() as connection:
        notice = await report(connection, payment_for(order))
        await match(connection, notice.id)
        voucher = await counter.voucher_of_order(connection, VAULT, order)
        assert (await counter.voucher_of_order(connection, VAULT, order)).id == voucher.id
    assert (voucher.units, voucher.state) == (2, VoucherState.LIVE)
    drawer = await closed(shop, shift, 100_000)
    assert (drawer.qris, drawer.cash) == (2 * PRICE, 0)


async def test_new_terms_do_not_touch_an_open_shift(shop: Database) -> None:
    open_ = await opened(shop)
    async with shop.transaction() as connection:
        dearer = replace(TERMS, channel=COUNTER, valid_from=now(), service_fee=Rupiah(2_500))
        await channels.set_terms(connection, dearer)
    (id, _), *_ = await block_of(shop, open_)
    await synced(shop, open_, id)
    async with shop.reading() as connection:
        assert (await shift.drawer(connection, open_.id)).cash == PRICE


async def test_the_day_of_a_counter_adds_up_with_its_blocks(shop: Database) -> None:
    shift = await opened(shop)
    (id, _), *_ = await block_of(shop, shift)
    await synced(shop, shift, id)
    today = now().astimezone(WIB).date()
    async with shop.reading() as connection:
        (day,) = await settle_day(connection, [COUNTER], today)
        (state,) = await stock.states(connection, [COUNTER])
    assert (day.received, day.sold, day.closing, day.unexplained) == (30, 1, 29, {})
    assert state.free == 25


async def test_a_gift_is_taken_back_before_it_is_used(shop: Database) -> None:
    shift = await opened(shop)
    async with shop.transaction() as connection:
        voucher = await counter.sell_for_cash(connection, VAULT, shift.id, new_id(), 2, now())
        code = await vouchers.code_of(connection, VAULT, voucher.id)
    giver = await buyer(shop)
    await redeemed(shop, code, giver)
    gift = Gift(new_id(), giver.id, COUNTER, 2)
    async with shop.transaction() as connection:
        made = await vouchers.wrap(connection, VAULT, gift)
        given = await vouchers.code_of(connection, VAULT, made.id)
    async with shop.transaction() as connection:
        await vouchers.revoke(connection, await vouchers.lock(connection, made.id))
    with pytest.raises(VoucherOver):
        await redeemed(shop, given, await buyer(shop))
    async with shop.reading() as connection:
        assert sum(h.available for h in await holdings(connection, giver.id)) == 2


async def test_a_device_with_a_wrong_clock_is_believed_within_its_shift_only(
    shop: Database,
) -> None:
    shift = await opened(shop)
    (id, _), *_ = await block_of(shop, shift)
    async with shop.transaction() as connection:
        wrong = [Sale(id, now() - timedelta(days=400))]
        await counter.take_sales(connection, shift.id, wrong, now())
        at = await connection.fetchval("select sold_at from counter_sale")
    assert at == shift.opened_at
