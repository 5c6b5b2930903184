"""The signed papers that a person can keep: what they say, in both languages."""

from meterai.affixing.model import Affixing
from meterai.clock import moment_said
from meterai.errors import Text
from meterai.money import rupiah
from meterai.sale.model import Order
from meterai.sale.paper import Paper
from meterai.serial.model import grouped
from meterai.signing.paper import Row, Wording
from meterai.web.words import REASONS
from meterai.wiring import App

RECEIPT = "receipt"
"""The kind of signed statement that a *kuitansi* is."""
INVOICE = "invoice"
"""The kind of signed statement that a *tagihan* is."""


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


async def receipt_paper(app: App, order: Order, paper: Paper) -> bytes:
    """The *kuitansi*: duty and service fee apart."""
    assert order.paid_at is not None
    facts = _order_facts(order, paper) | {"paid_at": order.paid_at.isoformat()}
    wording = Wording(
        title=Text("Kuitansi", "Receipt"),
        opening=Text(
            f"Telah diterima pembayaran untuk {order.units} keping meterai elektronik (contoh).",
            f"Payment was received for {order.units} unit(s) of e-meterai (specimen).",
        ),
        rows=(
            *_order_rows(order, paper),
            Row(Text("Dibayar", "Paid"), moment_said(order.paid_at)),
            Row(Text("Kanal", "Channel"), order.channel),
        ),
        verify_at=_how_to_check(app),
    )
    return await app.write_paper(app.statements.sign(RECEIPT, facts, order.paid_at), wording)


async def invoice_paper(app: App, order: Order, paper: Paper) -> bytes:
    """The *tagihan*: what an order costs, duty and service fee apart, and until when it can be paid."""
    facts = _order_facts(order, paper) | {"pay_until": order.expires_at.isoformat()}
    wording = Wording(
        title=Text("Tagihan", "Invoice"),
        opening=Text(
            f"Pesanan {order.units} keping meterai elektronik (contoh). Bukan bukti bayar: setelah "
            "dibayar, kuitansi dapat diunduh dari halaman pesanan.",
            f"An order of {order.units} unit(s) of e-meterai (specimen). No proof of payment: once paid, "
            "the receipt can be downloaded from the page of the order.",
        ),
        rows=(
            *_order_rows(order, paper),
            Row(Text("Dipesan", "Ordered"), moment_said(order.placed_at)),
            Row(Text("Dibayar paling lambat", "Pay until"), moment_said(order.expires_at)),
            Row(Text("Kanal", "Channel"), order.channel),
        ),
        verify_at=_how_to_check(app),
    )
    return await app.write_paper(app.statements.sign(INVOICE, facts, paper.issued_at), wording)


def _order_rows(order: Order, paper: Paper) -> tuple[Row, ...]:
    return (
        Row(Text("Nomor", "Number"), paper.said),
        Row(Text("Nomor pesanan", "Order"), order.reference),
        Row(Text("Bea meterai", "Stamp duty"), rupiah(order.duty)),
        Row(Text("Biaya layanan", "Service fee"), rupiah(order.service_fee)),
        Row(Text("Jumlah", "Total"), rupiah(order.total)),
    )


def _order_facts(order: Order, paper: Paper) -> dict[str, object]:
    return {
        "number": paper.said,
        "order": order.reference,
        "units": order.units,
        "duty": order.duty,
        "service_fee": order.service_fee,
        "total": order.total,
        "currency": "IDR",
        "channel": order.channel,
    }
