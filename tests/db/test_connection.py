import pytest

from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable


@pytest.mark.parametrize("state", ["53100", "53200", "53300", "58030"])
async def test_a_server_without_room_is_a_typed_failure_and_the_next_request_goes_through(
    database: Database, state: str
) -> None:
    async def write_half() -> None:
        async with database.transaction() as connection:
            await connection.execute("create table half (n int)")
            await connection.execute(
                f"do $$ begin raise exception 'no room' using errcode = '{state}'; end $$"
            )

    with pytest.raises(DatabaseUnavailable):
        await write_half()
    async with database.reading() as connection:
        assert await connection.fetchval("select to_regclass('half')") is None


async def test_what_somebody_left_open_is_undone_before_the_next_one_gets_the_connection(
    dsn: str,
) -> None:
    database = await Database.connect(dsn, size_max=1)
    async with database.reading() as connection:
        await connection.execute("begin")
        await connection.execute("set local work_mem = '1MB'")
        await connection.execute("create table half (n int)")
    async with database.reading() as connection:
        assert await connection.fetchval("select to_regclass('half')") is None
        assert await connection.fetchval("show work_mem") != "1MB"
    await database.close()
