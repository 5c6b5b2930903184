"""Why the books decline a transfer, for callers who must not go on."""

from meterai.errors import Broken, Busy, Conflict, Refused, Text


class NotEnough(Refused):
    """The account does not hold as much as the transfer would take."""

    code = "not_enough"
    says = Text("Saldonya tidak cukup.", "The balance is not sufficient.")
    next_step = Text(
        "Tidak ada yang terpakai. Tambah dahulu, lalu coba lagi.",
        "Nothing was used. Top up first, then try again.",
    )


class AlreadyEnded(Conflict):
    """The pending transfer was ended before, in another way."""

    code = "already_ended"
    says = Text("Penahanan ini sudah diselesaikan ({how}).", "This hold has already ended ({how}).")


class OtherFields(Conflict):
    """The same id was used before for a different transfer."""

    code = "id_used_for_other_transfer"
    says = Text(
        "Nomor permintaan ini sudah dipakai untuk hal lain.",
        "This request id was already used for something else.",
    )
    next_step = Text("Buat permintaan baru dengan nomor baru.", "Make a new request with a new id.")


class BooksDisagree(Broken):
    """A transfer that cannot be declined by its nature was declined: the caller has a defect."""

    code = "books_disagree"
    says = Text("Pembukuan menolak catatan ini.", "The books declined this entry.")


class SameIdTwice(Busy):
    """Two batches brought the same new id at the same instant; asking again finds it written."""

    code = "same_id_at_once"
