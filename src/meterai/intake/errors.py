"""What a stranger's file can do to its opener."""

from meterai.errors import Busy, Refused, Text


class TooHeavy(Refused):
    """Opening the file took more time or memory than any honest document needs."""

    code = "document_too_heavy"
    says = Text(
        "Berkas ini terlalu berat untuk dibuka dengan aman.",
        "This file is too heavy to be opened safely.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Cetak ulang ke PDF dari aplikasi asalnya, lalu unggah lagi.",
        "No quota was used. Print it to PDF again from where it was made, and upload it again.",
    )


class IntakeUnavailable(Busy):
    """The intake does not answer now."""

    code = "intake_unavailable"
    says = Text("Pemeriksa berkas sedang tidak menjawab.", "The file checker does not answer now.")
    next_step = Text(
        "Kuota tidak terpakai. Unggah lagi sebentar lagi.",
        "No quota was used. Upload it again in a moment.",
    )
