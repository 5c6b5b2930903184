"""What can go wrong with kept files."""

from meterai.errors import Broken, Busy, NotFound, Text


class ObjectMissing(NotFound):
    """There is no object of this name."""

    code = "object_missing"
    says = Text("Berkas ini tidak ada lagi.", "This file is no longer there.")
    next_step = Text("Unggah lagi bila perlu.", "Upload it again if you need to.")


class StoreUnavailable(Busy):
    """The file could not be written or read now (full, away); nothing half is left behind."""

    code = "store_unavailable"
    says = Text(
        "Penyimpanan berkas sedang tidak menerima.", "The file store does not accept files now."
    )
    next_step = Text(
        "Tidak ada kuota yang terpakai. Coba lagi sebentar lagi.",
        "No quota was used. Try again in a moment.",
    )


class ObjectDamaged(Broken):
    """What was read is not what was written."""

    code = "object_damaged"
    says = Text("Berkas tersimpan rusak.", "The stored file is damaged.")
