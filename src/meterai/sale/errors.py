"""What an order can meet."""

from meterai.errors import Conflict, NotFound, Text


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
