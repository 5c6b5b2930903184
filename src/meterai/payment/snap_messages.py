"""The messages of SNAP BI that we send, get and understand: paths, shapes, sense. Pure."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from meterai.money import Rupiah
from meterai.payment.errors import NoticeNotUnderstood
from meterai.payment.model import Reported

T = TypeVar("T")

TOKEN = "/v1.0/access-token/b2b"  # noqa: S105 - a path
GENERATE = "/v1.0/qr/qr-mpm-generate"
QUERY = "/v1.0/qr/qr-mpm-query"
REFUND = "/v1.0/qr/qr-mpm-refund"
NOTIFY = "/v1.0/qr/qr-mpm-notify"
CREATE_VA = "/v1.0/transfer-va/create-va"
STATUS_VA = "/v1.0/transfer-va/status"
DELETE_VA = "/v1.0/transfer-va/delete-va"
NOTIFY_VA = "/v1.0/transfer-va/payment"
PAID = "00"
"""``latestTransactionStatus`` and ``paymentFlagStatus`` of a payment that succeeded."""


class Amount(msgspec.Struct):
    """An amount of money as it is written."""

    value: str
    currency: str

    @classmethod
    def of(cls, amount: int) -> "Amount":
        """So many rupiah."""
        return cls(f"{amount}.00", "IDR")


class QrNotice(msgspec.Struct, rename="camel"):
    """A notification of a QRIS payment, or the answer to a query; both say the same of it."""

    original_reference_no: str
    original_partner_reference_no: str
    latest_transaction_status: str
    amount: Amount
    paid_time: str | None = None
    additional_info: dict[str, Any] = {}


class VaNotice(msgspec.Struct, rename="camel"):
    """A notification of a payment into a virtual account."""

    virtual_account_no: str
    payment_request_id: str
    trx_id: str
    paid_amount: Amount
    trx_date_time: str | None = None


class VaStatus(msgspec.Struct, rename="camel"):
    """What a provider says of one virtual account."""

    virtual_account_no: str
    payment_flag_status: str
    payment_request_id: str = ""
    trx_id: str = ""
    paid_amount: Amount | None = None
    trx_date_time: str | None = None


class VaStatusAnswer(msgspec.Struct, rename="camel"):
    """The answer to an inquiry of status."""

    virtual_account_data: VaStatus


class Issued(msgspec.Struct, rename="camel"):
    """The answer to a request for a QRIS code."""

    reference_no: str
    qr_content: str


class VaData(msgspec.Struct, rename="camel"):
    """The account in an answer."""

    virtual_account_no: str


class IssuedVa(msgspec.Struct, rename="camel"):
    """The answer to a request for a virtual account."""

    virtual_account_data: VaData


class Token(msgspec.Struct, rename="camel"):
    """An access token."""

    access_token: str
    expires_in: str | int


class Refunded(msgspec.Struct, rename="camel"):
    """The answer to a refund."""

    refund_no: str
    partner_refund_no: str
    refund_amount: Amount


def notice_body(reference: str, number: str, rrn: str, amount: int, paid_at: str) -> bytes:
    """The bytes of a notification of a QRIS payment that succeeded."""
    return msgspec.json.encode(
        QrNotice(number, reference, PAID, Amount.of(amount), paid_at, {"rrn": rrn})
    )


def read_rupiah(amount: Amount) -> Rupiah:
    """Whole rupiah. Raises :class:`NoticeNotUnderstood` for anything else."""
    whole, _, cents = amount.value.partition(".")
    if amount.currency != "IDR" or cents.strip("0") or not (whole.isascii() and whole.isdecimal()):
        raise NoticeNotUnderstood
    if not 0 < int(whole) < 2**53:
        raise NoticeNotUnderstood
    return Rupiah(int(whole))


def read_qr_notice(provider: str, raw: bytes, otherwise: datetime) -> Reported | None:
    """The payment it tells of, or None when it was not paid; ``otherwise`` when the moment is left out.

    Raises :class:`NoticeNotUnderstood`.
    """
    said = _decode(raw, QrNotice)
    if said.latest_transaction_status != PAID:
        return None
    return Reported(
        provider=provider,
        # One QR code might be paid twice: the retrieval number tells payments apart.
        external_id=str(said.additional_info.get("rrn") or said.original_reference_no),
        reference=said.original_partner_reference_no,
        amount=read_rupiah(said.amount),
        paid_at=_moment(said.paid_time, otherwise),
    )


def read_va_notice(provider: str, raw: bytes, otherwise: datetime) -> Reported:
    """The payment into a virtual account. Raises :class:`NoticeNotUnderstood`."""
    said = _decode(raw, VaNotice)
    return Reported(
        provider=provider,
        external_id=f"VA-{said.payment_request_id}",
        reference=said.trx_id,
        amount=read_rupiah(said.paid_amount),
        paid_at=_moment(said.trx_date_time, otherwise),
    )


def read_va_status(provider: str, raw: bytes, otherwise: datetime) -> Reported | None:
    """The payment into the account that was asked about, or None. Raises :class:`NoticeNotUnderstood`."""
    said = _decode(raw, VaStatusAnswer).virtual_account_data
    if said.payment_flag_status != PAID or said.paid_amount is None:
        return None
    return Reported(
        provider=provider,
        external_id=f"VA-{said.payment_request_id}",
        reference=said.trx_id,
        amount=read_rupiah(said.paid_amount),
        paid_at=_moment(said.trx_date_time, otherwise),
    )


def _decode(raw: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoticeNotUnderstood from error


def _moment(said: str | None, otherwise: datetime) -> datetime:
    if not said:
        return otherwise
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise NoticeNotUnderstood from error
    if moment.tzinfo is None:
        raise NoticeNotUnderstood
    return moment
