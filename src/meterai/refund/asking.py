"""Asking for money back: what would arrive, then holding units and rupiah in the books in one transaction."""

from datetime import datetime
from uuid import UUID

from meterai.channel import store as channels
from meterai.channel.model import ChannelId, Terms
from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger.errors import NotEnough
from meterai.money import Rupiah
from meterai.payment import store as payments
from meterai.payment.model import NoticeState, Unplaced
from meterai.quota.balance import holdings
from meterai.refund import store
from meterai.refund.errors import NothingToRefund, RefundOver
from meterai.refund.holding import hold_payment, hold_units
from meterai.refund.model import (
    Offer,
    Refund,
    RefundKind,
    RefundState,
    approvals_for,
    offer,
    reference_of,
)
from meterai.sale import store as orders
from meterai.sale.errors import NoSuchOrder
from meterai.sale.model import Order

CLAIMED = (
    Unplaced.LATE_SOLD_OUT,
    Unplaced.PAID_TWICE,
    Unplaced.WRONG_AMOUNT,
    Unplaced.CANCELLED,
)
"""Unplaced for these reasons, a payment goes back by itself; one without any order waits for a person."""


async def offer_for(
    connection: Connection, order: Order, units: int, now: datetime
) -> tuple[Offer | MeteraiError, int]:
    """What would arrive for so many units of the order, or why nothing; and how many could be refunded."""
    terms = await _terms(connection, order)
    unused = await _unused(connection, order)
    return offer(order, terms, units=units, unused=unused, now=now), unused


async def _terms(connection: Connection, order: Order) -> Terms:
    """Those in force at the purchase, whatever holds now."""
    return await channels.terms_at(connection, ChannelId(order.channel), order.terms_from)


async def _unused(connection: Connection, order: Order) -> int:
    held = await holdings(connection, order.party)
    available = next((h.available for h in held if h.channel == order.channel), 0)
    return max(0, min(order.units - await store.units_of(connection, order.id), available))


async def ask(
    connection: Connection, id: UUID, order_id: UUID, party: UUID, *, units: int, now: datetime
) -> Refund:
    """The units cannot be used any more and their money is set aside; paid at once or after approval.

    ``id`` makes a repetition harmless. Raises :class:`NoSuchOrder`, :class:`NothingToRefund`,
    :class:`WindowOver`, :class:`NothingWouldArrive`.
    """
    order = await orders.lock(connection, order_id)
    if order is None or order.party != party:
        raise NoSuchOrder
    for before in await store.of_purchase(connection, order_id):
        if before.id == id:
            return before
    offered, _ = await offer_for(connection, order, units, now)
    if isinstance(offered, MeteraiError):
        raise offered
    terms = await _terms(connection, order)
    notice = await payments.credited_for(connection, order.reference)
    request = await payments.request(connection, order.reference)
    assert request is not None
    needed = approvals_for(offered.amount, terms)
    refund = Refund(
        id=id,
        reference=reference_of(id),
        kind=RefundKind.UNITS,
        party=party,
        purchase=order.id,
        notice=notice.id,
        units=offered.units,
        duty=offered.duty,
        service_fee=offered.service_fee,
        withheld=offered.withheld,
        amount=offered.amount,
        why="unused",
        by_hand=request.method != "qris",
        approvals_needed=needed,
        state=RefundState.ASKED if needed else RefundState.APPROVED,
        asked_by=party,
        asked_at=now,
        approved_at=None,
        tries=0,
        trouble=None,
        provider_number=None,
        ended_at=None,
    )
    await store.add(connection, refund)
    try:
        await hold_units(connection, refund, order, offered, notice.provider)
    except NotEnough as error:
        raise NothingToRefund from error
    await _tell(connection, refund)
    return refund


async def claim(
    connection: Connection, notice_id: UUID, now: datetime, *, by: UUID | None = None
) -> Refund:
    """An unplaced payment goes back whole to whoever paid.

    Raises :class:`RefundOver` when it is not unplaced.
    """
    notice = await payments.lock_notice(connection, notice_id)
    if notice.state is not NoticeState.UNPLACED:
        raise RefundOver
    order = await orders.with_reference(connection, notice.reference)
    terms = None if order is None else await _terms(connection, order)
    request = await payments.request(connection, notice.reference)
    id = new_id()
    needed = approvals_for(notice.amount, terms)
    refund = Refund(
        id=id,
        reference=reference_of(id),
        kind=RefundKind.PAYMENT,
        party=None if order is None else order.party,
        purchase=None,
        notice=notice.id,
        units=0,
        duty=Rupiah(0),
        service_fee=Rupiah(0),
        withheld=Rupiah(0),
        amount=notice.amount,
        why="unplaced" if notice.reason is None else notice.reason.value,
        by_hand=request is not None and request.method != "qris",
        approvals_needed=needed,
        state=RefundState.ASKED if needed else RefundState.APPROVED,
        asked_by=by,
        asked_at=now,
        approved_at=None,
        tries=0,
        trouble=None,
        provider_number=None,
        ended_at=None,
    )
    await store.add(connection, refund)
    await hold_payment(connection, refund, notice.provider)
    await _tell(connection, refund)
    return refund


async def _tell(connection: Connection, refund: Refund) -> None:
    facts: dict[str, object] = {"amount": refund.amount, "units": refund.units, "why": refund.why}
    await put(connection, "refund.asked", [(refund.id, facts)])


async def claim_unplaced(connection: Connection, now: datetime, *, size: int = 100) -> list[Refund]:
    """Every payment that plainly fits no order is on its way back."""
    waiting = await store.unclaimed(connection, [reason.value for reason in CLAIMED], size=size)
    return [await claim(connection, notice, now) for notice in waiting]
