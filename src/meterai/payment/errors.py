"""What a provider or its message can do wrong."""

from meterai.errors import Broken, Busy, Conflict, Invalid, Refused, Text


class ProviderUnavailable(Busy):
    """The payment provider does not answer; nothing was charged."""

    code = "payment_provider_unavailable"
    says = Text(
        "Penyedia pembayaran sedang tidak menjawab.", "The payment provider does not answer."
    )
    next_step = Text(
        "Belum ada yang dibayar. Coba lagi sebentar lagi.",
        "Nothing was paid. Try again in a moment.",
    )


class NoProvider(Refused):
    """No payment provider is configured on this installation."""

    code = "no_payment_provider"
    says = Text(
        "Pembelian belum dibuka di instalasi ini.", "Buying is not open on this installation yet."
    )
    next_step = Text(
        "Kuota yang sudah ada tetap bisa dibubuhkan. Pengelola perlu mengisi penyedia pembayaran.",
        "Quota you already have can be affixed. The operator has to configure a payment provider.",
    )


class NoticeNotAccepted(Refused):
    """The signature of a callback is wrong, missing or too old: it changes nothing."""

    code = "payment_notice_not_accepted"
    says = Text("Tanda tangan pemberitahuan tidak sah.", "The notice's signature is not valid.")
    next_step = Text("Periksa kunci dan jam server pengirim.", "Check the sender's key and clock.")


class NoticeTooOld(NoticeNotAccepted):
    """The provider signed it, but dated it more than five minutes from our clock."""

    code = "payment_notice_too_old"
    says = Text(
        "Pemberitahuan ini terlalu lama atau jamnya tidak cocok.",
        "The notice is too old, or the clocks differ.",
    )
    next_step = Text(
        "Kirim ulang dengan waktu sekarang; pembayarannya tetap kami tanyakan sendiri.",
        "Send it again with the present time; we also ask about the payment ourselves.",
    )


class ProviderDeclines(Refused):
    """The provider understood and said no."""

    code = "payment_provider_declines"
    says = Text(
        "Penyedia pembayaran menolak permintaan ini ({why}).",
        "The payment provider declined this request ({why}).",
    )
    next_step = Text(
        "Tidak ada uang yang berpindah. Petugas memeriksanya.",
        "No money moved. An officer looks into it.",
    )


class NoticeNotUnderstood(Invalid):
    """The callback is signed but its content cannot be read."""

    code = "payment_notice_not_understood"


class NoticeContradicts(Conflict):
    """The same payment was reported before with another amount or reference."""

    code = "payment_notice_contradicts"
    says = Text(
        "Pembayaran ini pernah dilaporkan dengan isi lain.",
        "This payment was reported before with other facts.",
    )


class BadQris(Broken):
    """The provider gave a QRIS text that does not hold together."""

    code = "bad_qris"
    says = Text("Kode QRIS dari penyedia rusak.", "The provider's QRIS code is broken.")
