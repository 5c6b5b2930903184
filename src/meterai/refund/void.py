"""A counter sale undone (*pembatalan*): a clerk asks, a supervisor agrees, voucher and cash go back.

Only what nobody redeemed can be undone, and only while its shift is open; everything comes back, whatever share
the terms keep of ordinary refunds.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.channel import voucher as vouchers
from meterai.channel.errors import VoucherOver
from meterai.channel.model import ChannelId
from meterai.channel.voucher import VoucherState
from meterai.db.connection import Connection
from meterai.ids import new_id
from meterai.money import Rupiah, Units
from meterai.payment import store as payments
from meterai.refund import store
from meterai.refund.errors import NotTwice, RefundOver
from meterai.refund.holding import hold_units
from meterai.refund.model import Offer, Refund, RefundKind, RefundState, reference_of
from meterai.refund.payout import pay_by_hand
from meterai.sale import shift as shifts
from meterai.sale import store as orders
from meterai.sale.errors import NoSuchOrder, ShiftOver
from meterai.sale.model import Order


@dataclass(frozen=True, slots=True)
class Void:
    """A sale that a clerk wants undone."""

    voucher: UUID
    shift: UUID
    why: str
    asked_by: UUID
    asked_at: datetime
    amount: Rupiah
    units: int
    clerk: str | None


async def ask_void(connection: Connection, voucher_id: UUID, why: str, by: UUID) -> None:
    """A supervisor sees the wish; a repetition changes nothing.

    Raises :class:`VoucherOver` when it was used, and :class:`ShiftOver`.
    """
    voucher = await vouchers.lock(connection, voucher_id)
    if voucher.state is not VoucherState.LIVE or voucher.purchase is None or voucher.shift is None:
        raise VoucherOver
    if (await shifts.find(connection, voucher.shift)).closed_at is not None:
        raise ShiftOver
    await connection.execute(
        """insert into counter_void (voucher, shift, why, asked_by) values ($1, $2, $3, $4)
           on conflict do nothing""",
        voucher_id,
        voucher.shift,
        why,
        by,
    )


async def waiting(connection: Connection, channels: list[ChannelId]) -> list[Void]:
    """What these channels' clerks want undone, oldest first."""
    rows = await connection.fetch(
        """select w.voucher, w.shift, w.why, w.asked_by, w.asked_at, v.units,
                  (p.duty + p.service_fee)::bigint as amount, c.name as clerk
           from counter_void w join voucher v on v.id = w.voucher join purchase p on p.id = v.purchase
           join party c on c.id = w.asked_by
           where w.decided_at is null and v.channel = any($1::text[]) order by w.asked_at""",
        channels,
    )
    return [Void(**dict(row.items())) for row in rows]


async def decide_void(
    connection: Connection, voucher_id: UUID, by: UUID, now: datetime, *, grant: bool
) -> Refund | None:
    """The supervisor agreed, so nobody can use the voucher and its money went back; or declined.

    Raises :class:`NotTwice` when the supervisor asked for it, :class:`RefundOver`, :class:`VoucherOver` and
    :class:`ShiftOver`.
    """
    row = await connection.fetchrow(
        "select shift, asked_by, decided_at from counter_void where voucher = $1 for update",
        voucher_id,
    )
    if row is None or row["decided_at"] is not None:
        raise RefundOver
    if row["asked_by"] == by:
        raise NotTwice
    await connection.execute(
        "update counter_void set decided_by = $2, decided_at = now(), granted = $3 where voucher = $1",
        voucher_id,
        by,
        grant,
    )
    if not grant:
        return None
    shift = await shifts.lock(connection, row["shift"])
    if shift.closed_at is not None:
        raise ShiftOver
    voucher = await vouchers.lock(connection, voucher_id)
    await vouchers.revoke(connection, voucher)
    assert voucher.purchase is not None
    order = await orders.lock(connection, voucher.purchase)
    if order is None:
        raise NoSuchOrder
    return await _give_back(connection, order, by, now)


async def _give_back(connection: Connection, order: Order, by: UUID, now: datetime) -> Refund:
    notice = await payments.credited_for(connection, order.reference)
    request = await payments.request(connection, order.reference)
    assert request is not None
    whole = Offer(Units(order.units), order.duty, order.service_fee, Rupiah(0), Rupiah(0))
    id = new_id()  # the wish, locked, is what makes a repetition harmless
    refund = Refund(
        id=id,
        reference=reference_of(id),
        kind=RefundKind.UNITS,
        party=order.party,
        purchase=order.id,
        notice=notice.id,
        units=order.units,
        duty=whole.duty,
        service_fee=whole.service_fee,
        withheld=whole.withheld,
        amount=whole.amount,
        why="voided",
        by_hand=request.method == "cash",
        approvals_needed=0,
        state=RefundState.APPROVED,
        asked_by=by,
        asked_at=now,
        approved_at=now,
        tries=0,
        trouble=None,
        provider_number=None,
        ended_at=None,
    )
    await store.add(connection, refund)
    await hold_units(connection, refund, order, whole, notice.provider)
    if request.method == "cash":
        return await pay_by_hand(connection, id, f"tunai-{refund.reference[-8:]}")
    return refund
