"""What a package can fail at."""

from meterai.errors import Invalid, Text


class NotAPackage(Invalid):
    """The file is no auditor's package, or is cut off."""

    code = "not_an_audit_package"
    says = Text("Berkas ini bukan paket audit yang utuh.", "This file is no whole audit package.")
    next_step = Text(
        "Unduh ulang paketnya dari halaman Auditor.",
        "Download the package from the Auditor page again.",
    )
