"""Orders and the decision what a payment does to one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from meterai.money import Rupiah
from meterai.payment.model import Unplaced


class OrderState(Enum):
    """The life of an order."""

    PLACED = "placed"
    """Units are set aside; the payment is awaited until ``expires_at``."""
    PAID = "paid"
    """The units are the buyer's."""
    EXPIRED = "expired"
    """The time is over and the units went back to the stock; a late payment is still honoured."""
    CANCELLED = "cancelled"
    """The buyer took it back before paying."""


@dataclass(frozen=True, slots=True)
class Order:
    """One purchase of units from one channel, under the terms of its moment."""

    id: UUID
    reference: str
    party: UUID
    channel: str
    terms_from: datetime
    units: int
    duty: Rupiah
    service_fee: Rupiah
    document: UUID | None
    state: OrderState
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @property
    def total(self) -> Rupiah:
        """What must be paid: duty and service fee."""
        return Rupiah(self.duty + self.service_fee)


class Credit(Enum):
    """How the units reach the buyer."""

    SET_ASIDE = "set_aside"
    """From what was set aside when the order was placed."""
    LATE = "late"
    """Straight from the stock, if there is any left."""


def decide(order: Order | None, amount: int) -> Credit | Unplaced:
    """What a payment of ``amount`` does; ``order`` is the one with its reference, if any."""
    if order is None:
        return Unplaced.NO_ORDER
    if order.state is OrderState.PAID:
        return Unplaced.PAID_TWICE
    if amount != order.total:
        return Unplaced.WRONG_AMOUNT
    if order.state is OrderState.PLACED:
        return Credit.SET_ASIDE
    return Credit.LATE


def reference_of(order: UUID) -> str:
    """The bill number that the payer's bank shows: ``M`` and 24 signs of the order's id.

    SNAP BI allows 64 signs, QRIS additional data 25.
    """
    return f"M{order.hex[8:]}".upper()
