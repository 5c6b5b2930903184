"""The signed papers that a person can keep: what they say, in both languages."""

from datetime import datetime

from meterai.affixing.model import Affixing
from meterai.clock import moment_said
from meterai.errors import Text
from meterai.money import rupiah
from meterai.sale.model import Order
from meterai.signing.paper import Line, Paper, render
from meterai.web.words import REASONS
from meterai.wiring import App

RECEIPT = "receipt"
"""The kind of signed statement that a *kuitansi* is."""


async def restoration_paper(app: App, affixing: Affixing) -> bytes:
    """The restoration certificate as a sealed page, carrying the very statement that was issued."""
    assert affixing.certificate is not None
    assert affixing.reason is not None
    assert affixing.ended_at is not None
    facts = app.read_statement(affixing.certificate)
    paper = Paper(
        title=Text("Bukti kuota kembali", "Restoration certificate"),
        lead=Text(
            f"{affixing.units} keping meterai elektronik kembali menjadi kuota yang tersedia.",
            f"{affixing.units} unit(s) of e-meterai are available quota again.",
        ),
        lines=(
            Line(Text("Sebab", "Reason"), REASONS[affixing.reason]),
            Line(Text("Nomor seri yang dibatalkan", "Voided serial"), _same(facts["serials"])),
            Line(Text("SHA-256 dokumen", "Document SHA-256"), _same(facts["document_sha256"])),
            Line(Text("Ditahan", "Reserved"), _moment(affixing.reserved_at)),
            Line(Text("Kembali", "Restored"), _moment(affixing.ended_at)),
            Line(Text("Baris buku besar", "Ledger transfer"), _same(facts["ledger_transfer"])),
        ),
        statement=affixing.certificate,
    )
    return await render(paper, app.paper_seal)


async def receipt_paper(app: App, order: Order) -> bytes:
    """The *kuitansi*: duty and service fee apart."""
    assert order.paid_at is not None
    statement = app.statements.sign(
        RECEIPT,
        {
            "order": order.reference,
            "units": order.units,
            "duty": order.duty,
            "service_fee": order.service_fee,
            "total": order.total,
            "currency": "IDR",
            "paid_at": order.paid_at.isoformat(),
            "channel": order.channel,
        },
    )
    paper = Paper(
        title=Text("Kuitansi", "Receipt"),
        lead=Text(
            f"Telah diterima pembayaran untuk {order.units} keping meterai elektronik (contoh).",
            f"Payment received for {order.units} unit(s) of e-meterai (specimen).",
        ),
        lines=(
            Line(Text("Nomor pesanan", "Order"), _same(order.reference)),
            Line(Text("Bea meterai", "Stamp duty"), _same(rupiah(order.duty))),
            Line(Text("Biaya layanan", "Service fee"), _same(rupiah(order.service_fee))),
            Line(Text("Jumlah", "Total"), _same(rupiah(order.total))),
            Line(Text("Dibayar", "Paid"), _moment(order.paid_at)),
        ),
        statement=statement,
    )
    return await render(paper, app.paper_seal)


def _same(value: object) -> Text:
    said = " ".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
    return Text(said, said)


def _moment(moment: datetime) -> Text:
    return Text(moment_said(moment), moment_said(moment, "en"))
