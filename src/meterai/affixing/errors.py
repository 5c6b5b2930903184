"""What an affixing declines before anything is used."""

from meterai.errors import Conflict, NotFound, Refused, Text


class NoSuchDocument(NotFound):
    """There is no such document, or not behind this link."""

    code = "no_such_document"
    says = Text("Dokumen ini tidak ditemukan.", "This document was not found.")
    next_step = Text(
        "Periksa tautannya. Tautan berlaku selama dokumen disimpan.",
        "Check the link. It works as long as the document is kept.",
    )


class DocumentDeleted(NotFound):
    """The document was deleted, at its day or on wish."""

    code = "document_deleted"
    says = Text("Dokumen ini sudah dihapus.", "This document has been deleted.")
    next_step = Text(
        "Bukti dan riwayat tetap ada. Unggah lagi berkasnya bila perlu.",
        "Receipts and history remain. Upload the file again if you need to.",
    )


class NoPlaceYet(Refused):
    """Nobody has said yet where the mark shall stand."""

    code = "no_place_yet"
    says = Text("Letak meterai belum dipilih.", "The place of the stamp has not been chosen.")
    next_step = Text("Pilih letaknya dahulu.", "Choose the place first.")


class PageMissing(Refused):
    """The document has no such page."""

    code = "page_missing"
    says = Text("Dokumen ini hanya punya {pages} halaman.", "This document has only {pages} pages.")
    next_step = Text("Pilih halaman lain.", "Choose another page.")


class QuotaShort(Refused):
    """The party has fewer available units than that."""

    code = "quota_short"
    says = Text("Kuota tidak cukup.", "There is not enough quota.")
    next_step = Text(
        "Beli kuota dahulu; dokumen Anda tetap tersimpan.",
        "Buy quota first; your document is kept.",
    )


class AlreadyUnderWay(Conflict):
    """This document is being affixed right now."""

    code = "already_under_way"
    says = Text("Dokumen ini sedang dibubuhi.", "This document is being affixed.")
    next_step = Text("Tunggu sampai selesai.", "Wait until it is done.")


class StampedBefore(Conflict):
    """The same document already carries a live stamp of the same owner; a repeat must be asked for."""

    code = "stamped_before"
    says = Text(
        "Dokumen yang sama sudah pernah Anda bubuhi.", "You have already stamped this document."
    )
    next_step = Text(
        "Unduh lagi yang sudah ada, atau tegaskan bila memang perlu satu lagi.",
        "Download the existing one again, or confirm that you really need another.",
    )


class TooLateToCancel(Conflict):
    """Processing has begun or ended."""

    code = "too_late_to_cancel"
    says = Text("Pembubuhan sudah diproses.", "Processing has already begun.")
    next_step = Text(
        "Tunggu hasilnya; bila gagal, kuota kembali dengan sendirinya.",
        "Wait for the result; if it fails, the quota comes back by itself.",
    )


class SameKeyOtherRequest(Conflict):
    """The same Idempotency-Key came with another document or place."""

    code = "idempotency_key_reused"
    says = Text(
        "Idempotency-Key ini sudah dipakai untuk permintaan lain.",
        "This Idempotency-Key was used for another request.",
    )
    next_step = Text("Pakai kunci baru.", "Use a new key.")


class NotAffixed(Refused):
    """Only a settled affixing has a file to hand out."""

    code = "not_affixed"
    says = Text("Berkas bermeterai belum ada.", "There is no stamped file yet.")
    next_step = Text("Lihat statusnya dahulu.", "Look at its status first.")


class NothingRestored(NotFound):
    """This affixing gave no units back, so there is no certificate."""

    code = "nothing_restored"
    says = Text(
        "Tidak ada kuota yang kembali dari pembubuhan ini.",
        "No quota came back from this affixing.",
    )


class NoSuchUpload(NotFound):
    """There is no such upload, or it is over."""

    code = "no_such_upload"
    says = Text("Unggahan ini tidak ditemukan.", "This upload was not found.")
    next_step = Text("Pilih berkasnya lagi.", "Choose the file again.")


class PieceOutOfPlace(Conflict):
    """Bytes before this piece are missing, or it goes beyond the end."""

    code = "piece_out_of_place"
    says = Text(
        "Potongan berkas tidak pada tempatnya; lanjutkan dari byte {expected}.",
        "This piece is out of place; go on from byte {expected}.",
    )
    next_step = Text("Lanjutkan unggahan dari situ.", "Resume the upload from there.")


class BreaksSignatures(Refused):
    """A signature that was in the document before would no longer hold with the stamp."""

    code = "breaks_signatures"
    says = Text(
        "Meterai akan merusak tanda tangan elektronik yang sudah ada di dokumen ini.",
        "The stamp would break an electronic signature that is already in this document.",
    )
    next_step = Text(
        "Kuota kembali. Bubuhi meterai lebih dahulu, baru tanda tangani secara elektronik.",
        "The quota came back. Affix the stamp first, then sign electronically.",
    )
