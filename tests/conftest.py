"""What all tests share: one embedded PostgreSQL, a fresh database for each test that asks, one running demo."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.migration import migrate
from world.demo import Demo, start_demo, stop_demo

# How long an example takes is no property of the code: the machine may be busy.
hypothesis.settings.register_profile("meterai", deadline=None)
hypothesis.settings.load_profile("meterai")

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL of its own, with a migrated database ``pattern`` to copy from."""
    with tempfile.TemporaryDirectory(prefix="meterai-test-") as folder:
        cluster = Cluster(Path(folder) / "postgres")
        asyncio.run(_prepare(cluster))
        yield cluster
        asyncio.run(cluster.stop())


async def _prepare(cluster: Cluster) -> None:
    await cluster.start()
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute("create database pattern")
    await connection.close()
    database = await Database.connect(cluster.dsn_of("pattern"))
    await migrate(database)
    await database.close()


@pytest.fixture
async def dsn(cluster: Cluster) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute(f"create database {name} template pattern strategy file_copy")
    yield cluster.dsn_of(name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A fresh, migrated database."""
    database = await Database.connect(dsn)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = start_demo(tmp_path_factory.mktemp("demo") / "data")
    yield running
    stop_demo(running)
