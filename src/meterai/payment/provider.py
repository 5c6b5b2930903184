"""What a payment provider can do for us: the border to the outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from meterai.money import Rupiah
from meterai.payment.model import Reported


@dataclass(frozen=True, slots=True)
class IssuedQr:
    """A dynamic QRIS code for one reference."""

    qris: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class Payback:
    """Money that shall go back to whoever paid; ``refund`` makes a repetition harmless."""

    refund: str
    reference: str
    external_id: str
    """The payment that it comes from."""
    amount: Rupiah
    why: str


@dataclass(frozen=True, slots=True)
class PaidBack:
    """The provider sent the money back."""

    number: str


class Provider(Protocol):
    """A payment provider. SNAP BI is the one interface spoken; providers differ in their profile."""

    @property
    def name(self) -> str:
        """A short name that is stored with each payment."""

    async def issue_qr(self, reference: str, amount: Rupiah, expires_at: datetime) -> IssuedQr:
        """A QRIS code that can be paid until then; asking again gives the same one.

        Raises :class:`meterai.payment.errors.ProviderUnavailable`.
        """

    async def issue_va(self, reference: str, amount: Rupiah, expires_at: datetime) -> str:
        """The number of a virtual account that takes this amount until then; asking again gives the same.

        Raises :class:`meterai.payment.errors.ProviderUnavailable` and ``ProviderDeclines``.
        """

    async def close_va(self, reference: str) -> None:
        """The virtual account of this reference takes no money any more.

        Raises :class:`meterai.payment.errors.ProviderUnavailable` and ``ProviderDeclines``.
        """

    async def pay_back(self, wish: Payback) -> PaidBack:
        """The money went back, once, however often this is asked.

        Raises :class:`meterai.payment.errors.ProviderUnavailable` and ``ProviderDeclines``.
        """

    async def inquire(self, reference: str, method: str = "qris") -> Reported | None:
        """The payment made for this reference, or None when there is none so far.

        Raises :class:`meterai.payment.errors.ProviderUnavailable`.
        """

    def read_notice(
        self, path: str, headers: Mapping[str, str], raw: bytes, now: datetime
    ) -> Reported:
        """The payment that a callback reports, after its signature and age were checked.

        Raises :class:`meterai.payment.errors.NoticeNotAccepted` and ``NoticeNotUnderstood``.
        """

    async def close(self) -> None:
        """No connection to the provider is open any more."""
