import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.audit.reconciler import audit
from meterai.channel import allocation
from meterai.channel.errors import DepositShort
from meterai.channel.model import Move
from meterai.clock import WIB, now
from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.money import Units
from meterai.treasury import deposits
from meterai.treasury.errors import (
    AmountNotWhole,
    BillingCodeNotUnderstood,
    DepositKnown,
    NtpnNotUnderstood,
)
from meterai.treasury.model import Deposit, read_billing_code, read_ntpn
from meterai.treasury.settlement import settle_day
from world.network import CENTRE, COUNTER, FIRST, open_network
from world.trade import add_buyer

CODE, NTPN = "123456789012345", "0A1B2C3D4E5F6G7H"


@pytest.fixture
async def clerk(database: Database) -> UUID:
    async with database.transaction() as connection:
        await open_network(connection)
        return (await add_buyer(connection)).id


async def deposited(database: Database, clerk: UUID, amount: int, code: str = CODE) -> Deposit:
    async with database.transaction() as connection:
        return await deposits.record(connection, FIRST, amount, code, clerk)


async def confirmed(database: Database, deposit: Deposit, clerk: UUID, ntpn: str = NTPN) -> Deposit:
    async with database.transaction() as connection:
        return await deposits.confirm(connection, deposit.id, ntpn, clerk)


async def test_only_a_confirmed_deposit_buys_stock(database: Database, clerk: UUID) -> None:
    deposit = await deposited(database, clerk, 1_000_000)
    wish = Move(new_id(), CENTRE, FIRST, Units(100))
    with pytest.raises(DepositShort):
        async with database.transaction() as connection:
            await allocation.move(connection, wish)
    await confirmed(database, deposit, clerk)
    async with database.transaction() as connection:
        await allocation.move(connection, wish)
        held = (await deposits.prepaid(connection))[FIRST]
    assert (held.free, held.stocked) == (0, 1_000_000)
    assert (await audit(database)).discrepancies == []


async def test_a_deposit_confirmed_by_two_at_once_counts_once(
    database: Database, clerk: UUID
) -> None:
    deposit = await deposited(database, clerk, 10_000)
    await asyncio.gather(*(confirmed(database, deposit, clerk) for _ in range(5)))
    async with database.reading() as connection:
        assert (await deposits.prepaid(connection))[FIRST].free == 10_000


async def test_one_receipt_of_the_state_confirms_one_deposit(
    database: Database, clerk: UUID
) -> None:
    await confirmed(database, await deposited(database, clerk, 10_000), clerk)
    with pytest.raises(DepositKnown):
        await deposited(database, clerk, 10_000)
    other = await deposited(database, clerk, 10_000, "999999999999999")
    with pytest.raises(DepositKnown):
        await confirmed(database, other, clerk)


@pytest.mark.parametrize("amount", [0, -10_000, 15_000, 2**60])
async def test_a_deposit_pays_for_whole_units(database: Database, clerk: UUID, amount: int) -> None:
    with pytest.raises(AmountNotWhole):
        await deposited(database, clerk, amount)


def test_codes_are_read_as_people_type_them() -> None:
    assert read_billing_code(" 123 456 789 012 345 ") == CODE
    assert read_ntpn("0a1b-2c3d 4e5f6g7h") == NTPN


@given(st.text(max_size=20))
def test_any_other_code_is_refused_with_its_reason(typed: str) -> None:
    if not (typed.strip().isascii() and sum(c.isalnum() for c in typed) in (15, 16)):
        with pytest.raises(BillingCodeNotUnderstood):
            read_billing_code(typed)
        with pytest.raises(NtpnNotUnderstood):
            read_ntpn(typed)


async def test_a_day_is_settled_and_a_difference_is_named_to_one_unit(
    database: Database, clerk: UUID
) -> None:
    await confirmed(database, await deposited(database, clerk, 1_000_000), clerk)
    today = now().astimezone(WIB).date()
    async with database.transaction() as connection:
        await allocation.move(connection, Move(new_id(), CENTRE, FIRST, Units(100)))
        await allocation.move(connection, Move(new_id(), FIRST, COUNTER, Units(30)))
        await allocation.move(connection, Move(new_id(), FIRST, CENTRE, Units(5)))
    async with database.reading() as connection:
        first, counter = sorted(
            await settle_day(connection, [FIRST, COUNTER], today), key=lambda s: s.channel != FIRST
        )
        assert (first.opening, first.received, first.returned, first.closing) == (0, 100, 35, 65)
        assert (counter.received, counter.closing) == (30, 30)
        assert first.unexplained == {}
        (later,) = await settle_day(connection, [FIRST], today + timedelta(days=1))
        assert (later.opening, later.closing, later.unexplained) == (65, 65, {})
    async with database.transaction() as connection:  # a paper that the books know nothing of
        await connection.execute(
            "insert into allocation (id, giver, taker, units, why) values ($1, $2, $3, 1, 'moved')",
            new_id(),
            FIRST,
            COUNTER,
        )
        first, counter = sorted(
            await settle_day(connection, [FIRST, COUNTER], today), key=lambda s: s.channel != FIRST
        )
    assert first.unexplained == {"returned": -1}
    assert counter.unexplained == {"received": -1}
