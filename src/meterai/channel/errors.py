"""What a channel declines."""

from meterai.errors import Busy, Conflict, NotFound, Refused, Text


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


class NoSuchEvent(NotFound):
    """No event has this code, or its rules are not out yet."""

    code = "no_such_event"
    says = Text("Acara ini tidak dikenal.", "This event is not known.")


class NoSuchVoucher(NotFound):
    """No voucher has this code."""

    code = "no_such_voucher"
    says = Text("Kode voucher ini tidak dikenal.", "This voucher code is not known.")
    next_step = Text(
        "Periksa kesepuluh tandanya; huruf O dan I tidak pernah dipakai.",
        "Check its ten signs; the letters O and I are never used.",
    )


class VoucherOver(Conflict):
    """It was redeemed or revoked already."""

    code = "voucher_over"
    says = Text(
        "Voucher ini sudah dipakai atau dibatalkan.", "This voucher was used or revoked already."
    )
    next_step = Text(
        "Tanyakan kepada pemberi atau loket yang menjualnya.",
        "Ask whoever gave it, or the counter that sold it.",
    )


class TooManyMisses(Busy):
    """Too many wrong codes in an hour."""

    code = "too_many_voucher_tries"
    says = Text("Terlalu banyak kode yang salah.", "Too many wrong codes.")
    next_step = Text(
        "Voucher Anda tetap berlaku. Coba lagi satu jam lagi, atau tanyakan ke loket.",
        "Your voucher stays valid. Try again in an hour, or ask the counter.",
    )
