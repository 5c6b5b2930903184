"""How states and reasons are said on screen, in both languages; one place, one label."""

from meterai.affixing.model import Affixing, AffixingState, Reason
from meterai.errors import Text
from meterai.sale.model import OrderState
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


def document_kind(kind: str | None, language: str) -> str:
    """The document's kind in words."""
    return "–" if kind is None else in_language(DOCUMENT_KINDS[kind], language)
