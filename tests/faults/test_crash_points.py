"""A real worker is killed at each named point; the units are counted afterwards."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meterai.affixing.affix import POINTS
from meterai.affixing.model import AffixingState
from world.installation import Installation, Worker, an_installation

pytestmark = pytest.mark.faults


@pytest.fixture
async def here(tmp_path: Path, dsn: str) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", dsn, deadline_seconds=60) as installation:
        yield installation


async def until_dead(worker: Worker) -> None:
    for _ in range(600):
        if worker.process.poll() is not None:
            break
        await asyncio.sleep(0.05)
    assert worker.died_by_kill, (
        f"it was to die at its point, but ended with {worker.process.poll()}"
    )


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_a_point_loses_nothing(here: Installation, point: str) -> None:
    affixings = await here.reserve(3)
    doomed = here.start_worker(crash_at=point)
    await until_dead(doomed)
    await here.bury(doomed)
    here.start_worker()
    ended = await here.until_final([a.id for a in affixings])
    assert {a.state for a in ended} == {AffixingState.AFFIXED}
    report = await here.audit()
    assert report.discrepancies == []
    assert report.counted["affixed"] == 3


async def test_a_file_that_was_stored_before_the_crash_is_adopted_not_sealed_again(
    here: Installation,
) -> None:
    (affixing,) = await here.reserve(1)
    doomed = here.start_worker(crash_at="stored")
    await until_dead(doomed)
    before = await here.app.objects.get(f"stamped/{affixing.id}-1.pdf")
    await here.bury(doomed)
    here.start_worker()
    (ended,) = await here.until_final([affixing.id])
    assert ended.object is not None
    assert await here.app.objects.get(ended.object) == before


async def test_when_every_attempt_dies_the_unit_comes_back_with_its_certificate(
    here: Installation,
) -> None:
    (affixing,) = await here.reserve(1)
    for _ in range(affixing.attempts_max):
        doomed = here.start_worker(crash_at="sealed")
        await until_dead(doomed)
        await here.bury(doomed)
    (ended,) = await here.until_final([affixing.id])
    assert ended.state is AffixingState.RESTORED
    assert ended.certificate is not None
    assert (await here.audit()).discrepancies == []
