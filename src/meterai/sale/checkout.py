"""Placing an order, asking the provider for its QR code, and letting its time run out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from meterai.channel import store as channels
from meterai.channel.errors import (
    ChannelClosed,
    DayCapReached,
    NoTermsYet,
    SoldOut,
    TooManyAtOnce,
)
from meterai.channel.model import ChannelId, Terms
from meterai.clock import WIB
from meterai.db.connection import Connection, Database
from meterai.db.outbox import put
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Outcome
from meterai.ledger.store import AccountKey
from meterai.money import Units
from meterai.payment import qris
from meterai.payment import store as payments
from meterai.payment.errors import BadQris
from meterai.payment.model import PaymentRequest
from meterai.payment.provider import Provider
from meterai.quota.balance import free_stock
from meterai.quota.stock import available_key, put_back, set_aside, stock_key
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
    provider: str = "snap"
    buyer: bytes | None = None
    """Whose daily cap this counts against (a telephone number's index); the party when left out."""

    @classmethod
    def new(
        cls,
        party: UUID,
        channel: ChannelId,
        units: int,
        document: UUID | None = None,
        *,
        buyer: bytes | None = None,
    ) -> "Wish":
        """A wish with a fresh id."""
        return cls(new_id(), party, channel, Units(units), document, buyer=buyer)

    @property
    def counts_for(self) -> bytes:
        """The buyer of the daily cap."""
        return self.buyer or self.party.bytes


async def place(connection: Connection, wish: Wish, provider: str) -> Order:
    """The order is placed and its units are set aside; the same wish again gives the same order.

    Raises :class:`TooManyAtOnce`, :class:`DayCapReached`, :class:`ChannelClosed`, :class:`SoldOut` and
    what the channel's terms raise.
    """
    (answer,) = await place_all(connection, [replace(wish, provider=provider)])
    if isinstance(answer, MeteraiError):
        raise answer
    return answer


async def place_all(connection: Connection, wishes: Sequence[Wish]) -> list[Order | MeteraiError]:
    """Each order is placed with its units set aside, or the reason why not; in order of the wishes.

    The accounts of the whole batch are locked before the daily caps are counted, so that two orders of one
    person cannot both be the last allowed one.
    """
    answers: dict[UUID, Order | MeteraiError] = {}
    answers.update(await store.find_all(connection, [wish.id for wish in wishes]))
    fresh = {wish.id: wish for wish in wishes if wish.id not in answers}
    terms = await channels.terms_of(connection, [wish.channel for wish in fresh.values()])
    moment = await connection.fetchval("select now()")
    for wish in fresh.values():
        refusal = _refusal(wish, terms.get(wish.channel), moment)
        if refusal is not None:
            answers[wish.id] = refusal
    open_ = [wish for wish in fresh.values() if wish.id not in answers]
    await _decline_sold_out(connection, open_, answers)
    accounts = await _lock(connection, [wish for wish in open_ if wish.id not in answers])
    await _decline_capped(
        connection, [wish for wish in open_ if wish.id not in answers], terms, answers
    )
    wanted = [wish for wish in open_ if wish.id not in answers]
    outcomes = await journal.apply(
        connection,
        [
            [
                set_aside(
                    wish.id,
                    stock=accounts[stock_key(wish.channel)],
                    available=accounts[available_key(wish.party, wish.channel)],
                    units=wish.units,
                )
            ]
            for wish in wanted
        ],
    )
    placed: list[tuple[Order, Wish]] = []
    for wish, (outcome,) in zip(wanted, outcomes, strict=True):
        if outcome is Outcome.EXCEEDS_CREDITS:
            answers[wish.id] = SoldOut()
            continue
        journal.demand([outcome])
        order = _order(wish, terms[wish.channel], moment)
        placed.append((order, wish))
        answers[wish.id] = order
    await store.add_all(
        connection,
        [order for order, _ in placed],
        providers=[wish.provider for _, wish in placed],
        buyers=[wish.counts_for for _, wish in placed],
    )
    return [answers[wish.id] for wish in wishes]


def _refusal(wish: Wish, terms: Terms | None, moment: datetime) -> MeteraiError | None:
    if terms is None:
        return NoTermsYet()
    if not 0 < wish.units <= terms.units_per_order:
        return TooManyAtOnce(most=terms.units_per_order)
    if not terms.open_at(moment.astimezone(WIB).time()):
        return ChannelClosed(opens=f"{terms.opens:%H.%M}", closes=f"{terms.closes:%H.%M}")
    return None


async def _decline_sold_out(
    connection: Connection, wishes: list[Wish], answers: dict[UUID, Order | MeteraiError]
) -> None:
    """What plainly cannot be had is declined before any account is opened for it."""
    free = await free_stock(connection, {wish.channel for wish in wishes})
    for wish in wishes:
        if free.get(wish.channel, 0) < wish.units:
            answers[wish.id] = SoldOut()


async def _lock(connection: Connection, wishes: list[Wish]) -> dict[AccountKey, int]:
    keys = [stock_key(wish.channel) for wish in wishes]
    keys += [available_key(wish.party, wish.channel) for wish in wishes]
    accounts = await ledger.open_accounts(connection, keys)
    await ledger.lock_balances(connection, sorted(accounts.values()))
    return accounts


async def _decline_capped(
    connection: Connection,
    wishes: list[Wish],
    terms: dict[ChannelId, Terms],
    answers: dict[UUID, Order | MeteraiError],
) -> None:
    capped = [wish for wish in wishes if terms[wish.channel].units_per_day is not None]
    if not capped:
        return
    bought = await store.bought_today(
        connection, [(wish.channel, wish.counts_for) for wish in capped]
    )
    for wish in capped:
        most = terms[wish.channel].units_per_day
        key = (wish.channel, wish.counts_for)
        if most is None or bought.get(key, 0) + wish.units > most:
            answers[wish.id] = DayCapReached(most=most or 0)
        else:
            bought[key] = bought.get(key, 0) + wish.units


def _order(wish: Wish, terms: Terms, moment: datetime) -> Order:
    price = terms.price(wish.units)
    return Order(
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
