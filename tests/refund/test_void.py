from datetime import timedelta

import pytest

from meterai.audit.reconciler import audit
from meterai.channel import stock
from meterai.channel import voucher as vouchers
from meterai.channel.errors import VoucherOver
from meterai.channel.voucher import Voucher
from meterai.clock import now
from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.refund.errors import NotTwice, RefundOver
from meterai.refund.model import RefundState
from meterai.refund.void import ask_void, decide_void, waiting
from meterai.sale import counter, shift
from meterai.sale.counter import Opening
from meterai.sale.errors import ShiftOver
from meterai.sale.shift import Shift
from meterai.signing.vault import Vault
from world.network import COUNTER, open_counter
from world.trade import add_buyer

VAULT = Vault(bytes(range(32)))


async def sold(database: Database) -> tuple[Shift, Voucher]:
    """A voucher over two units, sold for cash, that the clerk wants undone."""
    async with database.transaction() as connection:
        await open_counter(connection, units=30)
        clerk = await add_buyer(connection)
        wish = Opening(new_id(), COUNTER, "pasar", clerk.id, Rupiah(0), 5)
        open_ = await counter.open_shift(connection, VAULT, wish)
        made = await counter.sell_for_cash(connection, VAULT, open_.id, new_id(), 2, now())
        await ask_void(connection, made.id, "salah jumlah", clerk.id)
    return open_, made


async def test_a_supervisor_undoes_a_sale_and_everything_comes_back(database: Database) -> None:
    open_, made = await sold(database)
    async with database.transaction() as connection:
        (wish,) = await waiting(connection, [COUNTER])
        assert (wish.amount, wish.units, wish.why) == (21_000, 2, "salah jumlah")
        supervisor = await add_buyer(connection)
        refund = await decide_void(connection, made.id, supervisor.id, now(), grant=True)
        assert refund is not None
        assert (refund.state, refund.amount) == (RefundState.PAID, 21_000)
        assert await waiting(connection, [COUNTER]) == []
        drawer = await shift.drawer(connection, open_.id)
        assert (drawer.cash, drawer.given_back, drawer.expected) == (21_000, 21_000, 0)
        (state,) = await stock.states(connection, [COUNTER])
        assert state.free == 25
        code = await vouchers.code_of(connection, VAULT, made.id)
        with pytest.raises(VoucherOver):
            await counter.redeem_code(connection, VAULT, code, supervisor.id, now())
    async with database.transaction() as connection:
        with pytest.raises(RefundOver):
            await decide_void(connection, made.id, supervisor.id, now(), grant=True)
    assert (await audit(database)).discrepancies == []


async def test_a_clerk_cannot_agree_to_their_own_wish(database: Database) -> None:
    open_, made = await sold(database)
    async with database.transaction() as connection:
        with pytest.raises(NotTwice):
            await decide_void(connection, made.id, open_.clerk, now(), grant=True)


async def test_what_was_used_or_whose_shift_is_closed_stays_sold(database: Database) -> None:
    open_, made = await sold(database)
    async with database.transaction() as connection:
        supervisor = await add_buyer(connection)
        await counter.close_shift(connection, open_.id, Rupiah(21_000), "")
    with pytest.raises(ShiftOver):
        async with database.transaction() as connection:
            await decide_void(connection, made.id, supervisor.id, now(), grant=True)
    async with database.transaction() as connection:
        code = await vouchers.code_of(connection, VAULT, made.id)
        await counter.redeem_code(connection, VAULT, code, supervisor.id, now())
        with pytest.raises(VoucherOver):
            await ask_void(connection, made.id, "terlambat", open_.clerk)
    assert (await audit(database)).discrepancies == []


async def test_a_declined_void_changes_nothing(database: Database) -> None:
    _, made = await sold(database)
    async with database.transaction() as connection:
        supervisor = await add_buyer(connection)
        assert await decide_void(connection, made.id, supervisor.id, now(), grant=False) is None
        code = await vouchers.code_of(connection, VAULT, made.id)
        await counter.redeem_code(connection, VAULT, code, supervisor.id, now() + timedelta(days=9))
    assert (await audit(database)).discrepancies == []
