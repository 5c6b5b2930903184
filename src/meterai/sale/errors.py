"""What an order can meet."""

from meterai.errors import Conflict, NotFound, Refused, Text


class NoSuchOrder(NotFound):
    """There is no such order, or it is somebody else's."""

    code = "no_such_order"
    says = Text("Pesanan ini tidak ditemukan.", "This order was not found.")


class OrderOver(Conflict):
    """The order is paid, expired or cancelled already."""

    code = "order_over"
    says = Text("Pesanan ini sudah selesai.", "This order is already over.")
    next_step = Text(
        "Lihat riwayat pembelian, atau buat pesanan baru.",
        "See the purchase history, or place a new order.",
    )


class NoSuchShift(NotFound):
    """There is no such shift, or it is somebody else's."""

    code = "no_such_shift"
    says = Text("Giliran ini tidak ditemukan.", "This shift was not found.")


class ShiftUnderWay(Conflict):
    """The clerk has another open shift."""

    code = "shift_under_way"
    says = Text("Masih ada giliran Anda yang terbuka.", "You still have an open shift.")
    next_step = Text("Tutup dahulu giliran itu.", "Close that shift first.")


class ShiftOver(Conflict):
    """The shift is closed; nothing more is sold in it."""

    code = "shift_over"
    says = Text("Giliran ini sudah ditutup.", "This shift is closed.")
    next_step = Text("Buka giliran baru untuk menjual.", "Open a new shift to sell.")


class WhyDifferent(Refused):
    """Counted and expected cash differ, and nobody said why."""

    code = "cash_differs"
    says = Text(
        "Uang yang dihitung berselisih Rp{difference} dari catatan.",
        "The cash counted is Rp{difference} off the record.",
    )
    next_step = Text(
        "Hitung lagi, atau tuliskan sebab selisihnya.", "Count again, or say why it differs."
    )
