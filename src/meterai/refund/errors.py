"""Why money does not go back."""

from meterai.errors import Conflict, NotFound, Refused, Text


class NoSuchRefund(NotFound):
    """There is no such refund, or it is somebody else's."""

    code = "no_such_refund"
    says = Text("Pengembalian uang ini tidak ditemukan.", "This refund was not found.")


class NothingToRefund(Refused):
    """No unit of this order is unused and unrefunded."""

    code = "nothing_to_refund"
    says = Text(
        "Tidak ada keping yang belum terpakai dari pesanan ini sebanyak itu.",
        "This order has not that many unused units.",
    )
    next_step = Text(
        "Keping yang sedang ditahan bisa dikembalikan setelah kuotanya kembali.",
        "Units that are held can be refunded once they are back.",
    )


class WindowOver(Refused):
    """The time in which the terms give money back is over."""

    code = "refund_window_over"
    says = Text(
        "Menurut ketentuan saat membeli, uang bisa diminta kembali dalam {days} hari.",
        "By the terms of the purchase, money could be asked back within {days} days.",
    )
    next_step = Text(
        "Kuota Anda tetap berlaku dan tidak kedaluwarsa; bisa dipakai atau dihadiahkan.",
        "Your quota stays valid and does not expire; it can be used or given away.",
    )


class NothingWouldArrive(Refused):
    """After what the terms keep, nothing would be left."""

    code = "refund_too_small"
    says = Text(
        "Setelah dipotong biaya menurut ketentuan, tidak ada sisa untuk dikembalikan.",
        "After the cost that the terms keep, nothing would be left to send.",
    )
    next_step = Text(
        "Kembalikan beberapa keping sekaligus, atau pakai kuotanya.",
        "Ask for several units together, or use the quota.",
    )


class NotTwice(Refused):
    """The same person cannot agree twice, nor to what they asked for themselves."""

    code = "refund_needs_another_person"
    says = Text("Persetujuan ini harus dari orang lain.", "Another person has to agree to this.")
    next_step = Text("Minta petugas lain menyetujuinya.", "Ask another officer to agree.")


class RefundOver(Conflict):
    """It was paid or declined already, or is in another state."""

    code = "refund_over"
    says = Text("Pengembalian ini sudah selesai.", "This refund has already ended.")
