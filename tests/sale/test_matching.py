import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.errors import ChannelClosed, DayCapReached, SoldOut, TooManyAtOnce
from meterai.clock import now
from meterai.db.connection import Database
from meterai.payment import store as payments
from meterai.payment.errors import NoticeContradicts
from meterai.payment.model import NoticeState, Unplaced
from meterai.people.model import Party
from meterai.quota.balance import holdings, stock
from meterai.quota.model import Holding, total
from meterai.sale import store
from meterai.sale.checkout import Wish, cancel, expire_due, place, place_all
from meterai.sale.errors import OrderOver
from meterai.sale.matching import Match, match, match_all
from meterai.sale.model import Order, OrderState
from world.trade import CHANNEL, add_buyer, open_channel, payment_for, place_order, report


async def shop(database: Database, *, stock: int = 100, units: int = 2) -> tuple[Party, Order]:
    async with database.transaction() as connection:
        await open_channel(connection, stock=stock)
        buyer = await add_buyer(connection)
        return buyer, await place_order(connection, buyer, units)


async def pay(database: Database, order: Order, **how: int | str) -> Match:
    async with database.transaction() as connection:
        notice = await report(connection, payment_for(order, **how))  # type: ignore[arg-type]  # keywords of payment_for
    async with database.transaction() as connection:
        return await match(connection, notice.id)


async def held(database: Database, party: Party) -> Holding:
    async with database.reading() as connection:
        return total(await holdings(connection, party.id))


async def left(database: Database) -> int:
    async with database.reading() as connection:
        return (await stock(connection))[CHANNEL]


async def assert_clean(database: Database) -> None:
    report_ = await audit(database)
    assert report_.discrepancies == []


async def expire(database: Database, order: Order) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "update purchase set expires_at = now() - interval '1 second' where id = $1", order.id
        )
        assert await expire_due(connection) == 1


async def test_placing_an_order_sets_its_units_aside(database: Database) -> None:
    buyer, _ = await shop(database)
    assert await left(database) == 98
    assert (await held(database, buyer)).on_order == 2
    await assert_clean(database)


async def test_a_payment_credits_units_and_rupiah_in_one_commit(database: Database) -> None:
    buyer, order = await shop(database)
    matched = await pay(database, order)
    assert matched.unplaced is None
    assert (await held(database, buyer)).available == 2
    async with database.reading() as connection:
        found = await store.find(connection, order.id)
    assert found is not None
    assert found.state is OrderState.PAID
    await assert_clean(database)


async def test_the_same_callback_a_hundred_times_credits_once(database: Database) -> None:
    buyer, order = await shop(database)
    reported = payment_for(order)

    async def call_back() -> None:
        async with database.transaction() as connection:
            notice = await report(connection, reported)
        async with database.transaction() as connection:
            await match(connection, notice.id)

    await asyncio.gather(*(call_back() for _ in range(100)))
    assert (await held(database, buyer)).available == 2
    await assert_clean(database)


async def test_a_callback_that_contradicts_an_earlier_one_is_refused(database: Database) -> None:
    buyer, order = await shop(database)
    await pay(database, order, number="N1")
    with pytest.raises(NoticeContradicts):
        await pay(database, order, number="N1", amount=1)
    assert (await held(database, buyer)).available == 2


async def test_a_wrong_amount_is_kept_visibly_and_credits_nothing(database: Database) -> None:
    buyer, order = await shop(database)
    matched = await pay(database, order, amount=order.total - 1)
    assert matched.unplaced is Unplaced.WRONG_AMOUNT
    assert (await held(database, buyer)).available == 0
    await assert_clean(database)


async def test_a_payment_for_nothing_we_know_is_unplaced(database: Database) -> None:
    _, order = await shop(database)
    stranger = payment_for(order)
    async with database.transaction() as connection:
        notice = await report(
            connection,
            type(stranger)("snap", "X", "M000000000000", stranger.amount, stranger.paid_at),
        )
        matched = await match(connection, notice.id)
    assert matched.unplaced is Unplaced.NO_ORDER
    await assert_clean(database)


async def test_paying_twice_credits_once_and_keeps_the_second_visible(database: Database) -> None:
    buyer, order = await shop(database)
    await pay(database, order)
    assert (await pay(database, order)).unplaced is Unplaced.PAID_TWICE
    assert (await held(database, buyer)).available == 2
    await assert_clean(database)


async def test_an_expired_order_gives_its_units_back_to_the_stock(database: Database) -> None:
    buyer, order = await shop(database)
    await expire(database, order)
    assert await left(database) == 100
    assert (await held(database, buyer)).on_order == 0
    await assert_clean(database)


async def test_a_late_payment_is_honoured_while_stock_is_left(database: Database) -> None:
    buyer, order = await shop(database)
    await expire(database, order)
    assert (await pay(database, order)).unplaced is None
    assert (await held(database, buyer)).available == 2
    await assert_clean(database)


async def test_a_late_payment_without_stock_is_unplaced_and_nothing_is_oversold(
    database: Database,
) -> None:
    buyer, order = await shop(database, stock=2)
    await expire(database, order)
    async with database.transaction() as connection:
        other = await add_buyer(connection)
        await place_order(connection, other, 2)
    matched = await pay(database, order)
    assert matched.unplaced is Unplaced.LATE_SOLD_OUT
    assert matched.notice.state is NoticeState.NEW
    assert (await held(database, buyer)).available == 0
    await assert_clean(database)


async def test_what_is_not_in_stock_cannot_be_ordered(database: Database) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=1)
        buyer = await add_buyer(connection)
    with pytest.raises(SoldOut):
        async with database.transaction() as connection:
            await place_order(connection, buyer, 2)
    with pytest.raises(TooManyAtOnce):
        async with database.transaction() as connection:
            await place_order(connection, buyer, 51)
    await assert_clean(database)


async def test_a_cancelled_order_can_be_cancelled_once(database: Database) -> None:
    buyer, order = await shop(database)
    async with database.transaction() as connection:
        await cancel(connection, order.id, buyer.id)
    with pytest.raises(OrderOver):
        async with database.transaction() as connection:
            await cancel(connection, order.id, buyer.id)
    assert await left(database) == 100
    await assert_clean(database)


async def test_of_fifty_orders_against_thirty_units_exactly_thirty_are_placed(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=30)
        buyers = [await add_buyer(connection) for _ in range(50)]

    async def buy(buyer: Party) -> bool:
        try:
            async with database.transaction() as connection:
                await place_order(connection, buyer, 1)
        except SoldOut:
            return False
        return True

    placed = await asyncio.gather(*(buy(buyer) for buyer in buyers))
    assert sum(placed) == 30
    assert await left(database) == 0
    await assert_clean(database)


async def test_shuffled_payments_expiries_and_cancellations_leave_the_books_clean(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=40)
        buyers = [await add_buyer(connection) for _ in range(12)]
        orders = [await place_order(connection, buyer, 2) for buyer in buyers]
    chance = random.Random(20240904)

    async def something(order: Order, buyer: Party) -> None:
        await asyncio.sleep(chance.random() * 0.05)
        kind = chance.choice(["pay", "pay", "twice", "wrong", "expire", "cancel"])
        if kind in ("pay", "twice"):
            await pay(database, order)
        if kind == "twice":
            await pay(database, order)
        if kind == "wrong":
            await pay(database, order, amount=7)
        if kind == "expire":
            async with database.transaction() as connection:
                await connection.execute(
                    "update purchase set expires_at = now() - interval '1 s' where id = $1",
                    order.id,
                )
                await expire_due(connection)
            await pay(database, order)
        if kind == "cancel":
            async with database.transaction() as connection:
                await cancel(connection, order.id, buyer.id)
            await pay(database, order)

    pairs = list(zip(orders, buyers, strict=True))
    await asyncio.gather(*(something(order, buyer) for order, buyer in pairs))
    await assert_clean(database)


async def test_a_cap_of_a_day_holds_for_one_person_however_they_ask(database: Database) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, units_per_day=5)
        first, second = await add_buyer(connection), await add_buyer(connection)
    same = b"the same telephone"

    async def order(units: int, buyer: Party) -> Order:
        async with database.transaction() as connection:
            return await place(connection, Wish.new(buyer.id, CHANNEL, units, buyer=same), "snap")

    said = await asyncio.gather(
        *(order(1, first if n % 2 else second) for n in range(9)), return_exceptions=True
    )
    placed = [one for one in said if isinstance(one, Order)]
    assert len(placed) == 5
    assert all(isinstance(one, DayCapReached) for one in said if one not in placed)
    await expire(database, placed[0])  # what was not bought does not count
    await order(1, first)
    with pytest.raises(DayCapReached):
        await order(1, first)
    async with database.transaction() as connection:  # in one batch too
        third = await add_buyer(connection)
        answers = await place_all(connection, [Wish.new(third.id, CHANNEL, 3) for _ in range(2)])
    assert isinstance(answers[0], Order)
    assert isinstance(answers[1], DayCapReached)
    await assert_clean(database)


async def test_a_batch_of_orders_takes_no_more_than_the_stock(database: Database) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=7)
        buyer = await add_buyer(connection)
        wishes = [Wish.new(buyer.id, CHANNEL, 2) for _ in range(6)]
        answers = await place_all(connection, [*wishes, wishes[0]])
    assert [type(one) for one in answers] == [Order, Order, Order, SoldOut, SoldOut, SoldOut, Order]
    assert answers[-1] == answers[0]
    assert await left(database) == 1
    async with database.transaction() as connection:
        assert await place_all(connection, wishes[:1]) == answers[:1]
    await assert_clean(database)


async def test_a_batch_with_every_kind_of_payment_ends_each_once(database: Database) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=2)
        buyer = await add_buyer(connection)
        good, late = [await place_order(connection, buyer) for _ in range(2)]
    await expire(database, late)
    async with database.transaction() as connection:
        await place_order(connection, buyer)  # nothing is left for the late one
    reports = [
        payment_for(good),
        payment_for(good, amount=1),
        payment_for(good),
        payment_for(late),
        payment_for(late),
        replace(payment_for(late), reference="M000000000000"),
    ]
    async with database.transaction() as connection:
        recorded = await payments.record_notices(connection, [(r, "callback") for r in reports])
        notices = [said[0] for said in recorded if not isinstance(said, NoticeContradicts)]
        matched = await match_all(connection, [notice.id for notice in notices])
    why = [matched[notice.id].unplaced for notice in notices]
    assert why == [
        None,
        Unplaced.PAID_TWICE,
        Unplaced.PAID_TWICE,
        Unplaced.LATE_SOLD_OUT,
        Unplaced.LATE_SOLD_OUT,
        Unplaced.NO_ORDER,
    ]
    async with database.transaction() as connection:
        again = await match_all(connection, [notice.id for notice in notices])
    assert [again[notice.id].unplaced for notice in notices] == why
    await assert_clean(database)


async def test_outside_opening_hours_nothing_is_sold(database: Database) -> None:
    soon = (now() + timedelta(hours=9)).time().replace(second=0, microsecond=0)  # WIB is +7
    later = (now() + timedelta(hours=10)).time().replace(second=0, microsecond=0)
    async with database.transaction() as connection:
        await open_channel(connection)
        terms = await channels.terms_at(connection, CHANNEL)
        hours = replace(terms, valid_from=now() - timedelta(days=1), opens=soon, closes=later)
        await channels.set_terms(connection, hours)
        buyer = await add_buyer(connection)
        with pytest.raises(ChannelClosed):
            await place_order(connection, buyer)
