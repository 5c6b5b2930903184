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


class Provider(Protocol):
    """A payment provider. SNAP BI is the one interface spoken; providers differ in their profile."""

    @property
    def name(self) -> str:
        """A short name that is stored with each payment."""

    async def issue_qr(self, reference: str, amount: Rupiah, expires_at: datetime) -> IssuedQr:
        """A QRIS code that can be paid until then; asking again gives the same one.

        Raises :class:`meterai.payment.errors.ProviderUnavailable`.
        """

    async def inquire(self, reference: str) -> Reported | None:
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
