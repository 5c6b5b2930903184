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


class DayCapReached(Refused):
    """More units than one person may buy here on one day."""

    code = "day_cap_reached"
    says = Text(
        "Batas pembelian hari ini di kanal ini {most} keping per orang.",
        "Today's limit on this channel is {most} units a person.",
    )
    next_step = Text(
        "Belum ada yang dibayar. Coba lagi besok, atau beli di kanal lain.",
        "Nothing was paid. Try again tomorrow, or buy on another channel.",
    )


class ChannelClosed(Refused):
    """Outside the channel's opening hours."""

    code = "channel_closed"
    says = Text(
        "Kanal ini buka pukul {opens}–{closes} WIB.", "This channel is open {opens}–{closes} WIB."
    )
    next_step = Text(
        "Belum ada yang dibayar. Datang lagi pada jam buka, atau pilih kanal lain di halaman Stok.",
        "Nothing was paid. Come back in opening hours, or choose another channel on the stock page.",
    )


class DepositShort(Refused):
    """Stock from the issuer needs duty that was deposited before (PP 86/2021 art. 10)."""

    code = "deposit_short"
    says = Text(
        "Setoran di muka tidak cukup untuk {units} keping.",
        "The duty deposited ahead does not cover {units} units.",
    )
    next_step = Text(
        "Setor dahulu ke kas negara, catat kode billing dan NTPN, lalu ambil stok.",
        "Deposit with the treasury first, record billing code and NTPN, then take stock.",
    )


class FloorReached(Refused):
    """The giving channel would fall below what is kept for itself."""

    code = "stock_floor_reached"
    says = Text(
        "Stok {channel} tidak boleh turun di bawah {floor} keping.",
        "The stock of {channel} may not fall below {floor} units.",
    )
    next_step = Text(
        "Kurangi jumlahnya, atau ubah batas bawah kanal itu dahulu.",
        "Move fewer, or change that channel's floor first.",
    )


class NotOneFamily(Refused):
    """Stock moves only within one distributor, or to and from the issuer."""

    code = "not_one_family"
    says = Text(
        "Stok hanya pindah di dalam satu distributor.", "Stock moves only within one distributor."
    )
    next_step = Text(
        "Kembalikan ke pusat dahulu; distributor lain mengambilnya dengan setorannya sendiri.",
        "Return it to the issuer first; the other distributor takes it with a deposit of its own.",
    )
