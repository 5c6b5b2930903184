"""What an inspection can notice: findings, by stable codes, with the sentence that each is told in.

A finding that refuses has the code of its class in :mod:`meterai.pdf.errors`; a note is one of :class:`Note`.
"""

from dataclasses import dataclass, field
from enum import Enum

from meterai.errors import Text
from meterai.pdf.errors import BY_CODE, CannotStamp


class Note(Enum):
    """What the person should know although the document can be stamped."""

    SEVERAL_REVISIONS = "several_revisions"
    """The file keeps what was in it before it was changed."""
    ALREADY_SIGNED = "already_signed"
    """Others signed it: the seal is added as an approval, and their signatures stay."""
    SIGNATURE_FIELDS = "signature_fields"
    """There are empty fields for signatures, which the mark must not cover."""
    JAVASCRIPT = "javascript"
    """It carries scripts; they are neither run nor removed."""
    LAUNCH = "launch"
    """It can ask a reader to start a program."""
    EMBEDDED_FILES = "embedded_files"
    """Other files are attached; the seal covers them too."""
    EMPTY_PASSWORD = "empty_password"  # noqa: S105 - no secret, the name of a finding
    """It is encrypted, but opens without a password; it stays so."""
    LARGE_PAGE = "large_page"
    """A page is larger than A3."""
    STATIC_FORM = "static_form"
    """It is a form of an old kind (static XFA)."""
    TRAILING_BYTES = "trailing_bytes"
    """A few bytes follow the end of the document."""
    READ_WITH_CARE = "read_with_care"
    """Its structure has small faults that readers forgive."""
    PDFA = "pdfa"
    """It claims to be an archival document."""
    REPAIRED = "repaired"
    """Its structure was broken; it is written anew first, and that is what is stamped."""


NOTES: dict[Note, Text] = {
    Note.SEVERAL_REVISIONS: Text(
        "Berkas ini menyimpan versi sebelumnya; isi lama masih dapat dibaca orang.",
        "This file keeps earlier versions; old content can still be read.",
    ),
    Note.ALREADY_SIGNED: Text(
        "Dokumen ini sudah bertanda tangan elektronik; tanda tangan itu dijaga.",
        "This document is electronically signed; those signatures are kept intact.",
    ),
    Note.SIGNATURE_FIELDS: Text(
        "Ada kolom tanda tangan kosong; meterai tidak akan menutupinya.",
        "There are empty signature fields; the mark will not cover them.",
    ),
    Note.JAVASCRIPT: Text("Berkas ini berisi skrip.", "This file contains scripts."),
    Note.LAUNCH: Text(
        "Berkas ini dapat meminta pembaca PDF menjalankan program.",
        "This file can ask a reader to start a program.",
    ),
    Note.EMBEDDED_FILES: Text(
        "Ada berkas lampiran di dalamnya; lampiran ikut tersegel.",
        "Files are attached to it; the seal covers them too.",
    ),
    Note.EMPTY_PASSWORD: Text(
        "Berkas ini dienkripsi tanpa kata sandi dan akan tetap begitu.",
        "This file is encrypted without a password and will stay so.",
    ),
    Note.LARGE_PAGE: Text("Ada halaman yang lebih besar daripada A3.", "A page is larger than A3."),
    Note.STATIC_FORM: Text(
        "Berkas ini formulir jenis lama (XFA).", "This file is a form of an old kind (XFA)."
    ),
    Note.TRAILING_BYTES: Text(
        "Ada sisa data di belakang akhir dokumen.", "Some data follows the end of the document."
    ),
    Note.READ_WITH_CARE: Text(
        "Susunan berkas sedikit menyimpang dari standar, tetapi terbaca.",
        "The structure deviates a little from the standard, but it is readable.",
    ),
    Note.REPAIRED: Text(
        "Susunan berkas ini rusak: berkas diperbaiki lebih dulu, baru dibubuhi. Tampilannya tetap sama; "
        "periksa pratinjaunya sebelum membayar.",
        "The structure of this file is damaged: the file is repaired first, then stamped. It looks the same; "
        "check the preview before paying.",
    ),
    Note.PDFA: Text(
        "Berkas ini dokumen arsip (PDF/A).", "This file claims to be archival (PDF/A)."
    ),
}
"""Each note in one sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed."""

    code: str
    refuses: bool
    facts: dict[str, str | int] = field(default_factory=dict)


def note(kind: Note) -> Finding:
    """A finding that does not refuse."""
    return Finding(kind.value, refuses=False)


def refusal(error: CannotStamp) -> Finding:
    """The finding of an error."""
    return Finding(error.code, refuses=True, facts=error.facts)


def error_of(finding: Finding) -> CannotStamp:
    """The error of a finding that refuses."""
    return BY_CODE[finding.code](**finding.facts)


def sentence_of(finding: Finding, language: str = "id") -> str:
    """What was noticed, in one sentence."""
    if finding.refuses:
        return error_of(finding).sentence(language)
    said = NOTES[Note(finding.code)]
    return said.en if language == "en" else said.id
