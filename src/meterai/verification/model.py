"""Verdicts, their reasons, and the decision between them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meterai.errors import Text
from meterai.serial.model import Serial, SerialState


class Verdict(Enum):
    """What a file is; this list and no other."""

    GENUINE = "genuine"
    """The seal is whole and ours, and the registry knows this very file."""
    GENUINE_OFFLINE = "genuine_offline"
    """The seal is whole and ours; the registry was not asked."""
    ALTERED = "altered"
    """A true stamp, but the file was changed after it."""
    REUSED = "reused"
    """The serial belongs to another document."""
    VOID = "void"
    """The serial never counted or was taken back."""
    NOT_A_STAMP = "not_a_stamp"
    """No seal of a recognised issuer; a picture alone is none."""
    NEEDS_REVIEW = "needs_review"
    """The machine may not decide this: a person must look."""
    UNREADABLE = "unreadable"
    """This is no PDF that can be read."""


class ReasonCode(Enum):
    """Why the verdict is what it is; stable."""

    REGISTERED = "registered"
    REGISTRY_NOT_ASKED = "registry_not_asked"
    CHANGED_AFTER_SEAL = "changed_after_seal"
    CONTENT_DAMAGED = "content_damaged"
    OTHER_DOCUMENT = "other_document"
    SERIAL_VOID = "serial_void"
    SERIAL_UNKNOWN = "serial_unknown"
    SERIAL_NOT_SETTLED = "serial_not_settled"
    NO_SEAL = "no_seal"
    FOREIGN_SIGNER = "foreign_signer"
    SIGNER_REVOKED = "signer_revoked"
    TIME_STAMP_MISSING = "time_stamp_missing"
    UNUSUAL_STRUCTURE = "unusual_structure"
    ENGINES_DISAGREE = "engines_disagree"
    NOT_A_PDF = "not_a_pdf"
    LOCKED = "locked"


WORDS: dict[Verdict, Text] = {
    Verdict.GENUINE: Text("Asli", "Genuine"),
    Verdict.GENUINE_OFFLINE: Text("Asli — cek daring", "Genuine — check online"),
    Verdict.ALTERED: Text("Diubah setelah dibubuhkan", "Altered after stamping"),
    Verdict.REUSED: Text("Dipakai ulang", "Reused"),
    Verdict.VOID: Text("Tidak berlaku", "Void"),
    Verdict.NOT_A_STAMP: Text("Bukan meterai", "Not a stamp"),
    Verdict.NEEDS_REVIEW: Text("Perlu diperiksa orang", "Needs a person"),
    Verdict.UNREADABLE: Text("Tidak terbaca", "Unreadable"),
}
"""Each verdict in a word or two."""

SENTENCES: dict[ReasonCode, Text] = {
    ReasonCode.REGISTERED: Text(
        "Segel utuh, dan berkas ini persis yang tercatat saat dibubuhi.",
        "The seal is whole, and this file is exactly the one that was registered.",
    ),
    ReasonCode.REGISTRY_NOT_ASKED: Text(
        "Segel utuh, tetapi daftar nomor seri belum ditanya: pembatalan dan pemakaian ulang belum diketahui.",
        "The seal is whole, but the registry was not asked: cancellation and reuse are unknown.",
    ),
    ReasonCode.CHANGED_AFTER_SEAL: Text(
        "Berkas diubah setelah dibubuhi (dikompres, dicetak ulang, atau ditambah). Minta berkas aslinya.",
        "The file was changed after stamping (compressed, printed again, or added to). Ask for the original.",
    ),
    ReasonCode.CONTENT_DAMAGED: Text(
        "Isi yang disegel tidak lagi sama dengan saat disegel.",
        "The sealed content is no longer what was sealed.",
    ),
    ReasonCode.OTHER_DOCUMENT: Text(
        "Nomor seri ini milik dokumen lain.", "This serial belongs to another document."
    ),
    ReasonCode.SERIAL_VOID: Text(
        "Nomor seri ini dibatalkan; kuotanya sudah dikembalikan.",
        "This serial was voided; its unit was given back.",
    ),
    ReasonCode.SERIAL_UNKNOWN: Text(
        "Nomor seri ini tidak pernah dikeluarkan di sini.", "This serial was never issued here."
    ),
    ReasonCode.SERIAL_NOT_SETTLED: Text(
        "Nomor seri ini sudah dipesan, tetapi belum pernah dibubuhkan secara sah.",
        "This serial is promised to a document but was never affixed.",
    ),
    ReasonCode.NO_SEAL: Text(
        "Tidak ada segel elektronik. Gambar meterai tanpa segel tidak sah.",
        "There is no electronic seal. A picture of a stamp without a seal does not count.",
    ),
    ReasonCode.FOREIGN_SIGNER: Text(
        "Ada tanda tangan, tetapi bukan dari penerbit meterai yang dikenal.",
        "There is a signature, but not of a recognised issuer.",
    ),
    ReasonCode.SIGNER_REVOKED: Text(
        "Sertifikat penyegel sudah dicabut.", "The sealing certificate has been revoked."
    ),
    ReasonCode.TIME_STAMP_MISSING: Text(
        "Segel tidak membawa cap waktu yang sah.", "The seal carries no valid time stamp."
    ),
    ReasonCode.UNUSUAL_STRUCTURE: Text(
        "Susunan berkas tidak biasa; mesin tidak boleh memutuskan.",
        "The structure of the file is unusual; the machine may not decide.",
    ),
    ReasonCode.ENGINES_DISAGREE: Text(
        "Dua pemeriksa tidak sependapat.", "Two independent checks disagree."
    ),
    ReasonCode.NOT_A_PDF: Text("Berkas ini bukan PDF yang utuh.", "This is not a whole PDF file."),
    ReasonCode.LOCKED: Text(
        "Berkas terkunci kata sandi, jadi tidak bisa diperiksa.",
        "The file is locked by a password and cannot be checked.",
    ),
}
"""Each reason in one sentence."""


@dataclass(frozen=True, slots=True)
class TrueFile:
    """What may be told of the document that a reused serial really belongs to; never anything personal."""

    affixed_at: datetime
    pages: int


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one file."""

    verdict: Verdict
    reason: ReasonCode
    serials: tuple[str, ...]
    sha256: bytes
    """Of the whole file that was shown."""
    sealed_at: datetime | None = None
    signer: str | None = None
    true_file: TrueFile | None = None
    last_good_revision: int | None = None
    """Length of the beginning of the file that is still as sealed."""
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry says of a serial against a seal: a verdict and its reason."""

    verdict: Verdict
    reason: ReasonCode
    true_file: TrueFile | None = None


def against_registry(serial: Serial | None, signed_sha256: bytes) -> Registered:
    """What the registry makes of a whole seal of ours over ``signed_sha256``."""
    if serial is None:
        return Registered(Verdict.NEEDS_REVIEW, ReasonCode.SERIAL_UNKNOWN)
    if serial.state is SerialState.VOID:
        return Registered(Verdict.VOID, ReasonCode.SERIAL_VOID)
    if serial.state is not SerialState.AFFIXED:
        return Registered(Verdict.VOID, ReasonCode.SERIAL_NOT_SETTLED)
    if serial.signed_sha256 != signed_sha256:
        assert serial.affixed_at is not None
        return Registered(
            Verdict.REUSED,
            ReasonCode.OTHER_DOCUMENT,
            TrueFile(serial.affixed_at, serial.pages or 0),
        )
    return Registered(Verdict.GENUINE, ReasonCode.REGISTERED)
