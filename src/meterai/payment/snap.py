"""A provider spoken to by SNAP BI: QRIS merchant-presented mode and virtual accounts.

Providers differ in their :class:`Profile`: which messages are signed with keys and which with the client's
secret and an access token.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import msgspec

from meterai.clock import monotonic, now
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.payment.errors import (
    NoticeNotAccepted,
    NoticeNotUnderstood,
    NoticeTooOld,
    ProviderDeclines,
    ProviderUnavailable,
)
from meterai.payment.model import Reported
from meterai.payment.provider import IssuedQr, PaidBack, Payback
from meterai.payment.snap_messages import (
    CREATE_VA,
    DELETE_VA,
    GENERATE,
    NOTIFY,
    NOTIFY_VA,
    QUERY,
    REFUND,
    STATUS_VA,
    TOKEN,
    Issued,
    IssuedVa,
    Refunded,
    Token,
    notice_body,
    read_qr_notice,
    read_rupiah,
    read_va_notice,
    read_va_status,
)
from meterai.payment.snap_signing import (
    iso,
    mac,
    mac_fits,
    to_sign,
    to_sign_for_token,
    to_sign_with_token,
    token_good,
)
from meterai.signing.messages import MessageKey, PartnerKey

__all__ = [
    "NOTIFY",
    "NOTIFY_VA",
    "Profile",
    "Signing",
    "SnapProvider",
    "iso",
    "notice_body",
    "to_sign",
]

TOLERANCE = timedelta(minutes=5)


class Signing(Enum):
    """How a kind of message is signed."""

    KEYS = "keys"
    """``SHA256withRSA``."""
    SECRET = "secret"  # noqa: S105 - a name, no secret
    """``HMAC_SHA512`` with the client's secret, bound to an access token."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one provider speaks SNAP BI."""

    name: str = "snap"
    client_id: str = "meterai"
    requests: Signing = Signing.KEYS
    notices: Signing = Signing.KEYS
    va_prefix: str = "88888"
    """``partnerServiceId``, padded to eight signs on the wire."""
    secret: bytes = b""


class SnapProvider:
    """See :class:`meterai.payment.provider.Provider`."""

    def __init__(self, url: str, profile: Profile, key: MessageKey, partner: PartnerKey) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=10)
        self._profile = profile
        self._key = key
        self._partner = partner
        self._token = ""
        self._token_until = 0.0
        self._token_lock = asyncio.Lock()

    @classmethod
    def load(
        cls, url: str, client_id: str, keys: Path, profile: Profile | None = None
    ) -> "SnapProvider":
        """With our key ``payment.key`` and the provider's ``provider.pub`` from a folder.

        Where ``payment.secret`` stands beside them, requests and notices are signed with it.
        """
        if profile is None:
            file = keys / "payment.secret"
            how = Signing.SECRET if file.exists() else Signing.KEYS
            secret = file.read_bytes().strip() if file.exists() else b""
            profile = Profile(client_id=client_id, requests=how, notices=how, secret=secret)
        return cls(
            url,
            profile,
            MessageKey.load(keys / "payment.key"),
            PartnerKey.load(keys / "provider.pub"),
        )

    @property
    def name(self) -> str:
        """Stored with each payment."""
        return self._profile.name

    async def issue_qr(self, reference: str, amount: Rupiah, expires_at: datetime) -> IssuedQr:
        """See the protocol."""
        answer = await self._call(
            "POST",
            GENERATE,
            {
                "partnerReferenceNo": reference,
                "amount": _amount(amount),
                "validityPeriod": iso(expires_at),
            },
        )
        issued = _answer(answer, Issued)
        return IssuedQr(issued.qr_content, issued.reference_no)

    async def issue_va(self, reference: str, amount: Rupiah, expires_at: datetime) -> str:
        """See the protocol."""
        answer = await self._call(
            "POST",
            CREATE_VA,
            self._account(reference)
            | {
                "virtualAccountName": "METERAI",
                "totalAmount": _amount(amount),
                "virtualAccountTrxType": "C",  # closed amount, paid once
                "expiredDate": iso(expires_at),
            },
        )
        issued = _answer(answer, IssuedVa)
        return str(issued.virtual_account_data.virtual_account_no).strip()

    async def close_va(self, reference: str) -> None:
        """See the protocol."""
        await self._call("DELETE", DELETE_VA, self._account(reference))

    async def inquire(self, reference: str, method: str = "qris") -> Reported | None:
        """See the protocol."""
        if method == "va":
            asked = self._account(reference) | {"inquiryRequestId": str(new_id().int)[:30]}
            answer = await self._call("POST", STATUS_VA, asked)
            return read_va_status(self.name, answer, now())
        answer = await self._call(
            "POST", QUERY, {"originalPartnerReferenceNo": reference, "serviceCode": "47"}
        )
        return read_qr_notice(self.name, answer, now())

    async def pay_back(self, wish: Payback) -> PaidBack:
        """See the protocol."""
        answer = await self._call(
            "POST",
            REFUND,
            {
                "originalPartnerReferenceNo": wish.reference,
                "partnerRefundNo": wish.refund,
                "refundAmount": _amount(wish.amount),
                "reason": wish.why,
                "additionalInfo": {"rrn": wish.external_id},
            },
        )
        said = _answer(answer, Refunded)
        if (said.partner_refund_no, read_rupiah(said.refund_amount)) != (wish.refund, wish.amount):
            raise ProviderDeclines(why="answer")
        return PaidBack(said.refund_no)

    def read_notice(
        self, path: str, headers: Mapping[str, str], raw: bytes, now: datetime
    ) -> Reported:
        """See the protocol. The signature is checked over the very bytes that came."""
        timestamp = headers.get("x-timestamp", "")
        if not self._signed(path, headers, raw, timestamp, now):
            raise NoticeNotAccepted
        try:
            age = abs(now - datetime.fromisoformat(timestamp))
        except (ValueError, TypeError) as error:
            raise NoticeNotAccepted from error
        if age > TOLERANCE:
            raise NoticeTooOld
        if path == NOTIFY_VA:
            return read_va_notice(self.name, raw, now)
        reported = read_qr_notice(self.name, raw, now)
        if reported is None:
            raise NoticeNotUnderstood
        return reported

    def _signed(
        self, path: str, headers: Mapping[str, str], raw: bytes, timestamp: str, now: datetime
    ) -> bool:
        signature = headers.get("x-signature", "")
        if self._profile.notices is Signing.KEYS:
            return self._partner.signed(to_sign("POST", path, raw, timestamp), signature)
        kind, _, token = headers.get("authorization", "").partition(" ")
        secret = self._profile.secret
        said = to_sign_with_token("POST", path, token, raw, timestamp)
        return (
            kind.lower() == "bearer"
            and token_good(secret, token, self.name, now)
            and mac_fits(secret, said, signature)
        )

    def admits(self, client_key: str, timestamp: str, signature: str, now: datetime) -> bool:
        """Whether the provider itself asks us for an access token, now."""
        try:
            age = abs(now - datetime.fromisoformat(timestamp))
        except (ValueError, TypeError):
            return False
        said = to_sign_for_token(client_key, timestamp)
        return (
            self._profile.notices is Signing.SECRET
            and age <= TOLERANCE
            and self._partner.signed(said, signature)
        )

    @property
    def profile(self) -> Profile:
        """How this provider speaks."""
        return self._profile

    async def close(self) -> None:
        """See :meth:`meterai.payment.provider.Provider.close`."""
        await self._http.aclose()

    def _account(self, reference: str) -> dict[str, str]:
        """The virtual account of a reference: the prefix, and digits that follow from the reference."""
        service = self._profile.va_prefix.rjust(8)
        customer = f"{int(reference.removeprefix('M')[-12:], 16) % 10**11:011d}"
        return {
            "partnerServiceId": service,
            "customerNo": customer,
            "virtualAccountNo": service + customer,
            "trxId": reference,
        }

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> bytes:
        raw = msgspec.json.encode(body)
        for fresh in (False, True):
            answer = await self._send(method, path, raw, fresh_token=fresh)
            if answer.status_code == 401 and self._profile.requests is Signing.SECRET and not fresh:
                continue  # the token was revoked before its time
            break
        if answer.status_code in (400, 403, 404, 409):
            raise ProviderDeclines(why=_code(answer))
        if answer.status_code != 200:
            raise ProviderUnavailable
        return answer.content

    async def _send(
        self, method: str, path: str, raw: bytes, *, fresh_token: bool
    ) -> httpx.Response:
        timestamp = iso(now())
        headers = {
            "content-type": "application/json",
            "x-timestamp": timestamp,
            "x-partner-id": self._profile.client_id,
            "x-external-id": str(new_id().int)[:36],
        }
        if self._profile.requests is Signing.KEYS:
            headers["x-signature"] = self._key.sign(to_sign(method, path, raw, timestamp))
        else:
            token = await self._access_token(fresh=fresh_token)
            said = to_sign_with_token(method, path, token, raw, timestamp)
            headers["authorization"] = f"Bearer {token}"
            headers["x-signature"] = mac(self._profile.secret, said)
        return await self._post(method, path, raw, headers)

    async def _post(
        self, method: str, path: str, raw: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            return await self._http.request(method, path, content=raw, headers=headers)
        except httpx.HTTPError as error:
            raise ProviderUnavailable from error

    async def _access_token(self, *, fresh: bool) -> str:
        """One token for all, renewed a little before its end."""
        async with self._token_lock:
            if fresh or monotonic() >= self._token_until:
                timestamp = iso(now())
                client = self._profile.client_id
                headers = {
                    "content-type": "application/json",
                    "x-timestamp": timestamp,
                    "x-client-key": client,
                    "x-signature": self._key.sign(to_sign_for_token(client, timestamp)),
                }
                raw = b'{"grantType":"client_credentials"}'
                answer = await self._post("POST", TOKEN, raw, headers)
                if answer.status_code != 200:
                    raise ProviderUnavailable
                given = _answer(answer.content, Token)
                self._token = given.access_token
                self._token_until = monotonic() + int(given.expires_in) * 0.9
            return self._token


def _amount(amount: int) -> dict[str, str]:
    return {"value": f"{amount}.00", "currency": "IDR"}


def _answer(raw: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as error:
        raise ProviderUnavailable from error


def _code(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content).get("responseCode", ""))[:12]
    except (msgspec.DecodeError, AttributeError):
        return str(answer.status_code)
