"""Why a document cannot be stamped. Each reason has a code, a sentence and a next step, and costs nothing.

The classes below :class:`CannotStamp` are what :func:`~meterai.pdf.inspection.inspect` finds and what
:func:`~meterai.pdf.increment.prepare` raises; ``BY_CODE`` leads from the code back to the class.
"""

from meterai.errors import Broken, Refused, Text


class CannotStamp(Refused):
    """The document cannot be stamped as it is, or not at this place."""

    code = "cannot_stamp"
    says = Text("Dokumen ini tidak dapat dibubuhi.", "This document cannot be stamped.")
    next_step = Text(
        "Kuota tidak terpakai. Cetak ulang ke PDF dari aplikasi asalnya, lalu unggah lagi.",
        "No quota was used. Print it to PDF again from where it was made, and upload it again.",
    )


class NotAPdf(CannotStamp):
    """The file is something else."""

    code = "not_a_pdf"
    says = Text("Berkas ini bukan PDF.", "This file is not a PDF.")
    next_step = Text(
        "Kuota tidak terpakai. Simpan dokumen sebagai PDF, lalu unggah lagi.",
        "No quota was used. Save the document as PDF and upload it again.",
    )


class JunkBeforeHeader(CannotStamp):
    """Other bytes stand before the PDF header, so that offsets and verifiers go astray."""

    code = "junk_before_header"
    says = Text(
        "Ada data asing di depan isi PDF ini, sehingga segelnya tidak akan sah.",
        "Other data stands in front of this PDF, so that a seal on it would not hold.",
    )


class Polyglot(CannotStamp):
    """The file is a PDF and something else at once, or carries a stranger's data behind its end."""

    code = "polyglot"
    says = Text(
        "Di belakang isi PDF ini ada berkas lain.", "Behind this PDF there is another file."
    )


class TooLarge(CannotStamp):
    """The file is larger than the limit."""

    code = "document_too_large"
    says = Text(
        "Ukuran berkas {size_kb} KB; paling besar {limit_kb} KB.",
        "The file has {size_kb} KB; the limit is {limit_kb} KB.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Perkecil hasil pindaian (misalnya 150 dpi), lalu unggah lagi.",
        "No quota was used. Make the scan smaller (150 dpi, for instance) and upload it again.",
    )


class Unreadable(CannotStamp):
    """The structure is damaged; a program that repairs it would change what is sealed."""

    code = "pdf_unreadable"
    says = Text(
        "Susunan PDF ini rusak, sehingga tidak dapat dibubuhi dengan aman.",
        "The structure of this PDF is damaged, so it cannot be stamped safely.",
    )


class RepairNeeded(CannotStamp):
    """It can be stamped only after it is written anew, and nobody said yes to that."""

    code = "repair_needed"
    says = Text(
        "Susunan berkas ini rusak; berkas perlu diperbaiki lebih dulu.",
        "The structure of this file is damaged; it has to be repaired first.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Kirim lagi dengan persetujuan perbaikan (repair=true), atau simpan ulang "
        "sebagai PDF dari aplikasi asalnya.",
        "No quota was used. Send it again with your consent to a repair (repair=true), or save it as PDF "
        "again from where it was made.",
    )


class NoPages(CannotStamp):
    """There is no page to stamp."""

    code = "no_pages"
    says = Text("PDF ini tidak berisi halaman.", "This PDF has no page.")


class PasswordNeeded(CannotStamp):
    """It opens only with a password or a recipient's key, which we never ask for."""

    code = "password_needed"
    says = Text("PDF ini terkunci dengan kata sandi.", "This PDF is locked with a password.")
    next_step = Text(
        "Kuota tidak terpakai. Simpan salinan tanpa kata sandi, lalu unggah salinan itu.",
        "No quota was used. Save a copy without the password and upload that copy.",
    )


class EncryptionNotSupported(CannotStamp):
    """It is encrypted in a way that no increment can be added to."""

    code = "encryption_not_supported"
    says = Text(
        "Jenis enkripsi PDF ini tidak didukung.", "The encryption of this PDF is not supported."
    )
    next_step = PasswordNeeded.next_step


class TooInflated(CannotStamp):
    """A small file unpacks to far more than any honest page needs."""

    code = "document_inflates"
    says = Text(
        "Isi PDF ini mengembang jauh melebihi ukuran wajar.",
        "The content of this PDF unpacks to far more than is reasonable.",
    )


class TooComplex(CannotStamp):
    """More objects, pages or levels than the limits allow."""

    code = "document_too_complex"
    says = Text(
        "Susunan PDF ini terlalu rumit untuk dibuka dengan aman.",
        "The structure of this PDF is too complex to be opened safely.",
    )


class AlreadyStamped(CannotStamp):
    """Our final seal is on it already: any addition would break it."""

    code = "already_stamped"
    says = Text(
        "Dokumen ini sudah bermeterai dan tertutup.", "This document is stamped and closed already."
    )
    next_step = Text(
        "Kuota tidak terpakai. Pakai berkas yang sudah bermeterai itu; membubuhkan lagi akan merusak segelnya.",
        "No quota was used. Use the stamped file as it is; stamping again would break its seal.",
    )


class Certified(CannotStamp):
    """Somebody certified it against changes (DocMDP): a mark would break that signature."""

    code = "certified"
    says = Text(
        "Dokumen ini sudah dikunci (sertifikasi) oleh penanda tangannya.",
        "This document was certified against changes by its signer.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Bubuhkan meterai lebih dulu, baru dokumen disertifikasi.",
        "No quota was used. Stamp the document first and certify it afterwards.",
    )


class SignatureDamaged(CannotStamp):
    """It carries a signature whose own data is broken: nobody should build on that."""

    code = "signature_damaged"
    says = Text(
        "Tanda tangan elektronik {field} di dokumen ini rusak.",
        "The electronic signature {field} in this document is damaged.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Minta berkas aslinya dari penanda tangan.",
        "No quota was used. Ask the signer for the original file.",
    )


class DynamicForm(CannotStamp):
    """A dynamic XFA form: its pages exist only in one vendor's reader."""

    code = "dynamic_form"
    says = Text(
        "PDF ini formulir dinamis (XFA) yang halamannya tidak tetap.",
        "This PDF is a dynamic form (XFA) whose pages are not fixed.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Cetak formulir ke PDF biasa, lalu unggah hasilnya.",
        "No quota was used. Print the form to an ordinary PDF and upload the result.",
    )


class NoRoom(CannotStamp):
    """No page has room for a mark: all are too small, or covered by signatures."""

    code = "no_room_for_mark"
    says = Text(
        "Tidak ada halaman yang cukup lapang untuk meterai.",
        "No page of this document has room for a mark.",
    )


class SharedPage(CannotStamp):
    """The page is shown at several places of the document: a mark on it would be too."""

    code = "shared_page"
    says = Text(
        "Halaman {page} muncul lebih dari sekali di dokumen ini.",
        "Page {page} appears more than once in this document.",
    )
    next_step = Text("Pilih halaman lain.", "Choose another page.")


class NoSuchPage(CannotStamp):
    """The page asked for does not exist."""

    code = "no_such_page"
    says = Text(
        "Halaman {page} tidak ada; dokumen ini {pages} halaman.",
        "There is no page {page}; the document has {pages}.",
    )
    next_step = Text("Pilih halaman lain.", "Choose another page.")


class OutsidePage(CannotStamp):
    """The mark would not stand wholly inside the visible page."""

    code = "outside_page"
    says = Text(
        "Tempat yang dipilih keluar dari halaman {page}.",
        "The chosen place lies outside page {page}.",
    )
    next_step = Text("Geser ke dalam halaman.", "Move it into the page.")


class CoversSignature(CannotStamp):
    """The mark would cover a signature or a field for one."""

    code = "covers_signature"
    says = Text(
        "Tempat yang dipilih menutupi tanda tangan elektronik di halaman {page}.",
        "The chosen place covers an electronic signature on page {page}.",
    )
    next_step = Text("Geser ke tempat yang kosong.", "Move it to an empty place.")


class MarksOverlap(CannotStamp):
    """Two marks, or a mark and a field for a signature, would stand on each other."""

    code = "marks_overlap"
    says = Text(
        "Dua tempat yang dipilih saling menutupi di halaman {page}.",
        "Two of the chosen places overlap on page {page}.",
    )
    next_step = Text("Geser salah satunya.", "Move one of them.")


class OneMarkAtATime(CannotStamp):
    """Only the mark of the seal itself may be added to a signed document."""

    code = "one_mark_at_a_time"
    says = Text(
        "Dokumen yang sudah bertanda tangan hanya dapat dibubuhi satu per satu.",
        "A signed document can only take one mark at a time.",
    )
    next_step = Text(
        "Kuota tidak terpakai. Bubuhkan satu, lalu bubuhkan lagi pada hasilnya.",
        "No quota was used. Stamp it once, then stamp the result.",
    )


class NameTaken(CannotStamp):
    """A form field of this name exists already."""

    code = "field_name_taken"
    says = Text(
        "Nama kolom {name} sudah dipakai di dokumen ini.",
        "The field name {name} is already used in this document.",
    )


class RequestNotUnderstood(CannotStamp):
    """The request contradicts itself or asks for what no mark can be."""

    code = "mark_not_understood"
    says = Text(
        "Permintaan pembubuhan tidak dapat dipahami: {why}.", "The request makes no sense: {why}."
    )


class GapTooSmall(Broken):
    """The seal does not fit into the gap that was left for it."""

    code = "gap_too_small"
    says = Text(
        "Ruang segel {room} bita, segelnya {size}.", "The gap has {room} bytes, the seal {size}."
    )


def _below(root: type[CannotStamp]) -> list[type[CannotStamp]]:
    return [root, *(known for child in root.__subclasses__() for known in _below(child))]


BY_CODE: dict[str, type[CannotStamp]] = {known.code: known for known in _below(CannotStamp)}
"""Every reason by its code."""
