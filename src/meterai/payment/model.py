"""Payment requests and notices, and the accounts money stands in. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from uuid import UUID

from meterai.money import Rupiah


class MoneyAccount(IntEnum):
    """What an account of the rupiah ledger holds."""

    PROVIDER = 101
    """Money a provider took in for us; its debits are all payments."""
    UNPLACED = 102
    """Received, belonging to no order: owed to whoever paid."""
    DUTY = 103
    """Stamp duty received, owed to the state, by channel."""
    SERVICE_FEE = 104
    """The channel's own fee, by channel."""
    PREPAID_DUTY = 105
    """Duty a channel deposited with the state ahead, for which it took no stock yet, by channel."""
    TREASURY = 106
    """The state's treasury; its debits are all deposits."""
    STOCKED_DUTY = 107
    """Deposited duty for which stock was handed over, by channel."""


class MoneyMove(IntEnum):
    """Why rupiah move."""

    DUTY_PAID = 101
    FEE_PAID = 102
    UNPLACED = 103
    REFUNDED = 104
    """Back to whoever paid."""
    WITHHELD = 105
    """The part of a refund that the terms keep: from duty to the channel's fee."""
    DEPOSITED = 106
    """To the state's treasury, ahead of the stock."""
    STOCKED = 107
    """Deposited duty was used for stock; or came back with it."""


class NoticeState(Enum):
    """What became of a payment."""

    NEW = "new"
    """Recorded, not matched yet."""
    CREDITED = "credited"
    UNPLACED = "unplaced"
    """Fits no order; on the books as owed to the payer."""
    REFUNDED = "refunded"


class Unplaced(Enum):
    """Why a payment fits no order."""

    NO_ORDER = "no_order"
    WRONG_AMOUNT = "wrong_amount"
    PAID_TWICE = "paid_twice"
    LATE_SOLD_OUT = "late_sold_out"
    """Paid after the order's time, and the stock was gone by then."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What was asked of a provider: so much, under this reference, until then."""

    reference: str
    provider: str
    amount: Rupiah
    qris: str | None
    expires_at: datetime
    settled: bool
    method: str = "qris"
    """``qris``, ``va`` or ``cash``."""
    va_number: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that truly came from the provider and yet changed nothing."""

    path: str
    sent_at: str
    """As its sender dated it."""
    why: str = ""
    """The code of the failure."""
    times: int = 1
    received_at: datetime | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """One payment as a provider reports it, by callback or on inquiry."""

    provider: str
    external_id: str
    """The provider's own number: the same payment has the same one, however often it is reported."""
    reference: str
    amount: Rupiah
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """A recorded payment."""

    id: UUID
    provider: str
    external_id: str
    reference: str
    amount: Rupiah
    paid_at: datetime
    how: str
    received_at: datetime
    state: NoticeState
    reason: Unplaced | None
