"""A channel with stock and terms, a buyer, and payments as a provider would report them."""

from dataclasses import replace
from datetime import UTC, datetime

from meterai.channel import store as channels
from meterai.channel.model import Channel, ChannelId, Terms
from meterai.clock import now
from meterai.db.connection import Connection
from meterai.ids import new_id
from meterai.ledger import journal
from meterai.money import Rupiah
from meterai.payment import store as payments
from meterai.payment.model import PaymentNotice, Reported
from meterai.people import store as people
from meterai.people.model import Party, PartyKind
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import issue, sell_late, stock_account
from meterai.sale.checkout import Wish, place
from meterai.sale.model import Order

CHANNEL = ChannelId("langsung")

TERMS = Terms(
    channel=CHANNEL,
    valid_from=datetime(2024, 1, 1, tzinfo=UTC),
    duty=Rupiah(10_000),
    service_fee=Rupiah(500),
    units_per_order=50,
    order_seconds=900,
    file_bytes_max=10_000_000,
    attempts_max=4,
    deadline_seconds=30,
    keep_days=30,
)


async def open_channel(connection: Connection, *, stock: int = 100, **terms: int) -> ChannelId:
    """The channel sells, under the usual terms but for these."""
    await channels.open_channel(connection, Channel(CHANNEL, "Langsung", "issuer", None))
    await channels.set_terms(connection, replace(TERMS, **terms))  # type: ignore[arg-type]  # names are checked by replace()
    await issue(connection, new_id(), CHANNEL, stock)
    return CHANNEL


async def add_buyer(connection: Connection, *, units: int = 0) -> Party:
    """A guest, who may already have units."""
    buyer = Party(new_id(), PartyKind.GUEST, None, "id")
    await people.add_party(connection, buyer)
    if units:
        stock = await stock_account(connection, CHANNEL)
        available, _ = await open_accounts(connection, buyer.id, CHANNEL)
        gift = sell_late(new_id(), stock=stock, available=available, units=units)
        await journal.record(connection, gift)
    return buyer


async def place_order(connection: Connection, buyer: Party, units: int = 1) -> Order:
    """An order that waits for its payment."""
    return await place(connection, Wish.new(buyer.id, CHANNEL, units), "snap")


def payment_for(order: Order, *, amount: int | None = None, number: str | None = None) -> Reported:
    """What the provider says when the order was paid."""
    return Reported(
        provider="snap",
        external_id=number or new_id().hex,
        reference=order.reference,
        amount=Rupiah(order.total if amount is None else amount),
        paid_at=now(),
    )


async def report(connection: Connection, reported: Reported) -> PaymentNotice:
    """The payment is recorded."""
    notice, _ = await payments.record_notice(connection, reported, "callback")
    return notice
