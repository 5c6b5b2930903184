"""What a channel declines."""

from meterai.errors import NotFound, Refused, Text


class NoSuchChannel(NotFound):
    """Nobody sells under this name."""

    code = "no_such_channel"
    says = Text("Kanal penjualan ini tidak dikenal.", "This sales channel is not known.")


class NoTermsYet(Refused):
    """The channel has no terms that are valid now."""

    code = "no_terms_yet"
    says = Text("Kanal ini belum membuka penjualan.", "This channel has not opened yet.")
    next_step = Text(
        "Pilih kanal lain di halaman Stok.", "Choose another channel on the stock page."
    )


class SoldOut(Refused):
    """The channel's stock does not cover the order; nothing was charged."""

    code = "sold_out"
    says = Text("Stok kanal ini sedang habis.", "This channel is out of stock.")
    next_step = Text(
        "Belum ada yang dibayar. Pilih kanal lain, atau coba lagi setelah stok ditambah.",
        "Nothing was paid. Choose another channel, or try again after it has been restocked.",
    )


class TooManyAtOnce(Refused):
    """More units than one order may have."""

    code = "too_many_units"
    says = Text(
        "Satu pembelian paling banyak {most} keping.", "One order may have at most {most} units."
    )
    next_step = Text("Kurangi jumlahnya, atau beli dua kali.", "Take fewer, or buy twice.")
