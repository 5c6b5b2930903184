"""Numbered, forward-only SQL files, applied in order under one lock, each in its own transaction."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from meterai.db.connection import Database
from meterai.db.errors import MigrationChanged, SchemaFromTheFuture

_LOCK = 0x6D65746572616931  # one number for "somebody is migrating this database"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder ``migrations``: its number, its name, its text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text: an applied migration never changes."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations that this program knows, in order."""
    found = []
    for file in files("meterai.db").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, name = file.name.removesuffix(".sql").split("-", 1)
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


async def migrate(database: Database) -> list[Migration]:
    """The schema is the one of this program; returns the migrations applied now.

    Raises :class:`SchemaFromTheFuture` and :class:`MigrationChanged`; both change nothing.
    """
    applied_now = []
    async with database.reading() as connection:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        try:
            await connection.execute(
                """create table if not exists migration (
                       number int primary key, name text not null, checksum text not null,
                       applied_at timestamptz not null default now())"""
            )
            applied = {
                row["number"]: row["checksum"]
                for row in await connection.fetch("select number, checksum from migration")
            }
            known = migrations()
            _compare(known, applied)
            for migration in known:
                if migration.number not in applied:
                    async with connection.transaction():
                        await connection.execute(migration.sql)
                        await connection.execute(
                            "insert into migration (number, name, checksum) values ($1, $2, $3)",
                            migration.number,
                            migration.name,
                            migration.checksum,
                        )
                    applied_now.append(migration)
        finally:
            await connection.execute("select pg_advisory_unlock($1)", _LOCK)
    return applied_now


def _compare(known: list[Migration], applied: dict[int, str]) -> None:
    checksums = {migration.number: migration.checksum for migration in known}
    for number, checksum in applied.items():
        if number not in checksums:
            raise SchemaFromTheFuture(number=number)
        if checksums[number] != checksum:
            raise MigrationChanged(number=number)
