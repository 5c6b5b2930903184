import asyncio

import pytest

from meterai.audit.reconciler import audit
from meterai.channel import allocation, stock
from meterai.channel.errors import DepositShort, FloorReached, NotOneFamily, SoldOut
from meterai.channel.model import Channel, ChannelId, Level, Move, StockRule, StockState, Why
from meterai.db.connection import Database
from meterai.errors import Invalid
from meterai.ids import new_id
from meterai.money import Units
from world.network import CENTRE, COUNTER, EVENT, FIRST, SECOND, open_network, prepay


async def move(database: Database, giver: ChannelId, taker: ChannelId, units: int) -> Why:
    async with database.transaction() as connection:
        return await allocation.move(connection, Move(new_id(), giver, taker, Units(units)))


async def free(database: Database) -> dict[str, int]:
    async with database.reading() as connection:
        return {s.channel.id: s.free for s in await stock.states(connection)}


async def assert_clean(database: Database) -> None:
    assert (await audit(database)).discrepancies == []


@pytest.fixture
async def network(database: Database) -> Database:
    async with database.transaction() as connection:
        await open_network(connection)
        await prepay(connection, FIRST, 500 * 10_000)
    return database


async def test_stock_comes_down_the_line_and_goes_back(network: Database) -> None:
    assert await move(network, CENTRE, FIRST, 300) is Why.TOPPED_UP
    assert await move(network, FIRST, COUNTER, 100) is Why.MOVED
    assert await move(network, COUNTER, EVENT, 40) is Why.MOVED
    assert await move(network, FIRST, CENTRE, 50) is Why.RETURNED
    assert await free(network) == {
        CENTRE: 750,
        FIRST: 150,
        COUNTER: 60,
        EVENT: 40,
        SECOND: 0,
    }
    await assert_clean(network)


async def test_no_stock_leaves_the_issuer_beyond_the_deposit(network: Database) -> None:
    await move(network, CENTRE, FIRST, 500)
    with pytest.raises(DepositShort):
        await move(network, CENTRE, FIRST, 1)
    with pytest.raises(DepositShort):
        await move(network, CENTRE, SECOND, 1)
    await move(network, FIRST, CENTRE, 1)  # what is returned frees its deposit
    await move(network, CENTRE, FIRST, 1)
    await assert_clean(network)


async def test_two_top_ups_at_once_share_one_deposit(network: Database) -> None:
    said = await asyncio.gather(
        *(move(network, CENTRE, FIRST, 100) for _ in range(8)), return_exceptions=True
    )
    assert said.count(Why.TOPPED_UP) == 5
    assert sum(isinstance(s, DepositShort) for s in said) == 3
    await assert_clean(network)


async def test_a_floor_is_never_given_away_though_it_can_be_sold(network: Database) -> None:
    await move(network, CENTRE, FIRST, 300)
    async with network.transaction() as connection:
        await stock.set_rule(connection, StockRule(FIRST, floor=250))
    await move(network, FIRST, COUNTER, 50)
    with pytest.raises(FloorReached):
        await move(network, FIRST, COUNTER, 1)
    assert (await free(network))[FIRST] == 250


async def test_stock_does_not_cross_from_one_distributor_to_another(network: Database) -> None:
    await move(network, CENTRE, FIRST, 10)
    with pytest.raises(NotOneFamily):
        await move(network, FIRST, SECOND, 1)
    with pytest.raises(NotOneFamily):
        await move(network, FIRST, FIRST, 1)


async def test_more_than_there_is_does_not_move(network: Database) -> None:
    with pytest.raises(SoldOut):
        await move(network, FIRST, COUNTER, 1)
    with pytest.raises(Invalid):
        await move(network, CENTRE, FIRST, 0)
    with pytest.raises(Invalid):
        await move(network, CENTRE, FIRST, -5)
    await assert_clean(network)


async def test_the_same_movement_twice_moves_once(network: Database) -> None:
    wish = Move(new_id(), CENTRE, FIRST, Units(10))
    for _ in range(2):
        async with network.transaction() as connection:
            await allocation.move(connection, wish)
    assert (await free(network))[FIRST] == 10
    await assert_clean(network)


async def test_an_alarm_is_raised_once_and_cleared_when_stock_is_back(network: Database) -> None:
    await move(network, CENTRE, FIRST, 400)
    async with network.transaction() as connection:
        # An hour ago as many had left as now but 390: the rest lasts for less than four hours.
        await connection.execute(
            """insert into stock_reading (channel, at, taken)
               values ($1, now() - interval '59 minutes', -390)""",
            FIRST,
        )
        assert set(await stock.watch(connection)) == {FIRST, SECOND, COUNTER, EVENT}
    async with network.transaction() as connection:
        assert FIRST in await stock.alarms(connection)
        assert await stock.watch(connection) == []
        (state,) = await stock.states(connection, [FIRST])
        assert state.level is Level.LOW
        assert state.hours == pytest.approx(400 / 390, rel=0.05)
    async with network.transaction() as connection:
        await connection.execute("delete from stock_reading")
        await stock.watch(connection)
        assert FIRST not in await stock.alarms(connection)


async def test_a_low_counter_is_filled_up_from_its_parent_but_not_below_its_floor(
    network: Database,
) -> None:
    await move(network, CENTRE, FIRST, 300)
    async with network.transaction() as connection:
        await stock.set_rule(connection, StockRule(FIRST, floor=220))
        await stock.set_rule(connection, StockRule(COUNTER, refill_to=100))
        (done,) = await allocation.refill(connection)
    assert (done.giver, done.taker, done.units) == (FIRST, COUNTER, 80)
    async with network.transaction() as connection:
        assert await allocation.refill(connection) == []
    await assert_clean(network)


async def test_a_unit_moved_past_the_books_is_found_to_the_unit(network: Database) -> None:
    await move(network, CENTRE, FIRST, 10)
    async with network.transaction() as connection:
        await connection.execute("alter table allocation disable trigger allocation_append_only")
        await connection.execute("update allocation set units = 11 where taker = $1", FIRST)
    found = (await audit(network)).discrepancies
    assert any("says 11" in d.detail and "moved 10" in d.detail for d in found)


def test_the_levels_are_told_by_hours_of_stock_not_by_numbers() -> None:
    def level(free: int, per_hour: float, *, disrupted: bool = False) -> Level:
        channel = Channel(FIRST, "Satu", "distributor", CENTRE)
        return StockState(channel, free, 0, per_hour, StockRule(FIRST), disrupted).level

    assert level(10, 0) is Level.IN_STOCK
    assert level(1000, 300) is Level.LOW
    assert level(1200, 300) is Level.IN_STOCK
    assert level(0, 0) is Level.SOLD_OUT
    assert level(1000, 0, disrupted=True) is Level.DISRUPTED
