"""How states and reasons are said on screen, in both languages; one place, one label."""

from meterai.affixing.model import Affixing, AffixingState, Reason
from meterai.channel.model import Level, Why
from meterai.channel.voucher import VoucherState
from meterai.errors import Text
from meterai.payment.model import Unplaced
from meterai.payment.settlement import Verdict
from meterai.pdf.road import Road
from meterai.refund.model import RefundState
from meterai.sale.model import OrderState
from meterai.treasury.advice import Debtor, Due, Owed
from meterai.verification.model import WORDS

STATES: dict[AffixingState, Text] = {
    AffixingState.WAITING: Text("Antre", "Queued"),
    AffixingState.WORKING: Text("Diproses", "Processing"),
    AffixingState.AFFIXED: Text("Berhasil", "Done"),
    AffixingState.RESTORED: Text("Refund — kuota kembali", "Refund — quota returned"),
    AffixingState.CANCELLED: Text("Dibatalkan — kuota kembali", "Cancelled — quota returned"),
}

TONES: dict[AffixingState, str] = {
    AffixingState.WAITING: "wait",
    AffixingState.WORKING: "work",
    AffixingState.AFFIXED: "good",
    AffixingState.RESTORED: "back",
    AffixingState.CANCELLED: "back",
}

REASONS: dict[Reason, Text] = {
    Reason.WORKER_DIED: Text(
        "Mesin pembubuh berhenti di tengah jalan.", "The stamping process stopped half-way."
    ),
    Reason.SIGNER_DOWN: Text(
        "Perangkat kunci segel tidak menjawab.", "The sealing key device did not answer."
    ),
    Reason.TIME_STAMP_DOWN: Text(
        "Otoritas cap waktu tidak menjawab.", "The time-stamp authority did not answer."
    ),
    Reason.STORE_DOWN: Text(
        "Berkas hasil tidak bisa disimpan.", "The stamped file could not be stored."
    ),
    Reason.CANNOT_STAMP: Text(
        "Dokumen ini ternyata tidak bisa dibubuhi.", "This document could not be stamped after all."
    ),
    Reason.OVERDUE: Text("Batas waktu pembubuhan lewat.", "The time for affixing ran out."),
    Reason.TAKEN_BACK: Text("Dibatalkan oleh Anda.", "Cancelled by you."),
    Reason.INTERNAL: Text("Ada gangguan di pihak kami.", "Something failed on our side."),
}

ORDERS: dict[OrderState, Text] = {
    OrderState.PLACED: Text("Menunggu pembayaran", "Waiting for payment"),
    OrderState.PAID: Text("Berhasil", "Paid"),
    OrderState.EXPIRED: Text("Kedaluwarsa — tidak dibayar", "Expired — not paid"),
    OrderState.CANCELLED: Text("Dibatalkan", "Cancelled"),
}

ROADS: dict[Road, Text] = {
    Road.FAST: Text("Jalur cepat", "Fast road"),
    Road.CAREFUL: Text("Jalur teliti", "Careful road"),
    Road.REPAIR: Text("Setelah perbaikan", "After a repair"),
}

REFUNDS: dict[RefundState, Text] = {
    RefundState.ASKED: Text("Menunggu persetujuan", "Waiting for approval"),
    RefundState.APPROVED: Text("Sedang dikirim", "Being sent"),
    RefundState.STUCK: Text("Ditangani petugas", "With an officer"),
    RefundState.PAID: Text("Uang dikembalikan", "Refunded"),
    RefundState.DECLINED: Text("Tidak disetujui", "Declined"),
}

UNPLACED: dict[Unplaced, Text] = {
    Unplaced.NO_ORDER: Text("tidak ada pesanannya", "no order for it"),
    Unplaced.WRONG_AMOUNT: Text("jumlahnya tidak cocok", "another amount"),
    Unplaced.PAID_TWICE: Text("terbayar dua kali", "paid twice"),
    Unplaced.LATE_SOLD_OUT: Text("terlambat, stok sudah habis", "late, and the stock was gone"),
    Unplaced.CANCELLED: Text("pesanan dibatalkan", "the order was cancelled"),
}

SETTLEMENT: dict[Verdict, Text] = {
    Verdict.MATCHED: Text("cocok", "matches"),
    Verdict.FOUND: Text("baru kami ketahui", "news to us"),
    Verdict.AMOUNT_DIFFERS: Text("jumlahnya berbeda", "another amount"),
    Verdict.UNKNOWN: Text("pengembalian yang tidak kami minta", "a refund that we did not ask for"),
    Verdict.REPEATED: Text("sudah ada di baris sebelumnya", "stands in an earlier line"),
}

VOUCHERS: dict[VoucherState, Text] = {
    VoucherState.KEPT: Text("Cadangan", "In reserve"),
    VoucherState.LIVE: Text("Belum dipakai", "Not used yet"),
    VoucherState.REDEEMED: Text("Sudah dipakai", "Used"),
    VoucherState.REVOKED: Text("Dibatalkan", "Revoked"),
}

OWED: dict[Owed, Text] = {
    Owed.YES: Text("Ya, terutang bea meterai.", "Yes, stamp duty is owed."),
    Owed.NO: Text("Tidak terutang bea meterai.", "No stamp duty is owed."),
    Owed.PERHAPS: Text(
        "Tergantung isi dokumennya; lihat daftar dan pengecualian pada pasal di bawah.",
        "It depends on what the document says; see the list and the exemptions in the clause below.",
    ),
}

DUE: dict[Due, Text] = {
    Due.SIGNED: Text("saat ditandatangani", "when it is signed"),
    Due.MADE: Text("saat selesai dibuat", "when it is complete"),
    Due.HANDED_OVER: Text(
        "saat diserahkan kepada pihak yang dituju", "when it is handed to whom it is for"
    ),
    Due.FILED: Text("saat diajukan ke pengadilan", "when it is filed with the court"),
    Due.USED_HERE: Text("saat dipakai di Indonesia", "when it is used in Indonesia"),
}

DEBTORS: dict[Debtor, Text] = {
    Debtor.RECEIVER: Text(
        "pihak yang menerima dokumen (pihak lain boleh membayarnya)",
        "whoever receives the document (somebody else may pay it)",
    ),
    Debtor.EACH: Text(
        "masing-masing pihak, untuk dokumen yang diterimanya",
        "each party, for the copy it receives",
    ),
    Debtor.ISSUER: Text("pihak yang menerbitkan", "whoever issues it"),
    Debtor.FILER: Text("pihak yang mengajukan", "whoever files it"),
    Debtor.BENEFITS: Text(
        "pihak yang menerima manfaat dokumen", "whoever benefits from the document"
    ),
}

LEVELS: dict[str, tuple[Text, str]] = {
    Level.IN_STOCK.value: (Text("Ada", "In stock"), "good"),
    Level.LOW.value: (Text("Menipis", "Low"), "wait"),
    Level.SOLD_OUT.value: (Text("Habis", "Sold out"), "bad"),
    Level.DISRUPTED.value: (Text("Gangguan", "Disrupted"), "bad"),
}

CHANNEL_KINDS: dict[str, Text] = {
    "issuer": Text("Penerbit", "Issuer"),
    "distributor": Text("Distributor", "Distributor"),
    "reseller": Text("Pengecer", "Reseller"),
    "counter": Text("Loket", "Counter"),
    "event": Text("Situs acara", "Event site"),
}

MOVES: dict[Why, Text] = {
    Why.ISSUED: Text("diterbitkan", "issued"),
    Why.TOPPED_UP: Text("diambil dari pusat", "taken from the issuer"),
    Why.MOVED: Text("dipindahkan", "moved"),
    Why.REFILLED: Text("diisi otomatis", "refilled by rule"),
    Why.RETURNED: Text("dikembalikan ke pusat", "returned to the issuer"),
}

DOCUMENT_KINDS: dict[str, Text] = {
    "statement": Text("Surat pernyataan", "Statement letter"),
    "agreement": Text("Surat perjanjian", "Agreement"),
    "receipt": Text("Dokumen penerimaan uang", "Receipt of money"),
    "securities": Text("Surat berharga", "Securities"),
    "deed": Text("Akta", "Deed"),
    "auction": Text("Dokumen lelang", "Auction document"),
    "court": Text("Bukti di pengadilan", "Court evidence"),
    "other": Text("Lainnya", "Other"),
}
"""Objects of stamp duty by UU 10/2020 art. 3, as a person would choose them."""


def in_language(text: Text, language: str) -> str:
    """The text in one language."""
    return text.en if language == "en" else text.id


def state(affixing: Affixing, language: str) -> str:
    """The one label of a state."""
    return in_language(STATES[affixing.state], language)


def tone(affixing: Affixing) -> str:
    """Which colour and sign go with the state."""
    return TONES[affixing.state]


def reason(affixing: Affixing, language: str) -> str | None:
    """Why, if there is a why."""
    return None if affixing.reason is None else in_language(REASONS[affixing.reason], language)


def order_state(state: OrderState, language: str) -> str:
    """The one label of an order's state."""
    return in_language(ORDERS[state], language)


STATEMENTS: dict[str, Text] = {
    "verification_record": Text("Berita Acara Pemeriksaan Meterai", "Record of stamp verification"),
    "receipt": Text("Kuitansi", "Receipt"),
}


def statement_kind(kind: str, language: str) -> str:
    """What a signed statement is called."""
    known = STATEMENTS.get(kind)
    return kind if known is None else in_language(known, language)


def verdict(code: str, language: str) -> str:
    """A verdict by its code; what is none is said as it is."""
    known = {v.value: said for v, said in WORDS.items()}.get(code)
    return code if known is None else in_language(known, language)


def road(road: Road, language: str) -> str:
    """The one label of a road."""
    return in_language(ROADS[road], language)


def document_kind(kind: str | None, language: str) -> str:
    """The document's kind in words."""
    return "–" if kind is None else in_language(DOCUMENT_KINDS[kind], language)


def refund_state(state: RefundState, language: str) -> str:
    """The one label of a refund's state."""
    return in_language(REFUNDS[state], language)


def unplaced(reason: Unplaced, language: str) -> str:
    """Why a payment fits no order."""
    return in_language(UNPLACED[reason], language)


def settlement_verdict(verdict: Verdict, language: str) -> str:
    """What our books say of a line of the provider's file."""
    return in_language(SETTLEMENT[verdict], language)


def voucher_state(state: VoucherState, language: str) -> str:
    """The one label of a voucher's state."""
    return in_language(VOUCHERS[state], language)


def level(value: str, language: str) -> str:
    """The one label of a level of stock."""
    return in_language(LEVELS[value][0], language)


def level_tone(value: str) -> str:
    """Which colour and sign go with it."""
    return LEVELS[value][1]


def channel_kind(kind: str, language: str) -> str:
    """The kind of seller in words."""
    return in_language(CHANNEL_KINDS[kind], language)


def why_moved(why: Why, language: str) -> str:
    """Why stock moved."""
    return in_language(MOVES[why], language)
