"""Selling at a counter (*loket*): cash or QRIS, a voucher in the buyer's hand, also while the centre is away.

A walk-in is a guest: an order like any other, paid in cash to the outlet or to the provider, whose units go
into a voucher at once. A device that is cut off sells from the block it was given at the opening of its shift:
those codes are valid from the moment they are shown, whether the device or the buyer reaches us first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from meterai.channel import store as channels
from meterai.channel import voucher as vouchers
from meterai.channel.errors import NoSuchVoucher, SoldOut
from meterai.channel.model import ChannelId, Terms
from meterai.channel.voucher import Gift, Voucher, VoucherState
from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.errors import Invalid, MeteraiError
from meterai.ids import kin, new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.errors import NotEnough
from meterai.ledger.model import single
from meterai.ledger.store import AccountKey
from meterai.money import Rupiah, Units
from meterai.payment import store as payments
from meterai.payment.model import MoneyAccount, Reported
from meterai.people import store as people
from meterai.people.model import Party, PartyKind
from meterai.people.signin import Vault
from meterai.quota.model import UnitMove
from meterai.quota.stock import available_key, blocks_key, set_aside, stock_key, vouchers_key
from meterai.sale import shift as shifts
from meterai.sale import store
from meterai.sale.checkout import Wish, place
from meterai.sale.errors import ShiftOver, ShiftUnderWay, WhyDifferent
from meterai.sale.matching import match, money_key
from meterai.sale.model import Order, OrderState, reference_of
from meterai.sale.shift import BLOCK_MAX, Shift

_TAKEN, _RETURNED = 1, 2
_ORDER, _VOUCHER = 32, 33
UNITS_MAX = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """A shift that shall begin; ``id`` makes a repetition harmless."""

    id: UUID
    channel: ChannelId
    outlet: str
    clerk: UUID
    cash: Rupiah
    block: int


async def open_shift(connection: Connection, vault: Vault, wish: Opening) -> Shift:
    """The clerk sells; a block of codes stands ready, its units set apart from the stock.

    Raises :class:`ShiftUnderWay` when the clerk has another open shift, and :class:`SoldOut`.
    """
    if not 0 <= wish.block <= BLOCK_MAX or not 0 <= wish.cash < 2**40:
        raise Invalid
    terms = await channels.terms_at(connection, wish.channel)
    shift = Shift(
        id=wish.id,
        channel=wish.channel,
        outlet=wish.outlet,
        clerk=wish.clerk,
        terms_from=terms.valid_from,
        opening_cash=wish.cash,
        block_units=wish.block,
        returned_units=0,
        device=None,
        opened_at=terms.valid_from,
        closed_at=None,
        counted_cash=None,
        remark=None,
    )
    if not await shifts.add(connection, shift):
        known = await shifts.open_shift_of(connection, wish.clerk)
        if known is None or known.id != wish.id:
            raise ShiftUnderWay
        return known
    if wish.block:
        try:
            await _into_block(connection, wish.id, wish.channel, wish.block)
        except NotEnough as error:
            raise SoldOut from error
        await vouchers.keep(connection, vault, wish.id, wish.channel, wish.block)
    return await shifts.find(connection, wish.id)


async def _into_block(
    connection: Connection, shift: UUID, channel: ChannelId, units: int, *, back: bool = False
) -> None:
    stock, block = stock_key(channel), blocks_key(channel)
    accounts = await ledger.open_accounts(connection, [stock, block])
    await journal.record(
        connection,
        single(
            kin(shift, _RETURNED if back else _TAKEN),
            code=UnitMove.BLOCKED,
            debit=accounts[block if back else stock],
            credit=accounts[stock if back else block],
            amount=units,
            ref=shift,
        ),
    )


async def sell_for_cash(
    connection: Connection, vault: Vault, shift_id: UUID, id: UUID, units: int, now: datetime
) -> Voucher:
    """The walk-in has a voucher, the drawer the cash. Raises :class:`ShiftOver` and :class:`SoldOut`."""
    shift = await shifts.lock(connection, shift_id)
    if shift.closed_at is not None:
        raise ShiftOver
    if not 0 < units <= UNITS_MAX:
        raise Invalid
    order = await _cash_order(connection, shift, id, units, now, stock_key(shift.channel))
    return await vouchers.wrap(connection, vault, _gift(order, shift.id))


def _gift(order: Order, shift: UUID) -> Gift:
    return Gift(
        kin(order.id, _VOUCHER), order.party, ChannelId(order.channel), order.units, shift, order.id
    )


async def sell_kept(
    connection: Connection, voucher: Voucher, shift: Shift, sold_at: datetime
) -> Voucher:
    """A voucher of a block is sold and can be redeemed; ``shift`` and ``voucher`` are locked.

    Of a shift that is closed the units are in the stock again: they are sold from there, if any are left.
    Raises :class:`SoldOut`.
    """
    assert voucher.shift == shift.id
    kept = voucher.state is VoucherState.KEPT
    giving = blocks_key(shift.channel) if kept else stock_key(shift.channel)
    order = await _cash_order(
        connection, shift, kin(voucher.id, _ORDER), voucher.units, sold_at, giving
    )
    await connection.execute(
        """update voucher set state = 'live', giver = $2, purchase = $3, ended_at = null where id = $1""",
        voucher.id,
        order.party,
        order.id,
    )
    gift = Gift(voucher.id, order.party, shift.channel, voucher.units)
    await vouchers.fill(connection, gift)
    return await vouchers.find(connection, voucher.id)


async def _cash_order(
    connection: Connection,
    shift: Shift,
    id: UUID,
    units: int,
    sold_at: datetime,
    giving: AccountKey,
) -> Order:
    """A paid order of a guest: placed from ``giving`` under the shift's terms, its cash recorded."""
    known = await store.find(connection, id)
    if known is not None:
        return known
    terms = await channels.terms_at(connection, shift.channel, shift.terms_from)
    guest = Party(new_id(), PartyKind.GUEST, None, "id")
    await people.add_party(connection, guest)
    order = _order(id, guest.id, terms, units, sold_at)
    held, drawer = available_key(guest.id, shift.channel), f"tunai-{shift.outlet}"
    accounts = await _lock_all(connection, shift.channel, drawer, giving, held)
    try:
        await journal.record(
            connection,
            set_aside(id, stock=accounts[giving], available=accounts[held], units=units),
        )
    except NotEnough as error:
        raise SoldOut from error
    await store.add_all(connection, [order], providers=[drawer], buyers=[guest.id.bytes])
    await payments.set_cash(connection, order.reference)
    reported = Reported(drawer, order.reference, order.reference, order.total, sold_at)
    notice, _ = await payments.record_notice(connection, reported, "counter")
    await match(connection, notice.id)
    await shifts.add_sale(connection, id, shift.id, "cash", sold_at)
    paid = await store.find(connection, id)
    assert paid is not None
    return paid


async def _lock_all(
    connection: Connection, channel: ChannelId, drawer: str, *more: AccountKey
) -> dict[AccountKey, int]:
    """Every account that the sale touches, in one order, before any of them moves: no two sales wait
    for each other.
    """
    keys = [
        *more,
        vouchers_key(channel),
        money_key(MoneyAccount.PROVIDER, drawer),
        money_key(MoneyAccount.UNPLACED, drawer),
        money_key(MoneyAccount.DUTY, channel),
        money_key(MoneyAccount.SERVICE_FEE, channel),
    ]
    accounts = await ledger.open_accounts(connection, keys)
    await ledger.lock_balances(connection, sorted(accounts.values()))
    return accounts


def _order(id: UUID, party: UUID, terms: Terms, units: int, sold_at: datetime) -> Order:
    price = terms.price(Units(units))
    return Order(
        id=id,
        reference=reference_of(id),
        party=party,
        channel=terms.channel,
        terms_from=terms.valid_from,
        units=units,
        duty=price.duty,
        service_fee=price.service_fee,
        document=None,
        state=OrderState.PLACED,
        placed_at=sold_at,
        expires_at=sold_at + timedelta(seconds=terms.order_seconds),
        paid_at=None,
    )


async def order_by_qris(
    connection: Connection, shift_id: UUID, id: UUID, units: int, provider: str, now: datetime
) -> Order:
    """An order of a walk-in that waits for its QRIS payment; the voucher follows when it is paid.

    Raises :class:`ShiftOver` and what placing an order raises.
    """
    shift = await shifts.lock(connection, shift_id)
    if shift.closed_at is not None:
        raise ShiftOver
    known = await store.find(connection, id)
    if known is not None:
        return known
    guest = Party(new_id(), PartyKind.GUEST, None, "id")
    await people.add_party(connection, guest)
    order = await place(connection, Wish(id, guest.id, shift.channel, Units(units)), provider)
    await shifts.add_sale(connection, id, shift.id, "qris", now)
    return order


async def voucher_of_order(connection: Connection, vault: Vault, order: Order) -> Voucher:
    """The voucher over what a paid counter order bought; made when it is asked for first."""
    shift = await shifts.shift_of_sale(connection, order.id)
    return await vouchers.wrap(connection, vault, _gift(order, shift.id))


class Synced(Enum):
    """What became of a sale that a device reports; this list and no other."""

    RECORDED = "recorded"
    KNOWN = "known"
    """Reported before, or redeemed already."""
    NOT_YOURS = "not_yours"
    """The code is of another shift, or there is no such code."""
    SOLD_OUT = "sold_out"
    """The shift was closed before, and its channel has no unit left: an officer has to look."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale that a device made by itself."""

    voucher: UUID
    sold_at: datetime


async def take_sales(
    connection: Connection, shift_id: UUID, sales: Sequence[Sale], now: datetime
) -> dict[UUID, Synced]:
    """Each sale of a device is in the books, once, however often it is reported; none hinders another.

    A device's clock is believed only within its shift.
    """
    shift = await shifts.lock(connection, shift_id)
    said: dict[UUID, Synced] = {}
    for sale in sales:
        at = min(max(sale.sold_at, shift.opened_at), now)
        try:
            voucher = await vouchers.lock(connection, sale.voucher)
        except NoSuchVoucher:
            said[sale.voucher] = Synced.NOT_YOURS
            continue
        said[sale.voucher] = await _take(connection, shift, voucher, at)
    return said


async def _take(connection: Connection, shift: Shift, voucher: Voucher, at: datetime) -> Synced:
    if voucher.shift != shift.id:
        return Synced.NOT_YOURS
    if voucher.purchase is not None:
        return Synced.KNOWN
    try:
        async with connection.transaction():
            await sell_kept(connection, voucher, shift, at)
    except SoldOut:
        facts: dict[str, object] = {"shift": str(shift.id)}
        await put(connection, "counter.sold_without_stock", [(voucher.id, facts)])
        return Synced.SOLD_OUT
    return Synced.RECORDED


async def redeem_code(
    connection: Connection, vault: Vault, typed: str, party: UUID, now: datetime
) -> Voucher | MeteraiError:
    """The units of this code are the party's; or why not, which is to be told after the commit.

    A code of a block that nobody reported yet was shown to a buyer: it counts as sold in its shift, now.
    """
    try:
        voucher = await vouchers.lock_by_code(connection, vault, typed, party)
        if voucher.state is VoucherState.KEPT:
            assert voucher.shift is not None
            shift = await shifts.find(connection, voucher.shift)
            voucher = await sell_kept(connection, voucher, shift, now)
        await vouchers.redeem(connection, voucher, party)
    except NoSuchVoucher as error:
        await vouchers.count_miss(connection, party)
        return error
    return await vouchers.find(connection, voucher.id)


async def close_shift(
    connection: Connection, shift_id: UUID, counted: Rupiah, remark: str
) -> shifts.Drawer:
    """The shift is over: what is left of its block is stock again, and the difference has a name.

    A repetition changes nothing. Raises :class:`WhyDifferent` when cash is missing or over and nobody says why.
    """
    shift = await shifts.lock(connection, shift_id)
    if shift.closed_at is not None:
        return await shifts.drawer(connection, shift_id)
    if not 0 <= counted < 2**40:
        raise Invalid
    now_in = await shifts.drawer(connection, shift_id)
    difference = counted - now_in.expected
    if difference and len(remark) < 3:
        raise WhyDifferent(difference=difference)
    left = await connection.fetch(
        """update voucher set state = 'revoked', ended_at = now() where shift = $1 and state = 'kept'
           returning units""",
        shift_id,
    )
    returned = sum(row["units"] for row in left)
    if returned:
        await _into_block(connection, shift_id, shift.channel, returned, back=True)
    await shifts.end(
        connection, shift_id, counted=counted, remark=remark or None, returned=returned
    )
    return await shifts.drawer(connection, shift_id)
