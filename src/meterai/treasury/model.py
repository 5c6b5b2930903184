"""Deposits and the settlement of a day. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from meterai.channel.model import ChannelId
from meterai.money import Rupiah
from meterai.treasury.errors import BillingCodeNotUnderstood, NtpnNotUnderstood

ACCOUNT_DEPOSIT = "411611-102"
"""Billing account of deposits for e-meterai stock."""
DEPOSIT_DAY, REPORT_DAY = 15, 20
"""Collectors deposit by the 15th and report by the 20th of the next month (PMK 78/2024)."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """Duty paid into the treasury ahead of the stock."""

    id: UUID
    channel: ChannelId
    amount: Rupiah
    billing_code: str
    ntpn: str | None
    recorded_by: UUID
    recorded_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prepaid:
    """What a channel deposited: not used yet, and used for stock it took."""

    free: Rupiah
    stocked: Rupiah


@dataclass(frozen=True, slots=True)
class DaySettlement:
    """One channel's day in units, by the books; and what its own papers say beside it."""

    channel: ChannelId
    day: date
    opening: int
    received: int
    sold: int
    given_back: int
    """Refunded by buyers: in the stock again."""
    returned: int
    """To the issuer or another channel."""
    closing: int
    """What the books hold at the end of the day."""
    papers_received: int
    papers_sold: int
    papers_given_back: int
    papers_returned: int

    @property
    def difference(self) -> int:
        """Units the books cannot explain: opening and all movements against the closing balance."""
        explained = self.opening + self.received + self.given_back - self.sold - self.returned
        return self.closing - explained

    @property
    def unexplained(self) -> dict[str, int]:
        """Each line in which books and papers differ, to one unit; empty when all is well."""
        lines = {
            "balance": self.difference,
            "received": self.received - self.papers_received,
            "sold": self.sold - self.papers_sold,
            "given_back": self.given_back - self.papers_given_back,
            "returned": self.returned - self.papers_returned,
        }
        return {name: units for name, units in lines.items() if units}


def read_billing_code(typed: str) -> str:
    """15 digits, whatever blanks were typed. Raises :class:`BillingCodeNotUnderstood`."""
    code = re.sub(r"[\s.-]", "", typed)
    if not re.fullmatch(r"[0-9]{15}", code, re.ASCII):
        raise BillingCodeNotUnderstood
    return code


def read_ntpn(typed: str) -> str:
    """16 letters or digits, in capitals. Raises :class:`NtpnNotUnderstood`."""
    code = re.sub(r"[\s.-]", "", typed).upper()
    if not re.fullmatch(r"[0-9A-Z]{16}", code, re.ASCII):
        raise NtpnNotUnderstood
    return code
