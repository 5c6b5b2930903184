"""Every reason a verdict can have, in one sentence. Pure.

The first part are the registry's own; the rest are those of cryptography, by the same codes as in
:class:`meterai.signing.report.Reason` (a test holds the two lists together).
"""

from meterai.errors import Text

SENTENCES: dict[str, Text] = {
    "registered": Text(
        "Segel utuh, dan berkas ini persis yang tercatat saat dibubuhi.",
        "The seal is whole, and this file is exactly the one that was registered.",
    ),
    "registry_not_asked": Text(
        "Segel utuh, tetapi daftar nomor seri belum ditanya: pembatalan dan pemakaian ulang belum diketahui.",
        "The seal is whole, but the registry was not asked: cancellation and reuse are unknown.",
    ),
    "registered_in_snapshot": Text(
        "Segel utuh, dan berkas ini tercatat di salinan daftar; pembatalan sesudahnya belum diketahui.",
        "The seal is whole, and the copy of the registry knows this file; later cancellation is unknown.",
    ),
    "newer_than_snapshot": Text(
        "Segel utuh, tetapi dibubuhkan sesudah salinan daftar dibuat; periksa lagi secara daring.",
        "The seal is whole, but it is newer than the copy of the registry; check again online.",
    ),
    "other_document": Text(
        "Nomor seri ini milik dokumen lain.", "This serial belongs to another document."
    ),
    "serial_void": Text(
        "Nomor seri ini dibatalkan; kuotanya sudah dikembalikan.",
        "This serial was voided; its unit was given back.",
    ),
    "serial_unknown": Text(
        "Nomor seri ini tidak pernah dikeluarkan di sini.", "This serial was never issued here."
    ),
    "serial_not_settled": Text(
        "Nomor seri ini sudah dipesan, tetapi belum pernah dibubuhkan secara sah.",
        "This serial is promised to a document but was never affixed.",
    ),
    "serial_twice_in_batch": Text(
        "Nomor seri ini ada di dua dokumen berbeda dalam kumpulan ini; hanya satu yang bisa asli.",
        "This serial stands in two different documents of this batch; only one can be genuine.",
    ),
    "file_error": Text(
        "Berkas tidak bisa dibaca dari disk.", "The file could not be read from disk."
    ),
    "document_too_heavy": Text(
        "Berkas ini terlalu berat untuk dibuka dengan aman.",
        "This file is too heavy to be opened safely.",
    ),
    "not_a_pdf": Text("Berkas ini bukan PDF.", "This is not a PDF file."),
    "junk_before_header": Text(
        "Ada data lain di depan dokumen ini.", "Other data stands before the document."
    ),
    "locked": Text(
        "Berkas terkunci kata sandi, jadi tidak bisa diperiksa.",
        "The file is locked by a password and cannot be checked.",
    ),
    "structure_damaged": Text("Susunan berkas rusak.", "The structure of the file is damaged."),
    "no_seal": Text(
        "Tidak ada segel elektronik. Gambar meterai tanpa segel tidak sah.",
        "There is no electronic seal. A picture of a stamp without a seal does not count.",
    ),
    "foreign_signer": Text(
        "Ada tanda tangan, tetapi bukan dari penerbit meterai yang dikenal.",
        "There is a signature, but not of a recognised issuer.",
    ),
    "seal_damaged": Text("Data segelnya rusak.", "The seal's own data is damaged."),
    "range_wrong": Text(
        "Segelnya tidak mencakup seluruh berkas.", "The seal does not cover the whole file."
    ),
    "changed_after_seal": Text(
        "Berkas diubah setelah dibubuhi (dikompres, dicetak ulang, atau ditambah). Minta berkas aslinya.",
        "The file was changed after stamping (compressed, printed again, or added to). Ask for the original.",
    ),
    "content_damaged": Text(
        "Isi yang disegel tidak lagi sama dengan saat disegel. Minta berkas aslinya.",
        "The sealed content is no longer what was sealed. Ask for the original file.",
    ),
    "signature_wrong": Text(
        "Tanda tangan segelnya tidak cocok dengan kuncinya.",
        "The seal's signature does not fit its key.",
    ),
    "certificate_expired": Text(
        "Sertifikat penyegel sudah habis masanya saat disegel.",
        "The sealing certificate had run out when it was used.",
    ),
    "chain_broken": Text(
        "Sertifikat penyegel tidak bersambung ke penerbit yang dikenal.",
        "The sealing certificate does not lead to a recognised issuer.",
    ),
    "signer_revoked": Text(
        "Sertifikat penyegel sudah dicabut.", "The sealing certificate has been revoked."
    ),
    "revocation_unknown": Text(
        "Belum bisa dipastikan apakah sertifikat penyegel dicabut.",
        "Whether the sealing certificate was revoked could not be established.",
    ),
    "time_stamp_missing": Text("Segel tidak membawa cap waktu.", "The seal carries no time stamp."),
    "time_stamp_wrong": Text(
        "Cap waktu pada segel tidak sah.", "The seal's time stamp does not hold."
    ),
    "time_stamp_expired": Text(
        "Sertifikat cap waktunya sudah habis masa; perlu bukti arsip.",
        "The time-stamp certificate has run out; archive evidence is needed.",
    ),
    "permissions_wrong": Text(
        "Janji segel tentang perubahan selanjutnya tidak sah.",
        "What the seal promises about later changes is not valid.",
    ),
    "serials_wrong": Text(
        "Nomor seri di dalam segel saling bertentangan.",
        "The serials in the seal contradict each other.",
    ),
    "evidence_appended": Text(
        "Hanya bukti arsip yang ditambahkan setelah disegel; perlu diperiksa orang.",
        "Only archive evidence was added after sealing; a person should look.",
    ),
    "other_signatures": Text(
        "Ada tanda tangan lain di tempat yang tidak disediakan.",
        "There are other signatures where none are expected.",
    ),
    "other_signer_unknown": Text(
        "Ada penanda tangan lain yang tidak dikenal setelah segel.",
        "Somebody unknown signed after the seal.",
    ),
    "engines_disagree": Text("Dua pemeriksa tidak sependapat.", "Two independent checks disagree."),
    "unusual_structure": Text(
        "Susunan berkas tidak biasa; mesin tidak boleh memutuskan.",
        "The structure of the file is unusual; the machine may not decide.",
    ),
}
"""Each reason in one sentence, by its stable code."""

CHECKS: dict[str, Text] = {
    "header": Text("awal berkas", "beginning of the file"),
    "structure": Text("susunan berkas", "structure of the file"),
    "range": Text("cakupan segel: seluruh berkas", "the seal covers the whole file"),
    "signer": Text("penyegel dikenal", "the signer is recognised"),
    "signature": Text("tanda tangan cocok dengan kuncinya", "the signature fits its key"),
    "content": Text("isi sama dengan saat disegel", "the content is as it was sealed"),
    "unchanged": Text("tidak ada yang ditambahkan sesudahnya", "nothing was added afterwards"),
    "permissions": Text("janji tentang perubahan", "promise about later changes"),
    "serials": Text("nomor seri di dalam segel", "serials in the seal"),
    "time_stamp": Text("cap waktu", "time stamp"),
    "chain": Text("rantai sertifikat", "chain of certificates"),
    "revocation": Text("pencabutan sertifikat", "revocation of certificates"),
    "second_opinion": Text("pemeriksa kedua", "second, independent check"),
    "other_signers": Text("penanda tangan lain", "other signers"),
    "registry": Text("daftar nomor seri", "registry of serials"),
}
"""What is looked at, in a few words, by the same codes as in the report."""

CHANGES: dict[str, Text] = {
    "resaved": Text(
        "Berkas disimpan ulang oleh program lain (misalnya dikompres, digabung, atau dicetak ke PDF). "
        "Keadaan saat disegel tidak ada lagi di dalamnya.",
        "The file was saved anew by another program (compressed, joined, or printed to PDF). "
        "What was sealed is no longer in it.",
    ),
    "overlaid": Text(
        "Sesudah disegel ada yang ditambahkan dan mengubah tampilan halaman.",
        "After sealing something was added that changes what the pages show.",
    ),
    "appended": Text(
        "Sesudah disegel ada data yang ditambahkan di belakang; tampilan halaman tidak memakainya.",
        "After sealing data was added behind; the pages do not show it.",
    ),
    "content": Text(
        "Isi bagian yang disegel sendiri berubah.", "Bytes inside the sealed part itself differ."
    ),
    "seal": Text("Data segelnya sendiri rusak.", "The seal's own data is damaged."),
}
"""How an altered file was changed, by the same codes as in :class:`meterai.signing.report.Change`."""
