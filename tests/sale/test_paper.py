import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from meterai.audit.reconciler import audit
from meterai.clock import now
from meterai.db.connection import Database
from meterai.sale.model import Order
from meterai.sale.paper import Paper, PaperKind, issue_paper
from world.trade import add_buyer, open_channel, place_order

INVOICE, RECEIPT = PaperKind.INVOICE, PaperKind.RECEIPT


class Regret(Exception):
    """Somebody changes their mind before the commit."""


async def some_orders(database: Database, count: int) -> list[Order]:
    async with database.transaction() as connection:
        await open_channel(connection)
        buyer = await add_buyer(connection)
        return [await place_order(connection, buyer) for _ in range(count)]


async def issued(
    database: Database, order: Order, kind: PaperKind = RECEIPT, at: datetime | None = None
) -> Paper:
    async with database.transaction() as connection:
        return await issue_paper(connection, order, kind, at or now())


async def test_numbers_have_no_gap_under_many_at_once_and_rollbacks(database: Database) -> None:
    orders = await some_orders(database, 24)

    async def ask(turn: int, order: Order) -> int | None:
        try:
            async with database.transaction() as connection:
                paper = await issue_paper(connection, order, RECEIPT, now())
                await asyncio.sleep(0)
                if turn % 3 == 0:
                    raise Regret  # noqa: TRY301 - it leaves the transaction on purpose
        except Regret:
            return None
        return paper.number

    twice = [*orders, *reversed(orders)]
    told = await asyncio.gather(*(ask(turn, order) for turn, order in enumerate(twice)))
    assert None in told
    numbers = {(await issued(database, order)).number for order in orders}
    assert numbers == set(range(1, len(orders) + 1))
    for order, number in zip(twice, told, strict=True):
        if number is not None:  # what somebody was told stays so
            assert (await issued(database, order)).number == number
    assert (await audit(database)).discrepancies == []


async def test_each_kind_and_each_year_in_western_indonesia_counts_from_one(
    database: Database,
) -> None:
    first, second, third = await some_orders(database, 3)
    new_year = datetime(2027, 1, 1, tzinfo=UTC) - timedelta(hours=7)
    before = await issued(database, first, at=new_year - timedelta(seconds=1))
    after = await issued(database, second, at=new_year)
    other = await issued(database, third, INVOICE, at=new_year)
    assert before.said == "KWT/LANGSUNG/2026/000001"
    assert after.said == "KWT/LANGSUNG/2027/000001"
    assert other.said == "TGH/LANGSUNG/2027/000001"


async def test_an_issued_number_cannot_be_taken_away_and_a_gap_is_found(database: Database) -> None:
    (order,) = await some_orders(database, 1)
    await issued(database, order)
    with pytest.raises(Exception, match="append-only"):
        async with database.transaction() as connection:
            await connection.execute("delete from paper")
    async with database.transaction() as connection:
        await connection.execute("update paper_series set last = 2")
    (found,) = (await audit(database)).discrepancies
    assert found.about == "series receipt/langsung/2026"
    assert found.detail == "drew 2 numbers and has 1 papers up to 1"
