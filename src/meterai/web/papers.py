"""The signed papers that a person can keep: what they say, in both languages."""

from datetime import datetime

from meterai.affixing.model import Affixing
from meterai.clock import moment_said
from meterai.errors import Text
from meterai.money import rupiah
from meterai.sale.model import Order
from meterai.serial.model import grouped
from meterai.signing.paper import Row, Wording
from meterai.web.words import REASONS
from meterai.wiring import App

RECEIPT = "receipt"
"""The kind of signed statement that a *kuitansi* is."""


def _how_to_check(app: App) -> str:
    return f"meterai proof verify FILE --keys {app.settings.base_url}"


async def restoration_paper(app: App, affixing: Affixing) -> bytes:
    """The restoration certificate as a sealed page, carrying the very statement that was issued."""
    assert affixing.certificate is not None
    assert affixing.reason is not None
    assert affixing.ended_at is not None
    _, facts = app.read_statement(affixing.certificate)
    reason = REASONS[affixing.reason]
    serials = facts["serials"]
    assert isinstance(serials, list)
    wording = Wording(
        title=Text("Bukti kuota kembali", "Restoration certificate"),
        opening=Text(
            f"{affixing.units} keping meterai elektronik yang ditahan untuk dokumen ini tidak jadi "
            "dibubuhkan dan sudah kembali menjadi kuota yang tersedia.",
            f"{affixing.units} unit of e-meterai held for this document was not affixed and is "
            "available quota again.",
        ),
        rows=(
            Row(Text("Sebab", "Reason"), reason.id),
            Row(
                Text("Nomor seri yang dibatalkan", "Voided serial"),
                ", ".join(grouped(str(number)) for number in serials),
            ),
            Row(Text("SHA-256 dokumen", "SHA-256 of the document"), str(facts["document_sha256"])),
            Row(Text("Ditahan", "Reserved"), moment_said(affixing.reserved_at)),
            Row(Text("Kembali", "Restored"), moment_said(affixing.ended_at)),
            Row(Text("Baris buku besar", "Ledger transfer"), str(facts["ledger_transfer"])),
            Row(Text("Kanal", "Channel"), affixing.channel),
        ),
        verify_at=_how_to_check(app),
    )
    return await app.write_paper(affixing.certificate, wording)


async def receipt_paper(app: App, order: Order) -> bytes:
    """The *kuitansi*: duty and service fee apart."""
    assert order.paid_at is not None
    statement = app.statements.sign(RECEIPT, _receipt_facts(order, order.paid_at), order.paid_at)
    wording = Wording(
        title=Text("Kuitansi", "Receipt"),
        opening=Text(
            f"Telah diterima pembayaran untuk {order.units} keping meterai elektronik (contoh).",
            f"Payment was received for {order.units} unit(s) of e-meterai (specimen).",
        ),
        rows=(
            Row(Text("Nomor pesanan", "Order"), order.reference),
            Row(Text("Bea meterai", "Stamp duty"), rupiah(order.duty)),
            Row(Text("Biaya layanan", "Service fee"), rupiah(order.service_fee)),
            Row(Text("Jumlah", "Total"), rupiah(order.total)),
            Row(Text("Dibayar", "Paid"), moment_said(order.paid_at)),
            Row(Text("Kanal", "Channel"), order.channel),
        ),
        verify_at=_how_to_check(app),
    )
    return await app.write_paper(statement, wording)


def _receipt_facts(order: Order, paid_at: datetime) -> dict[str, object]:
    return {
        "order": order.reference,
        "units": order.units,
        "duty": order.duty,
        "service_fee": order.service_fee,
        "total": order.total,
        "currency": "IDR",
        "paid_at": paid_at.isoformat(),
        "channel": order.channel,
    }
