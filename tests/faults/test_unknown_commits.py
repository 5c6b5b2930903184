"""The connection dies at COMMIT, with and without effect: the unit is counted right afterwards, and once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from meterai.affixing.affix import affix_waiting
from meterai.affixing.model import AffixingState, Lane
from meterai.affixing.reservation import AffixingWish
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.wiring import open_workbench
from world.cutting import Cut, CuttingLine, a_cutting_line
from world.installation import Installation, an_installation

pytestmark = pytest.mark.faults


@pytest.fixture
async def line(dsn: str) -> AsyncIterator[tuple[CuttingLine, str]]:
    async with a_cutting_line(dsn) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path, line: tuple[CuttingLine, str]) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", line[1], units=10) as installation:
        yield installation


async def units(here: Installation) -> tuple[int, int, int]:
    async with here.database.reading() as connection:
        held = total(await holdings(connection, here.buyer.id))
    return held.available, held.reserved, held.used


@pytest.mark.parametrize("cut", Cut)
async def test_a_reservation_whose_commit_is_in_doubt_holds_its_unit_once(
    here: Installation, line: tuple[CuttingLine, str], cut: Cut
) -> None:
    document = await here.add_document()
    wish = AffixingWish.for_document(document, lane=Lane.PEOPLE)
    line[0].armed = cut
    granted = await here.app.reservations.submit(wish)
    assert line[0].cuts == 1
    assert granted.id == wish.id
    assert await units(here) == (9, 1, 0)
    assert (await here.audit()).discrepancies == []


@pytest.mark.parametrize("cut", Cut)
async def test_a_settlement_whose_commit_is_in_doubt_uses_its_units_once(
    here: Installation, line: tuple[CuttingLine, str], cut: Cut
) -> None:
    affixings = await here.reserve(3)
    told: list[tuple[str, UUID]] = []

    async def arm(point: str, id: UUID) -> None:
        told.append((point, id))
        if point == "settling" and line[0].cuts == 0:
            line[0].armed = cut

    assert await affix_waiting(replace(open_workbench(here.app), at=arm), "w") == 3
    assert line[0].cuts == 1
    ended = [await here.look(a.id) for a in affixings]
    assert {(a.state, a.attempts, a.fence) for a in ended} == {(AffixingState.AFFIXED, 1, 1)}
    assert sorted(id for point, id in told if point == "settled") == sorted(a.id for a in affixings)
    assert await units(here) == (7, 0, 3)
    report = await here.audit()
    assert report.discrepancies == []
    assert report.counted["affixed"] == 3
