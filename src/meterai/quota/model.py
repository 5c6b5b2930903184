"""The accounts in which units are held, and why they move. Pure."""

from dataclasses import dataclass
from enum import IntEnum


class UnitAccount(IntEnum):
    """What an account of the units ledger holds."""

    ISSUANCE = 1
    """Where units come from; its debits are all units ever issued, for the nation."""
    STOCK = 2
    """A channel's units that nobody bought yet."""
    AVAILABLE = 3
    """A party's units bought from one channel; pending debits are *reserved*."""
    USED = 4
    """A party's units in settled documents."""
    RETIRED = 5
    """A channel's units taken out of the world (misprints)."""
    VOUCHERS = 6
    """A channel's units in vouchers that somebody may still redeem."""
    BLOCKS = 7
    """A channel's units in blocks that its counters may sell without the centre, by code."""


class UnitMove(IntEnum):
    """Why units move."""

    ISSUED = 1
    """The issuer made new units for a channel."""
    PURCHASED = 2
    """From a channel's stock to a buyer."""
    AFFIXED = 3
    """From available to used: the life of one stamp."""
    ALLOCATED = 4
    """From one channel's stock to another's."""
    REFUNDED = 5
    """From available back to the stock it was bought from: the money went back."""
    VOUCHED = 6
    """From what somebody has into a voucher; and back when it is revoked."""
    REDEEMED = 7
    """From a voucher to whoever brought its code."""
    BLOCKED = 8
    """From a channel's stock into a counter's block; and back at the end of the shift."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A party's units bought from one channel, by state."""

    channel: str
    available: int
    reserved: int
    used: int
    on_order: int
    """Set aside in the channel's stock for orders that are not paid yet."""


def total(holdings: list[Holding]) -> Holding:
    """The sum over all channels."""
    return Holding(
        "",
        sum(h.available for h in holdings),
        sum(h.reserved for h in holdings),
        sum(h.used for h in holdings),
        sum(h.on_order for h in holdings),
    )
