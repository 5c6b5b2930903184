"""What may be given back, and the life of a refund. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from meterai.channel.model import Terms
from meterai.errors import MeteraiError
from meterai.money import Rupiah, Units
from meterai.refund.errors import NothingToRefund, NothingWouldArrive, WindowOver
from meterai.sale.model import Order, OrderState


class RefundKind(Enum):
    """What the money was paid for."""

    UNITS = "units"
    """Units of a paid order that nobody used."""
    PAYMENT = "payment"
    """A payment that fits no order."""


class RefundState(Enum):
    """The life of a refund."""

    ASKED = "asked"
    """Officers have to agree."""
    APPROVED = "approved"
    """It is to be paid; the provider is asked until it is."""
    STUCK = "stuck"
    """The provider declined; an officer has to act."""
    PAID = "paid"
    DECLINED = "declined"
    """Nothing was paid; units and money are where they were."""

    @property
    def final(self) -> bool:
        """Whether nothing changes any more."""
        return self in (RefundState.PAID, RefundState.DECLINED)


@dataclass(frozen=True, slots=True)
class Offer:
    """What would arrive for so many units, and what the terms keep; shown before anybody asks."""

    units: Units
    duty: Rupiah
    service_fee: Rupiah
    withheld_duty: Rupiah
    """Moves to the channel's fee; the rest of what is kept is fee already."""
    withheld: Rupiah

    @property
    def amount(self) -> Rupiah:
        """What arrives at the payer."""
        return Rupiah(self.duty + self.service_fee)


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund as it stands."""

    id: UUID
    reference: str
    kind: RefundKind
    party: UUID | None
    purchase: UUID | None
    notice: UUID
    units: int
    duty: Rupiah
    service_fee: Rupiah
    withheld: Rupiah
    amount: Rupiah
    why: str
    by_hand: bool
    approvals_needed: int
    state: RefundState
    asked_by: UUID | None
    asked_at: datetime
    approved_at: datetime | None
    tries: int
    trouble: str | None
    provider_number: str | None
    ended_at: datetime | None
    approvals: tuple[UUID, ...] = ()


def offer(
    order: Order, terms: Terms, *, units: int, unused: int, now: datetime
) -> Offer | MeteraiError:
    """What the terms in force at the purchase give back for ``units``, or why nothing.

    ``unused`` is how many units of the order nobody used and nobody was refunded.
    """
    if order.state is not OrderState.PAID or order.paid_at is None:
        return NothingToRefund()
    if not 0 < units <= unused:
        return NothingToRefund()
    if now > order.paid_at + timedelta(days=terms.refund_days):
        return WindowOver(days=terms.refund_days)
    duty, fee = order.duty * units // order.units, order.service_fee * units // order.units
    amount = (duty + fee) * terms.refund_share // 100 - terms.refund_cost
    if amount <= 0:
        return NothingWouldArrive()
    back = min(duty, amount)
    return Offer(
        units=Units(units),
        duty=Rupiah(back),
        service_fee=Rupiah(amount - back),
        withheld_duty=Rupiah(duty - back),
        withheld=Rupiah(duty + fee - amount),
    )


def approvals_for(amount: int, terms: Terms | None) -> int:
    """How many officers have to agree: none, or two above the limit of the terms."""
    return 2 if terms is not None and amount > terms.refund_two_above else 0


def reference_of(refund: UUID) -> str:
    """What the provider is told: ``R`` and 24 signs of the refund's id."""
    return f"R{refund.hex[8:]}".upper()


def pause_before(tries: int) -> timedelta:
    """How long to wait before the provider is asked again: up to five minutes."""
    return timedelta(seconds=min(300, 2**tries))
