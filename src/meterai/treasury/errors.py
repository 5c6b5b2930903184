"""What a deposit or a settlement can meet."""

from meterai.errors import Conflict, Invalid, NotFound, Text


class NoSuchDeposit(NotFound):
    """There is no such deposit, or it is another channel's."""

    code = "no_such_deposit"
    says = Text("Setoran ini tidak ditemukan.", "This deposit was not found.")


class BillingCodeNotUnderstood(Invalid):
    """A billing code has 15 digits."""

    code = "billing_code_not_understood"
    says = Text("Kode billing terdiri atas 15 angka.", "A billing code has 15 digits.")
    next_step = Text(
        "Salin kode dari bukti setor (akun 411611-102).",
        "Copy it from the deposit slip (account 411611-102).",
    )


class NtpnNotUnderstood(Invalid):
    """An NTPN has 16 letters or digits."""

    code = "ntpn_not_understood"
    says = Text("NTPN terdiri atas 16 huruf atau angka.", "An NTPN has 16 letters or digits.")
    next_step = Text(
        "Salin NTPN dari bukti penerimaan negara.", "Copy it from the state's receipt."
    )


class AmountNotWhole(Invalid):
    """A deposit pays for whole units."""

    code = "deposit_not_whole_units"
    says = Text(
        "Setoran harus kelipatan {duty} rupiah.", "A deposit must be a multiple of {duty} rupiah."
    )
    next_step = Text("Periksa jumlahnya.", "Check the amount.")


class DepositKnown(Conflict):
    """The billing code or NTPN was recorded before."""

    code = "deposit_known"
    says = Text(
        "Kode billing atau NTPN ini sudah tercatat.",
        "This billing code or NTPN was recorded before.",
    )
    next_step = Text("Lihat daftar setoran.", "See the list of deposits.")
