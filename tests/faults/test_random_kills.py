"""Workers killed at random, the database cut down in between; afterwards every unit is accounted for."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meterai.affixing.model import AffixingState
from meterai.clock import monotonic
from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable
from meterai.db.migration import migrate
from world.installation import Installation, Worker, an_installation

pytestmark = pytest.mark.faults

SECONDS = float(os.environ.get("METERAI_FAULT_SECONDS", "20"))  # noqa: TID251 - how long is said by whoever runs it


@pytest.fixture
async def own_cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A PostgreSQL of its own, because it will be cut down."""
    cluster = Cluster(tmp_path / "postgres")
    await cluster.start()
    database = await Database.connect(cluster.dsn)
    await migrate(database)
    await database.close()
    yield cluster
    await cluster.stop()


@pytest.fixture
async def here(tmp_path: Path, own_cluster: Cluster) -> AsyncIterator[Installation]:
    dsn = own_cluster.dsn
    async with an_installation(
        tmp_path / "data", dsn, units=2000, deadline_seconds=8, attempts_max=20
    ) as installation:
        yield installation


@pytest.mark.timeout(240)
async def test_no_unit_is_lost_however_often_workers_and_database_die(
    here: Installation, own_cluster: Cluster
) -> None:
    seed = random.randrange(2**32)
    print(f"start value {seed}")
    chance = random.Random(seed)
    workers = [here.start_worker() for _ in range(2)]
    reserved, kills, cuts = [], 0, 0
    stop = monotonic() + SECONDS
    while monotonic() < stop:
        try:
            reserved += [a.id for a in await here.reserve(chance.randint(1, 6))]
            await here.restore_due()
        except DatabaseUnavailable:
            continue
        await asyncio.sleep(chance.random() * 0.6)
        if chance.random() < 0.12:
            await own_cluster.stop(how="immediate")
            await own_cluster.start()
            cuts += 1
        else:
            position = chance.randrange(len(workers))
            workers[position] = await kill_and_replace(here, workers[position])
            kills += 1
    ended = await here.until_final(reserved, patience_s=90)
    print(f"{len(ended)} affixings, {kills} workers killed, database cut down {cuts} times")
    report = await here.audit()
    assert report.discrepancies == [], f"start value {seed}"
    assert report.counted["under_way"] == 0
    states = {state: sum(a.state is state for a in ended) for state in AffixingState}
    assert states[AffixingState.AFFIXED] + states[AffixingState.RESTORED] == len(reserved)
    assert kills > 5


async def kill_and_replace(here: Installation, worker: Worker) -> Worker:
    worker.kill()
    assert worker.died_by_kill
    while True:
        try:
            await here.bury(worker)
        except DatabaseUnavailable:
            await asyncio.sleep(0.1)
            continue
        return here.start_worker()
