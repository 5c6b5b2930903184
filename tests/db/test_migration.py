import asyncpg
import pytest

from meterai.db.connection import Database
from meterai.db.errors import MigrationChanged, SchemaFromTheFuture
from meterai.db.migration import migrate, migrations


def test_each_number_stands_for_one_migration_and_names_say_what_they_are() -> None:
    known = migrations()
    assert len({m.number for m in known}) == len(known)
    assert all(m.name and m.sql.startswith("--") for m in known)


async def test_migrating_twice_applies_nothing_the_second_time(database: Database) -> None:
    assert await migrate(database) == []


async def test_a_newer_database_and_a_changed_migration_are_refused(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into migration (number, name, checksum) values (999, 'later', 'x')"
        )
    with pytest.raises(SchemaFromTheFuture):
        await migrate(database)
    async with database.transaction() as connection:
        await connection.execute("delete from migration where number = 999")
        await connection.execute("update migration set checksum = 'other' where number = 1")
    with pytest.raises(MigrationChanged):
        await migrate(database)


async def test_an_ended_affixing_and_sold_terms_cannot_be_changed(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            """insert into channel (id, name, kind) values ('x1', 'X', 'issuer');
               insert into channel_terms values ('x1', now(), 10000, 0, 1, 1, 1, 1, 1, 1)"""
        )
    with pytest.raises(asyncpg.RestrictViolationError):
        async with database.transaction() as connection:
            await connection.execute("update channel_terms set service_fee = 1")
