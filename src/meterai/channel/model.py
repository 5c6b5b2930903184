"""Channels and their dated terms. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import NewType
from uuid import UUID

from meterai.money import Rupiah, Units

NOTHING = Rupiah(0)
TWO_OFFICERS_ABOVE = Rupiah(1_000_000)

ChannelId = NewType("ChannelId", str)
"""A short name that is seen in addresses: ``peruri-demo``."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One seller."""

    id: ChannelId
    name: str
    kind: str
    parent: ChannelId | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a channel promises to whoever buys or affixes from ``valid_from`` on."""

    channel: ChannelId
    valid_from: datetime
    duty: Rupiah
    """A unit, to the state (UU 10/2020: one flat rate of Rp10,000)."""
    service_fee: Rupiah
    """A unit, to the channel; always shown apart from the duty."""
    units_per_order: int
    order_seconds: int
    """How long an order waits for its payment."""
    file_bytes_max: int
    attempts_max: int
    """How often an affixing is tried before its deadline, each time with the same serial."""
    deadline_seconds: int
    """Affixed or restored within this time from the reservation."""
    keep_days: int
    """How long the document and the stamped file are kept."""
    units_per_day: int | None = None
    """A person and day (WIB); None is no cap."""
    refund_days: int = 30
    """Until when after the payment an unused unit can be turned into money again."""
    refund_share: int = 100
    """How many of a hundred rupiah come back."""
    refund_cost: Rupiah = NOTHING
    """Kept from each refund, for the transfer."""
    refund_two_above: Rupiah = TWO_OFFICERS_ABOVE
    """A refund of more than this needs two officers."""
    opens: time | None = None
    """WIB; None is always open."""
    closes: time | None = None

    def open_at(self, local: time) -> bool:
        """Whether the channel sells at this time of day (WIB); hours may run past midnight."""
        if self.opens is None or self.closes is None:
            return True
        if self.opens <= self.closes:
            return self.opens <= local < self.closes
        return local >= self.opens or local < self.closes

    @property
    def deadline(self) -> timedelta:
        """The time from the reservation to the latest moment of sealing."""
        return timedelta(seconds=self.deadline_seconds)

    def price(self, units: Units) -> "Price":
        """What ``units`` cost, duty and fee apart."""
        return Price(units, Rupiah(self.duty * units), Rupiah(self.service_fee * units))


@dataclass(frozen=True, slots=True)
class Price:
    """The sum to pay and its two parts."""

    units: Units
    duty: Rupiah
    service_fee: Rupiah

    @property
    def total(self) -> Rupiah:
        """Duty and service fee together."""
        return Rupiah(self.duty + self.service_fee)


class Why(Enum):
    """Why units moved into a stock."""

    ISSUED = "issued"
    """Newly made by the issuer."""
    TOPPED_UP = "topped_up"
    """From the issuer, for duty that was deposited before."""
    MOVED = "moved"
    """Between channels of one distributor, by a person."""
    REFILLED = "refilled"
    """From the parent, by the channel's rule."""
    RETURNED = "returned"
    """Back to the issuer; the deposited duty is free again."""


@dataclass(frozen=True, slots=True)
class Move:
    """Units that shall stand in another stock; ``id`` makes a repetition harmless."""

    id: UUID
    giver: ChannelId
    taker: ChannelId
    units: Units
    decided_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units that moved from one stock to another, or were issued to the first."""

    id: UUID
    giver: ChannelId | None
    taker: ChannelId
    units: Units
    why: Why
    decided_by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StockRule:
    """How a channel's stock is watched and kept."""

    channel: ChannelId
    floor: int = 0
    """Never given to another channel, so that nobody else's surge drains this one."""
    low_hours: float = 4
    """Below so many hours of stock at the present rate it is *low*."""
    refill_to: int | None = None
    """Filled up from the parent when low; None is never."""


class Level(Enum):
    """What the public is told of a channel's stock; this list and no other."""

    IN_STOCK = "in_stock"
    LOW = "low"
    SOLD_OUT = "sold_out"
    DISRUPTED = "disrupted"
    """It cannot sell now, whatever its stock."""


@dataclass(frozen=True, slots=True)
class StockState:
    """A channel's stock at one moment."""

    channel: Channel
    free: int
    """What can be sold now."""
    on_order: int
    """Set aside for orders that are not paid yet."""
    per_hour: float
    """Units that leave to buyers in an hour, at the present rate."""
    rule: StockRule
    disrupted: bool

    @property
    def hours(self) -> float | None:
        """How long the stock lasts at the present rate; None: nobody buys."""
        return None if self.per_hour <= 0 else self.free / self.per_hour

    @property
    def level(self) -> Level:
        """What the public is told."""
        if self.disrupted:
            return Level.DISRUPTED
        if self.free <= 0:
            return Level.SOLD_OUT
        hours = self.hours
        return Level.LOW if hours is not None and hours < self.rule.low_hours else Level.IN_STOCK


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where people meet a channel in person."""

    id: str
    channel: ChannelId
    name: str
    address: str
    latitude: float | None = None
    longitude: float | None = None
