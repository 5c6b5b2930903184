import asyncio
from collections.abc import Sequence

import pytest

from meterai.db.batcher import Batcher
from meterai.db.connection import Connection, Database
from meterai.db.errors import TooManyWaiting
from meterai.errors import MeteraiError, Refused


async def make_table(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("create table noted (n int primary key, times int default 1)")


async def note(connection: Connection, numbers: Sequence[int]) -> list[int | MeteraiError]:
    """Writes each number once, however often it is asked."""
    if 13 in numbers:
        raise ValueError("thirteen spoils the batch")
    await connection.execute(
        "insert into noted (n) select unnest($1::int[]) on conflict do nothing", list(numbers)
    )
    return [Refused() if number == 7 else number * 2 for number in numbers]


async def noted(database: Database) -> list[int]:
    async with database.reading() as connection:
        return [row["n"] for row in await connection.fetch("select n from noted order by n")]


async def test_many_callers_share_few_transactions(database: Database) -> None:
    await make_table(database)
    commits = 0

    async def counting(connection: Connection, numbers: Sequence[int]) -> list[int | MeteraiError]:
        nonlocal commits
        commits += 1
        return await note(connection, numbers)

    async with Batcher(database, counting) as batcher:
        answers = await asyncio.gather(*(batcher.submit(n) for n in range(100, 400)))
    assert answers == [n * 2 for n in range(100, 400)]
    assert await noted(database) == list(range(100, 400))
    assert commits < 30


async def test_each_item_gets_its_own_answer_or_error(database: Database) -> None:
    await make_table(database)
    async with Batcher(database, note) as batcher:
        found = await asyncio.gather(
            *(batcher.submit(n) for n in (6, 7, 8)), return_exceptions=True
        )
    assert found[0] == 12
    assert isinstance(found[1], Refused)
    assert found[2] == 16


async def test_one_spoiler_fails_alone(database: Database) -> None:
    await make_table(database)
    async with Batcher(database, note) as batcher:
        found = await asyncio.gather(
            *(batcher.submit(n) for n in range(10, 17)), return_exceptions=True
        )
    assert isinstance(found[3], ValueError)
    assert [f for f in found if not isinstance(f, ValueError)] == [20, 22, 24, 28, 30, 32]
    assert await noted(database) == [10, 11, 12, 14, 15, 16]


async def test_a_full_queue_refuses_at_once_instead_of_growing(database: Database) -> None:
    await make_table(database)
    batcher: Batcher[int, int] = Batcher(database, note, waiting_max=3)
    waiting = [asyncio.ensure_future(batcher.submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        await batcher.submit(99)
    async with batcher:
        assert await asyncio.gather(*waiting) == [0, 2, 4]


async def test_a_connection_cut_at_commit_is_asked_again_and_takes_effect_once(
    database: Database,
) -> None:
    await make_table(database)
    cut = False

    async def cutting(connection: Connection, numbers: Sequence[int]) -> list[int | MeteraiError]:
        nonlocal cut
        answers = await note(connection, numbers)
        if not cut:
            cut = True
            pid = await connection.fetchval("select pg_backend_pid()")
            async with database.reading() as other:
                await other.execute("select pg_terminate_backend($1)", pid)
        return answers

    async with Batcher(database, cutting) as batcher:
        assert await batcher.submit(1) == 2
    assert await noted(database) == [1]


async def test_whatever_was_submitted_is_done_before_it_closes(database: Database) -> None:
    await make_table(database)
    async with Batcher(database, note, largest=2, flushers=1) as batcher:
        tasks = [asyncio.create_task(batcher.submit(n)) for n in range(20, 40)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [n * 2 for n in range(20, 40)]
