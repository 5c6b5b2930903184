"""A provider spoken to by SNAP BI (Bank Indonesia, 23/10/KEP.GBI/2021), QRIS merchant-presented mode.

Profile: asymmetric signatures on every message, ``SHA256withRSA(METHOD:path:lowerhex(sha256(body)):time)``, as
several providers ask for on transactions and all on notifications.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from meterai.clock import WIB, now
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.payment.errors import NoticeNotAccepted, NoticeNotUnderstood, ProviderUnavailable
from meterai.payment.model import Reported
from meterai.payment.provider import IssuedQr
from meterai.signing.messages import MessageKey, PartnerKey

GENERATE = "/v1.0/qr/qr-mpm-generate"
QUERY = "/v1.0/qr/qr-mpm-query"
NOTIFY = "/v1.0/qr/qr-mpm-notify"
TOLERANCE = timedelta(minutes=5)
PAID = "00"
"""``latestTransactionStatus`` of a payment that succeeded."""


class _Amount(msgspec.Struct):
    value: str
    currency: str


class _Notice(msgspec.Struct, rename="camel"):
    """A notification or the answer to a query; both say the same of a payment."""

    original_reference_no: str
    original_partner_reference_no: str
    latest_transaction_status: str
    amount: _Amount
    paid_time: str | None = None
    additional_info: dict[str, Any] = {}


class _Issued(msgspec.Struct, rename="camel"):
    reference_no: str
    qr_content: str


class SnapProvider:
    """See :class:`meterai.payment.provider.Provider`."""

    def __init__(
        self, url: str, client_id: str, key: MessageKey, partner: PartnerKey, name: str = "snap"
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=10)
        self._client_id = client_id
        self._key = key
        self._partner = partner
        self._name = name

    @classmethod
    def load(cls, url: str, client_id: str, keys: Path) -> "SnapProvider":
        """With our key ``payment.key`` and the provider's ``provider.pub`` from a folder."""
        return cls(
            url,
            client_id,
            MessageKey.load(keys / "payment.key"),
            PartnerKey.load(keys / "provider.pub"),
        )

    @property
    def name(self) -> str:
        """Stored with each payment."""
        return self._name

    async def issue_qr(self, reference: str, amount: Rupiah, expires_at: datetime) -> IssuedQr:
        """See the protocol."""
        answer = await self._call(
            GENERATE,
            {
                "partnerReferenceNo": reference,
                "amount": {"value": f"{amount}.00", "currency": "IDR"},
                "validityPeriod": _iso(expires_at),
            },
        )
        issued = msgspec.json.decode(answer, type=_Issued)
        return IssuedQr(issued.qr_content, issued.reference_no)

    async def inquire(self, reference: str) -> Reported | None:
        """See the protocol."""
        answer = await self._call(
            QUERY, {"originalPartnerReferenceNo": reference, "serviceCode": "47"}
        )
        return self._reported(answer)

    def read_notice(
        self, path: str, headers: Mapping[str, str], raw: bytes, now: datetime
    ) -> Reported:
        """See the protocol. The signature is checked over the very bytes that came."""
        timestamp = headers.get("x-timestamp", "")
        signature = headers.get("x-signature", "")
        if not self._partner.signed(_to_sign("POST", path, raw, timestamp), signature):
            raise NoticeNotAccepted
        try:
            age = abs(now - datetime.fromisoformat(timestamp))
        except (ValueError, TypeError) as error:
            raise NoticeNotAccepted from error
        if age > TOLERANCE:
            raise NoticeNotAccepted
        reported = self._reported(raw)
        if reported is None:
            raise NoticeNotUnderstood
        return reported

    def _reported(self, raw: bytes) -> Reported | None:
        try:
            said = msgspec.json.decode(raw, type=_Notice)
            whole, _, cents = said.amount.value.partition(".")
            amount = int(whole)
        except (msgspec.DecodeError, ValueError) as error:
            raise NoticeNotUnderstood from error
        if said.latest_transaction_status != PAID:
            return None
        if said.amount.currency != "IDR" or cents.strip("0") or amount <= 0:
            raise NoticeNotUnderstood
        return Reported(
            provider=self._name,
            # One QR code might be paid twice: the retrieval number tells payments apart.
            external_id=str(said.additional_info.get("rrn") or said.original_reference_no),
            reference=said.original_partner_reference_no,
            amount=Rupiah(amount),
            paid_at=datetime.fromisoformat(said.paid_time) if said.paid_time else now(),
        )

    async def close(self) -> None:
        """See :meth:`meterai.payment.provider.Provider.close`."""
        await self._http.aclose()

    async def _call(self, path: str, body: dict[str, Any]) -> bytes:
        raw = msgspec.json.encode(body)
        timestamp = _iso(now())
        headers = {
            "content-type": "application/json",
            "x-timestamp": timestamp,
            "x-partner-id": self._client_id,
            "x-external-id": str(new_id().int)[:36],
            "x-signature": self._key.sign(_to_sign("POST", path, raw, timestamp)),
        }
        try:
            answer = await self._http.post(path, content=raw, headers=headers)
        except httpx.HTTPError as error:
            raise ProviderUnavailable from error
        if answer.status_code != 200:
            raise ProviderUnavailable
        return answer.content


def _to_sign(method: str, path: str, raw: bytes, timestamp: str) -> bytes:
    return f"{method}:{path}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()


def _iso(moment: datetime) -> str:
    """ISO 8601 with offset and without fractions, as SNAP BI wants it."""
    return moment.astimezone(WIB).replace(microsecond=0).isoformat()
