"""Reservations that meet: in one batch, and in two processes at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from meterai.affixing.errors import AlreadyUnderWay, QuotaShort, StampedBefore
from meterai.affixing.model import Affixing, Lane
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.errors import MeteraiError
from meterai.ids import new_id
from world.installation import LETTER, Installation, an_installation
from world.trade import CHANNEL


@pytest.fixture
async def here(tmp_path: Path, dsn: str) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", dsn, units=5) as installation:
        yield installation


async def wish(here: Installation, content: bytes = LETTER, key: str | None = None) -> AffixingWish:
    document = await here.add_document(content)
    return AffixingWish(new_id(), document.id, here.buyer.id, CHANNEL, Lane.BULK, request_key=key)


async def ask(here: Installation, wishes: Sequence[AffixingWish]) -> list[Affixing | MeteraiError]:
    async with here.database.transaction() as connection:
        return await reserve_all(connection, wishes)


async def holds(here: Installation) -> int:
    async with here.database.reading() as connection:
        return int(await connection.fetchval("select coalesce(sum(units), 0) from affixing"))


async def test_a_repetition_in_the_same_batch_shares_the_fate_of_the_first(
    here: Installation,
) -> None:
    first, sent_again = await wish(here, key="one"), await wish(here, key="one")
    answers = await ask(here, [first, sent_again, first])
    assert {a.id for a in answers if isinstance(a, Affixing)} == {first.id}
    assert await holds(here) == 1


async def test_a_repetition_of_what_found_no_quota_finds_none_either(here: Installation) -> None:
    many = [await wish(here, LETTER + b"\n" * n, key=f"k{n}") for n in range(6)]
    again = replace(many[-1], id=new_id())
    answers = await ask(here, [*many, again])
    assert [type(answer) for answer in answers] == [Affixing] * 5 + [QuotaShort] * 2
    assert await holds(here) == 5
    assert (await here.audit()).discrepancies == []


async def test_a_repetition_finds_its_affixing_also_when_the_document_is_gone(
    here: Installation,
) -> None:
    one = await wish(here, key="one")
    (granted,) = await ask(here, [one])
    async with here.database.transaction() as connection:
        await connection.execute(
            "update document set deleted_at = now() where id = $1", one.document
        )
    (by_id,) = await ask(here, [one])
    (by_key,) = await ask(here, [replace(one, id=new_id())])
    assert isinstance(granted, Affixing)
    assert [a.id for a in (by_id, by_key) if isinstance(a, Affixing)] == [granted.id] * 2


async def test_the_same_document_twice_in_a_batch_is_stamped_once(here: Installation) -> None:
    one = await wish(here)
    same_row, same_bytes = replace(one, id=new_id()), await wish(here)
    answers = await ask(here, [one, same_row, same_bytes])
    assert [type(answer) for answer in answers] == [Affixing, AlreadyUnderWay, StampedBefore]
    wanted = replace(same_bytes, id=new_id(), repeat_wanted=True)
    assert isinstance((await ask(here, [wanted]))[0], Affixing)


async def test_processes_that_are_asked_the_same_at_once_grant_it_once(here: Installation) -> None:
    keyed = [await wish(here, LETTER + b"\n", key="same") for _ in range(8)]
    plain = [await wish(here) for _ in range(8)]
    answers = await asyncio.gather(*(ask(here, [one]) for one in [*keyed, *plain]))
    granted = [a.id for (a,) in answers if isinstance(a, Affixing)]
    assert len(set(granted[:8])) == 1
    assert len(set(granted)) == 2
    assert sum(isinstance(a, StampedBefore) for (a,) in answers) == 7
    assert await holds(here) == 2
