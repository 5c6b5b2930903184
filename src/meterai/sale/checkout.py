"""Placing an order, asking the provider for its QR code, and letting its time run out."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from meterai.channel import store as channels
from meterai.channel.errors import SoldOut, TooManyAtOnce
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection, Database
from meterai.db.outbox import put
from meterai.ids import new_id
from meterai.ledger import journal
from meterai.ledger.errors import NotEnough
from meterai.money import Units
from meterai.payment import qris
from meterai.payment import store as payments
from meterai.payment.errors import BadQris
from meterai.payment.model import PaymentRequest
from meterai.payment.provider import Provider
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import put_back, set_aside, stock_account
from meterai.sale import store
from meterai.sale.errors import NoSuchOrder, OrderOver
from meterai.sale.model import Order, OrderState, reference_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to buy; ``id`` makes a repetition harmless."""

    id: UUID
    party: UUID
    channel: ChannelId
    units: Units
    document: UUID | None = None

    @classmethod
    def new(
        cls, party: UUID, channel: ChannelId, units: int, document: UUID | None = None
    ) -> "Wish":
        """A wish with a fresh id."""
        return cls(new_id(), party, channel, Units(units), document)


async def place(connection: Connection, wish: Wish, provider: str) -> Order:
    """The order is placed and its units are set aside; the same wish again gives the same order.

    Raises :class:`TooManyAtOnce`, :class:`SoldOut` and what the channel's terms raise.
    """
    before = await store.find(connection, wish.id)
    if before is not None:
        return before
    terms = await channels.terms_at(connection, wish.channel)
    if not 0 < wish.units <= terms.units_per_order:
        raise TooManyAtOnce(most=terms.units_per_order)
    price = terms.price(wish.units)
    moment = await connection.fetchval("select now()")
    order = Order(
        id=wish.id,
        reference=reference_of(wish.id),
        party=wish.party,
        channel=wish.channel,
        terms_from=terms.valid_from,
        units=wish.units,
        duty=price.duty,
        service_fee=price.service_fee,
        document=wish.document,
        state=OrderState.PLACED,
        placed_at=moment,
        expires_at=moment + timedelta(seconds=terms.order_seconds),
        paid_at=None,
    )
    stock = await stock_account(connection, wish.channel)
    available, _ = await open_accounts(connection, wish.party, wish.channel)
    await payments.add_request(connection, order.reference, provider, order.total, order.expires_at)
    await store.add(connection, order)
    try:
        await journal.record(
            connection, set_aside(order.id, stock=stock, available=available, units=order.units)
        )
    except NotEnough as error:
        raise SoldOut from error
    return order


async def ask_for_qr(database: Database, provider: Provider, order: Order) -> PaymentRequest:
    """The order can be paid by a QRIS code, whose amount and reference were checked against it.

    Asked for outside any transaction; asking again is harmless.
    Raises :class:`meterai.payment.errors.ProviderUnavailable` and :class:`BadQris`.
    """
    async with database.reading() as connection:
        known = await payments.request(connection, order.reference)
    if known is not None and known.qris is not None:
        return known
    issued = await provider.issue_qr(order.reference, order.total, order.expires_at)
    said = qris.read(issued.qris)
    if said.amount != order.total or said.bill != order.reference:
        raise BadQris
    async with database.transaction() as connection:
        await payments.set_qris(connection, order.reference, issued.qris, issued.provider_reference)
        known = await payments.request(connection, order.reference)
    assert known is not None
    return known


async def cancel(connection: Connection, order: UUID, party: UUID) -> None:
    """The buyer takes the order back before paying; its units can be sold again.

    Raises :class:`NoSuchOrder` and :class:`OrderOver`.
    """
    found = await store.lock(connection, order)
    if found is None or found.party != party:
        raise NoSuchOrder
    if found.state is not OrderState.PLACED:
        raise OrderOver
    await store.end(connection, [order], OrderState.CANCELLED)
    await journal.record(connection, put_back(order, overdue=False))


async def expire_due(connection: Connection, *, size: int = 200) -> int:
    """Orders whose time is over have put their units back; returns how many orders that were."""
    orders = await store.due(connection, size=size)
    if not orders:
        return 0
    await store.end(connection, [order.id for order in orders], OrderState.EXPIRED)
    await put(connection, "order.expired", [(order.id, {}) for order in orders])
    outcomes = await journal.apply(
        connection, [[put_back(order.id, overdue=True)] for order in orders]
    )
    for said in outcomes:
        journal.demand(said)
    return len(orders)
