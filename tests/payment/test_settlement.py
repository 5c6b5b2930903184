from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.affixing.paid import take_payments
from meterai.audit.reconciler import audit
from meterai.clock import WIB, now
from meterai.db.connection import Database
from meterai.money import Rupiah
from meterai.payment.settlement import FileNotUnderstood, Import, Verdict, read, take_in
from meterai.sale import store as orders
from meterai.sale.matching import match
from meterai.sale.model import Order, OrderState
from world.trade import add_buyer, open_channel, payment_for, place_order, report

HEAD = "kind,external_id,reference,amount,at\n"
TODAY = now().astimezone(WIB).date()


def line(order: Order, number: str, amount: int = 10_500, kind: str = "payment") -> str:
    return f"{kind},{number},{order.reference},{amount},{now().astimezone(WIB).isoformat()}\n"


async def imported(
    database: Database, content: str, refunds: dict[str, int] | None = None, day: date = TODAY
) -> Import:
    known = {name: Rupiah(amount) for name, amount in (refunds or {}).items()}
    async with database.transaction() as connection:
        return await take_in(connection, "snap", day, content.encode(), refunds=known)


async def two_orders(database: Database) -> tuple[Order, Order]:
    """The first was reported and credited under N1; of the second nothing was heard."""
    async with database.transaction() as connection:
        await open_channel(connection)
        buyer = await add_buyer(connection)
        first, second = await place_order(connection, buyer), await place_order(connection, buyer)
        notice = await report(connection, payment_for(first, number="N1"))
        await match(connection, notice.id)
    return first, second


async def test_a_payment_that_only_the_file_knows_finds_its_order(database: Database) -> None:
    first, second = await two_orders(database)
    content = HEAD + line(first, "N1") + line(second, "N2")
    said = await imported(database, content)
    assert [c.verdict for c in said.checked] == [Verdict.MATCHED, Verdict.FOUND]
    assert (said.differences, said.rupiah_apart, said.missing) == ([], 0, ())
    async with database.transaction() as connection:
        await take_payments(connection, said.found)
        found = await orders.find(connection, second.id)
    assert found is not None
    assert found.state is OrderState.PAID
    again = await imported(database, content)
    assert [c.verdict for c in again.checked] == [Verdict.MATCHED, Verdict.MATCHED]
    assert (await audit(database)).discrepancies == []


async def test_a_rupiah_too_few_is_named(database: Database) -> None:
    first, _ = await two_orders(database)
    said = await imported(database, HEAD + line(first, "N1", 10_499))
    (differs,) = said.differences
    assert (differs.verdict, differs.ours, said.rupiah_apart) == (
        Verdict.AMOUNT_DIFFERS,
        10_500,
        -1,
    )


async def test_what_the_file_leaves_out_is_named(database: Database) -> None:
    first, second = await two_orders(database)
    said = await imported(database, HEAD + line(second, "N2"))
    assert said.missing == (("N1", 10_500),)
    assert said.rupiah_apart == -10_500
    assert first.reference != second.reference


async def test_refunds_are_laid_beside_ours(database: Database) -> None:
    first, _ = await two_orders(database)
    content = (
        HEAD
        + line(first, "N1")
        + "".join(
            line(first, number, amount, "refund")
            for number, amount in (("R1", 100), ("R2", 100), ("R3", 7), ("R1", 100))
        )
    )
    said = await imported(database, content, {"R1": 100, "R2": 99})
    assert [c.verdict for c in said.checked[1:]] == [
        Verdict.MATCHED,
        Verdict.AMOUNT_DIFFERS,
        Verdict.UNKNOWN,
        Verdict.REPEATED,
    ]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", 1),
        ("a,b\n", 1),
        (HEAD + "payment,N1,M1,10,2026-11-25T10:00:00+07:00\npayment,N2\n", 3),
        (HEAD + "payment,N1,M1,-5,2026-11-25T10:00:00+07:00\n", 2),
        (HEAD + "payment,N1,M1,5.00,2026-11-25T10:00:00+07:00\n", 2),
        (HEAD + "gift,N1,M1,5,2026-11-25T10:00:00+07:00\n", 2),
        (HEAD + "payment,N1,M1,5,2026-11-25T10:00:00\n", 2),
    ],
)
async def test_a_broken_file_is_refused_whole_with_its_line(
    database: Database, content: str, wrong: int
) -> None:
    with pytest.raises(FileNotUnderstood) as refused:
        await imported(database, content)
    assert refused.value.facts == {"line": wrong}
    async with database.reading() as connection:
        assert await connection.fetchval("select count(*) from settlement_file") == 0


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: (HEAD + t).encode()))
def test_any_bytes_are_read_or_refused_by_name(content: bytes) -> None:
    try:
        lines = read(content)
    except FileNotUnderstood:
        return
    assert all(one.amount > 0 for one in lines)
