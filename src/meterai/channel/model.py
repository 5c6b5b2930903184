"""Channels and their dated terms. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from meterai.money import Rupiah, Units

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
