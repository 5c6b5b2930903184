"""What can go wrong with keys, seals, time stamps and signed statements."""

from meterai.errors import Broken, Busy, Invalid, Text

_RETRY = Text(
    "Tidak ada yang hilang; sistem mencoba lagi sendiri.",
    "Nothing is lost; the system tries again by itself.",
)


class SignerUnavailable(Busy):
    """The key that seals does not answer: device gone, session lost, PIN locked."""

    code = "signer_unavailable"
    says = Text("Kunci penyegel sedang tidak menjawab.", "The sealing key does not answer now.")
    next_step = _RETRY


class TimeStampUnavailable(Busy):
    """No time-stamp authority gave an acceptable token. A seal without one is never made instead."""

    code = "time_stamp_unavailable"
    says = Text(
        "Layanan cap waktu sedang tidak menjawab.", "The time-stamp service does not answer now."
    )
    next_step = _RETRY


class KeyNotUsable(Broken):
    """A key or its certificate is not one that this platform seals with."""

    code = "key_not_usable"
    says = Text("Kunci penyegel tidak dapat dipakai: {why}.", "The sealing key is unusable: {why}.")
    next_step = Text("Periksa kunci dan sertifikatnya.", "Check the key and its certificate.")


class SealTooLarge(Broken):
    """The finished seal is larger than the gap that was left for it."""

    code = "seal_too_large"
    says = Text(
        "Segel lebih besar daripada ruangnya ({size} > {room} bita).",
        "The seal is larger than its room ({size} > {room} bytes).",
    )


class StatementNotGenuine(Invalid):
    """A signed statement was changed, was not signed by us, or is no statement at all."""

    code = "statement_not_genuine"
    says = Text("Surat keterangan ini tidak asli: {why}.", "This statement is not genuine: {why}.")
    next_step = Text(
        "Minta berkas aslinya dari pemberi surat.", "Ask whoever gave it for the original file."
    )


class TrustNotReadable(Broken):
    """The folder that says whose seals are recognised is missing or damaged."""

    code = "trust_not_readable"
    says = Text(
        "Daftar sertifikat tepercaya tidak terbaca: {why}.",
        "The trust folder is unreadable: {why}.",
    )
    next_step = Text("Pulihkan folder itu.", "Restore that folder.")
