"""The story of one stamp, told by one process: what wins, what loses, what comes back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from meterai.affixing import store
from meterai.affixing.affix import Workbench, affix_waiting
from meterai.affixing.errors import (
    AlreadyUnderWay,
    QuotaShort,
    SameKeyOtherRequest,
    StampedBefore,
    TooLateToCancel,
)
from meterai.affixing.model import Affixing, AffixingState, Lane, Reason
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.affixing.restoration import cancel
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.objects.errors import StoreUnavailable
from meterai.pdf.road import Road
from meterai.quota.balance import holdings
from meterai.quota.model import Holding, total
from meterai.serial import store as serials
from meterai.serial.model import SerialState
from meterai.signing.errors import SignerUnavailable, TimeStampUnavailable
from meterai.wiring import open_workbench
from world.installation import LETTER, Installation, an_installation
from world.trade import CHANNEL


@pytest.fixture
async def here(tmp_path: Path, dsn: str) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", dsn, units=10) as installation:
        yield installation


@pytest.fixture
async def bench(here: Installation) -> Workbench:
    return open_workbench(here.app)


async def held(here: Installation) -> Holding:
    async with here.database.reading() as connection:
        return total(await holdings(connection, here.buyer.id))


async def overdue(here: Installation, id: UUID) -> None:
    """Its deadline and its permission to seal are past."""
    async with here.database.transaction() as connection:
        await connection.execute(
            """update affixing set deadline = now() - interval '1 second',
               seal_until = case when seal_until is null then null else now() - interval '1 second' end
               where id = $1""",
            id,
        )


async def ask(here: Installation, wish: AffixingWish) -> Affixing | MeteraiError:
    async with here.database.transaction() as connection:
        (answer,) = await reserve_all(connection, [wish])
    return answer


async def test_a_reserved_affixing_is_stamped_sealed_stored_and_settled(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)
    assert (await held(here)).reserved == 1
    assert await affix_waiting(bench, "w") == 1
    ended = await here.look(affixing.id)
    assert ended.state is AffixingState.AFFIXED
    after = await held(here)
    assert (after.available, after.reserved, after.used) == (9, 0, 1)
    async with here.database.reading() as connection:
        (serial,) = await serials.of_affixing(connection, affixing.id)
    assert serial.state is SerialState.AFFIXED
    assert serial.signed_sha256 == ended.signed_sha256
    assert (await here.audit()).discrepancies == []


async def test_the_row_says_which_road_the_document_went(
    here: Installation, bench: Workbench
) -> None:
    (plain,) = await here.reserve(1)
    (mended,) = await here.reserve(1)
    async with here.database.transaction() as connection:
        await connection.execute(
            """update document set inspection = jsonb_set(inspection, '{verdict}', '"repair"')
               where id = $1""",
            mended.document,
        )
    await affix_waiting(bench, "w")
    assert (await here.look(plain.id)).road is Road.FAST
    assert (await here.look(mended.id)).road is Road.REPAIR
    async with here.database.reading() as connection:
        assert await store.roads(connection) == {Road.FAST: 1, Road.CAREFUL: 0, Road.REPAIR: 1}


@pytest.mark.parametrize("point", ["stamped", "sealed", "stored"])
async def test_one_that_fails_leaves_its_company_alone(
    here: Installation, bench: Workbench, point: str
) -> None:
    bad, *others = await here.reserve(4)

    async def fail(at: str, id: UUID) -> None:
        if (at, id) == (point, bad.id):
            raise SignerUnavailable

    await affix_waiting(replace(bench, at=fail), "w")
    waiting = await here.look(bad.id)
    assert (waiting.state, waiting.reason) == (AffixingState.WAITING, Reason.SIGNER_DOWN)
    assert {(await here.look(o.id)).state for o in others} == {AffixingState.AFFIXED}
    assert (await here.audit()).discrepancies == []


async def test_large_documents_go_in_smaller_company_and_all_arrive(
    here: Installation, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    affixings = await here.reserve(5)
    monkeypatch.setattr("meterai.affixing.affix.BATCH_BYTES", 2 * len(LETTER))
    batches: list[int] = []
    put_all = bench.objects.put_all

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(bench.objects, name)

        async def put_all(self, files: dict[str, bytes]) -> None:
            batches.append(len(files))
            await put_all(files)

    counting = replace(bench, objects=Counting())  # type: ignore[arg-type]  # a store that counts
    assert await affix_waiting(counting, "w") == 5
    assert batches == [2, 2, 1]
    assert {(await here.look(a.id)).state for a in affixings} == {AffixingState.AFFIXED}


async def test_every_attempt_signs_the_same_digest(here: Installation, bench: Workbench) -> None:
    (affixing,) = await here.reserve(1)
    digests = []

    class Failing:
        gap_bytes = bench.sealer.gap_bytes

        async def seal(self, digest: bytes) -> bytes:
            digests.append(digest)
            raise TimeStampUnavailable

    failing = replace(bench, sealer=Failing())  # type: ignore[arg-type]  # a sealer that fails
    for _ in range(2):
        await affix_waiting(failing, "w")
        async with here.database.transaction() as connection:
            await connection.execute("update affixing set not_before = '-infinity'")
    await affix_waiting(bench, "w")
    ended = await here.look(affixing.id)
    assert digests == [ended.signed_sha256] * 2
    assert ended.attempts == 3


async def test_a_slow_worker_that_wakes_after_the_restore_loses(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)
    restored_while_it_slept = asyncio.Event()

    async def sleep_before_settling(point: str, id: UUID) -> None:
        if point == "stored":
            await overdue(here, id)
            assert await here.restore_due() == [id]
            restored_while_it_slept.set()

    await affix_waiting(replace(bench, at=sleep_before_settling), "slow")
    assert restored_while_it_slept.is_set()
    ended = await here.look(affixing.id)
    assert ended.state is AffixingState.RESTORED
    assert ended.object is None
    after = await held(here)
    assert (after.available, after.reserved, after.used) == (10, 0, 0)
    assert (await here.audit()).discrepancies == []


async def test_what_a_loser_made_verifies_as_void(here: Installation, bench: Workbench) -> None:
    (affixing,) = await here.reserve(1)

    async def lose(point: str, id: UUID) -> None:
        if point == "stored":
            await overdue(here, id)
            await here.restore_due()

    await affix_waiting(replace(bench, at=lose), "slow")
    leaked = await here.app.objects.get(f"stamped/{affixing.id}-1.pdf")
    sound, _, _ = await here.app.examine_here(leaked)
    assert sound, "cryptography cannot know"
    async with here.database.reading() as connection:
        (serial,) = await serials.of_affixing(connection, affixing.id)
    assert serial.state is SerialState.VOID


async def test_nothing_is_sealed_once_the_claim_is_no_longer_the_newest(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)
    sealed = []

    async def taken_over(point: str, id: UUID) -> None:
        if point == "stamped":
            async with here.database.transaction() as connection:
                await connection.execute("update affixing set fence = fence + 1 where id = $1", id)
        if point == "sealed":
            sealed.append(id)

    await affix_waiting(replace(bench, at=taken_over), "old")
    assert sealed == []
    assert (await here.look(affixing.id)).state is AffixingState.WORKING


async def test_a_worker_stops_itself_when_its_time_is_over(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)

    async def dawdle(point: str, _id: UUID) -> None:
        if point == "stamped":
            await asyncio.sleep(5)

    await affix_waiting(replace(bench, at=dawdle), "slow", lease=timedelta(milliseconds=200))
    assert (await here.look(affixing.id)).state is AffixingState.WORKING
    async with here.database.transaction() as connection:
        assert await store.free_lost_rows(connection, grace=timedelta(0)) == 1
    await affix_waiting(bench, "w")
    assert (await here.look(affixing.id)).state is AffixingState.AFFIXED


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (SignerUnavailable(), Reason.SIGNER_DOWN),
        (TimeStampUnavailable(), Reason.TIME_STAMP_DOWN),
        (StoreUnavailable(), Reason.STORE_DOWN),
        (RuntimeError("a defect"), Reason.INTERNAL),
    ],
)
async def test_a_passing_failure_waits_with_the_same_serial_and_gives_back_at_last(
    here: Installation, bench: Workbench, failure: Exception, reason: Reason
) -> None:
    (affixing,) = await here.reserve(1)

    async def fail(point: str, _id: UUID) -> None:
        if point == "stamped":
            raise failure

    failing = replace(bench, at=fail)
    await affix_waiting(failing, "w")
    waiting = await here.look(affixing.id)
    assert (waiting.state, waiting.reason) == (AffixingState.WAITING, reason)
    async with here.database.reading() as connection:
        (serial,) = await serials.of_affixing(connection, affixing.id)
    assert serial.state is SerialState.BOUND
    for _ in range(affixing.attempts_max - 1):
        async with here.database.transaction() as connection:
            await connection.execute("update affixing set not_before = '-infinity'")
        await affix_waiting(failing, "w")
    ended = await here.look(affixing.id)
    assert (ended.state, ended.reason) == (AffixingState.RESTORED, reason)
    assert (await held(here)).available == 10
    assert (await here.audit()).discrepancies == []


async def test_while_no_authority_answers_nothing_is_sealed_without_a_stamp(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)
    here.stamps.mode = "down"
    for _ in range(affixing.attempts_max):
        assert await affix_waiting(bench, "w") == 1
        async with here.database.transaction() as connection:
            await connection.execute(
                "update affixing set not_before = '-infinity' where state = 'waiting'"
            )
    ended = await here.look(affixing.id)
    assert (ended.state, ended.reason) == (AffixingState.RESTORED, Reason.TIME_STAMP_DOWN)
    assert not list((here.settings.data_dir / "objects").glob("stamped/*"))
    here.stamps.mode = "up"
    (again,) = await here.reserve(1)
    await affix_waiting(bench, "w")
    assert (await here.look(again.id)).state is AffixingState.AFFIXED
    assert (await here.audit()).discrepancies == []


async def test_a_document_that_was_damaged_at_rest_gives_its_unit_back_at_once(
    here: Installation, bench: Workbench
) -> None:
    (affixing,) = await here.reserve(1)
    for file in (here.settings.data_dir / "objects" / "source").iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    await affix_waiting(bench, "w")
    ended = await here.look(affixing.id)
    assert (ended.state, ended.reason) == (AffixingState.RESTORED, Reason.CANNOT_STAMP)
    assert ended.attempts == 1


async def test_no_restore_while_a_worker_may_still_seal(here: Installation) -> None:
    (affixing,) = await here.reserve(1)
    async with here.database.transaction() as connection:
        (claim,) = await store.claim(connection, "w", size=1, lease=timedelta(seconds=20))
        await connection.execute("update affixing set deadline = now() - interval '1 second'")
    assert claim.affixing.id == affixing.id
    assert await here.restore_due() == []
    await overdue(here, affixing.id)
    assert await here.restore_due() == [affixing.id]
    assert await here.restore_due() == []


async def test_the_same_wish_twice_is_granted_once(here: Installation) -> None:
    document = await here.add_document()
    wish = AffixingWish(new_id(), document.id, here.buyer.id, CHANNEL, Lane.BULK, request_key="k1")
    first = await ask(here, wish)
    again = await ask(here, replace(wish, id=new_id()))
    assert isinstance(first, Affixing)
    assert isinstance(again, Affixing)
    assert first.id == again.id
    sent_again = await here.add_document()
    third = await ask(here, replace(wish, id=new_id(), document=sent_again.id))
    assert isinstance(third, Affixing)
    assert third.id == first.id
    other = await here.add_document(LETTER + b"\n")
    refused = await ask(here, replace(wish, id=new_id(), document=other.id))
    assert isinstance(refused, SameKeyOtherRequest)
    assert (await held(here)).reserved == 1


async def test_one_document_is_affixed_once_at_a_time_and_a_repeat_must_be_wanted(
    here: Installation, bench: Workbench
) -> None:
    document = await here.add_document()
    wish = AffixingWish(new_id(), document.id, here.buyer.id, CHANNEL, Lane.PEOPLE)
    await ask(here, wish)
    assert isinstance(await ask(here, replace(wish, id=new_id())), AlreadyUnderWay)
    await affix_waiting(bench, "w")
    assert isinstance(await ask(here, replace(wish, id=new_id())), StampedBefore)
    wanted = await ask(here, replace(wish, id=new_id(), repeat_wanted=True))
    assert isinstance(wanted, Affixing)


async def test_more_than_the_quota_is_refused_and_costs_nothing(here: Installation) -> None:
    held_documents = [await here.add_document() for _ in range(12)]
    wishes = [
        AffixingWish(new_id(), d.id, here.buyer.id, CHANNEL, Lane.BULK, repeat_wanted=True)
        for d in held_documents
    ]
    async with here.database.transaction() as connection:
        answers = await reserve_all(connection, wishes)
    assert sum(isinstance(a, Affixing) for a in answers) == 10
    assert sum(isinstance(a, QuotaShort) for a in answers) == 2
    assert (await here.audit()).discrepancies == []


async def test_cancelling_works_until_a_worker_has_it(here: Installation) -> None:
    first, second = await here.reserve(2)
    async with here.database.transaction() as connection:
        await cancel(connection, here.app.statements, first.id, here.buyer.id)
    assert (await here.look(first.id)).state is AffixingState.CANCELLED
    async with here.database.transaction() as connection:
        await store.claim(connection, "w", size=5, lease=timedelta(seconds=20))
    with pytest.raises(TooLateToCancel):
        async with here.database.transaction() as connection:
            await cancel(connection, here.app.statements, second.id, here.buyer.id)
    assert (await here.audit()).discrepancies == []


async def test_people_are_not_starved_by_bulk_work(here: Installation) -> None:
    await here.reserve(6, lane=Lane.BULK)
    people = {a.id for a in await here.reserve(4, lane=Lane.PEOPLE)}
    async with here.database.transaction() as connection:
        claims = await store.claim(connection, "w", size=5, lease=timedelta(seconds=20))
    assert people <= {claim.affixing.id for claim in claims}


async def test_the_stored_file_is_the_document_with_something_behind_it(
    here: Installation, bench: Workbench
) -> None:
    document = await here.add_document()
    wish = AffixingWish(new_id(), document.id, here.buyer.id, CHANNEL, Lane.PEOPLE)
    granted = await ask(here, wish)
    assert isinstance(granted, Affixing)
    await affix_waiting(bench, "w")
    ended = await here.look(granted.id)
    assert ended.object is not None
    source = await here.app.objects.get(document.object)
    whole = await here.app.objects.get(ended.object)
    assert whole.startswith(source)
