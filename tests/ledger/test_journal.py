import asyncio
import random
from collections import Counter

import pytest

from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.ledger import chain, journal, store
from meterai.ledger.errors import AlreadyEnded, NotEnough, OtherFields
from meterai.ledger.model import Kind, Ledger, Outcome, Transfer, ending, pending, single
from world.ledger import open_holder, open_holders, open_issuer


async def state(database: Database, account: int) -> tuple[int, int, int, int]:
    async with database.transaction() as connection:
        found = (await store.lock_balances(connection, [account]))[account]
        return (
            found.debits_pending,
            found.debits_posted,
            found.credits_pending,
            found.credits_posted,
        )


async def record(database: Database, *group: Transfer) -> None:
    async with database.transaction() as connection:
        await journal.record(connection, *group)


async def test_a_pending_transfer_sets_aside_and_posting_moves(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
    hold = pending(new_id(), code=7, debit=a, credit=b, amount=2)
    await record(database, hold)
    assert await state(database, a) == (2, 0, 0, 5)
    await record(database, ending(new_id(), Kind.POSTED, pending_id=hold.id, code=7, ref=None))
    assert await state(database, a) == (0, 2, 0, 5)
    assert await state(database, b) == (0, 0, 0, 7)


async def test_repeating_a_transfer_changes_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
    hold = pending(new_id(), code=7, debit=a, credit=b, amount=2)
    post = ending(new_id(), Kind.POSTED, pending_id=hold.id, code=7, ref=None)
    for _ in range(3):
        await record(database, hold)
        await record(database, post)
    assert await state(database, a) == (0, 2, 0, 5)


async def test_the_same_id_with_other_fields_is_refused(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
    hold = pending(new_id(), code=7, debit=a, credit=b, amount=2)
    await record(database, hold)
    with pytest.raises(OtherFields):
        await record(database, pending(hold.id, code=7, debit=a, credit=b, amount=3))
    with pytest.raises(OtherFields):
        await record(database, single(hold.id, code=7, debit=a, credit=b, amount=2))


async def test_an_overdraft_is_refused_and_takes_its_group_along(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
    fits = single(new_id(), code=1, debit=b, credit=a, amount=1)
    too_much = single(new_id(), code=1, debit=a, credit=b, amount=7)
    with pytest.raises(NotEnough):
        await record(database, fits, too_much)
    assert await state(database, a) == (0, 0, 0, 5)
    assert await state(database, b) == (0, 0, 0, 5)


async def test_posting_after_voiding_says_how_it_ended(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
    hold = pending(new_id(), code=7, debit=a, credit=b, amount=2)
    await record(database, hold)
    await record(database, ending(new_id(), Kind.EXPIRED, pending_id=hold.id, code=7, ref=None))
    with pytest.raises(AlreadyEnded, match="expired"):
        await record(database, ending(new_id(), Kind.POSTED, pending_id=hold.id, code=7, ref=None))
    assert await state(database, a) == (0, 0, 0, 5)


async def test_what_makes_no_sense_is_declined_with_its_reason(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
        money = await open_holder(connection, "a", ledger=Ledger.RUPIAH)
        tried = {
            Outcome.ACCOUNT_NOT_FOUND: (a, 999_999, 1),
            Outcome.ACCOUNTS_MUST_DIFFER: (a, a, 1),
            Outcome.LEDGERS_MUST_MATCH: (a, money, 1),
            Outcome.PENDING_NOT_FOUND: None,
            Outcome.AMOUNT_OUT_OF_RANGE: (a, b, 0),
        }
        for expected, fields in tried.items():
            if fields is None:
                nothing = ending(new_id(), Kind.POSTED, pending_id=new_id(), code=1, ref=None)
                ((outcome,),) = await journal.apply(connection, [[nothing]])
            else:
                debit, credit, amount = fields
                wrong = single(new_id(), code=1, debit=debit, credit=credit, amount=amount)
                ((outcome,),) = await journal.apply(connection, [[wrong]])
            assert outcome is expected
        for amount in (-1, 2**60):
            wrong = single(new_id(), code=1, debit=a, credit=b, amount=amount)
            ((outcome,),) = await journal.apply(connection, [[wrong]])
            assert outcome is Outcome.AMOUNT_OUT_OF_RANGE


async def test_one_bad_group_does_not_fail_the_batch(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=2)
        takes = [[single(new_id(), code=1, debit=a, credit=b, amount=1)] for _ in range(3)]
        outcomes = await journal.apply(connection, takes)
    assert [said[0] for said in outcomes] == [
        Outcome.CREATED,
        Outcome.CREATED,
        Outcome.EXCEEDS_CREDITS,
    ]


async def test_a_hold_and_its_end_may_come_in_one_batch(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=1)
        hold = pending(new_id(), code=1, debit=a, credit=b, amount=1)
        void = ending(new_id(), Kind.VOIDED, pending_id=hold.id, code=1, ref=None)
        again = pending(new_id(), code=1, debit=a, credit=b, amount=1)
        outcomes = await journal.apply(connection, [[hold], [void], [again]])
    assert [said[0] for said in outcomes] == [Outcome.CREATED] * 3
    assert await state(database, a) == (1, 0, 0, 1)


async def test_a_stock_of_1000_under_eight_sellers_sells_exactly_1000(database: Database) -> None:
    async with database.transaction() as connection:
        stock = await open_holder(connection, "stock", holding=1000)
        buyers = await open_holders(connection, [f"buyer {n}" for n in range(20)], holding=0)
    said: Counter[Outcome] = Counter()

    async def seller() -> None:
        for _ in range(15):
            size = random.randint(1, 25)
            takes = [
                [single(new_id(), code=1, debit=stock, credit=random.choice(buyers), amount=1)]
                for _ in range(size)
            ]
            async with database.transaction() as connection:
                said.update(o for (o,) in await journal.apply(connection, takes))

    await asyncio.gather(*(seller() for _ in range(8)))
    assert said[Outcome.CREATED] == 1000
    assert said[Outcome.EXCEEDS_CREDITS] > 0
    assert await state(database, stock) == (0, 1000, 0, 1000)


async def test_of_a_race_between_post_and_void_exactly_one_wins(database: Database) -> None:
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=100)
        holds = [pending(new_id(), code=1, debit=a, credit=b, amount=1) for _ in range(100)]
        await journal.apply(connection, [[hold] for hold in holds])
    done: Counter[Kind] = Counter()

    async def resolver(kind: Kind) -> None:
        order = random.sample(holds, len(holds))
        for part in (order[k : k + 10] for k in range(0, 100, 10)):
            ends = [[ending(new_id(), kind, pending_id=h.id, code=1, ref=None)] for h in part]
            async with database.transaction() as connection:
                outcomes = await journal.apply(connection, ends)
            done[kind] += sum(o is Outcome.CREATED for (o,) in outcomes)

    await asyncio.gather(*(resolver(k) for k in [Kind.POSTED, Kind.VOIDED] * 3))
    assert done.total() == 100
    assert await state(database, a) == (0, done[Kind.POSTED], 0, 100)


async def test_the_chain_holds_under_concurrent_writers_and_shows_tampering(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        names = [f"n{k}" for k in range(12)]
        accounts = await open_holders(connection, names, holding=1000)

    async def writer() -> None:
        for _ in range(10):
            a, b = random.sample(accounts, 2)
            await record(database, single(new_id(), code=1, debit=a, credit=b, amount=1))

    await asyncio.gather(*(writer() for _ in range(6)))
    assert await broken_links(database) == []
    async with database.transaction() as connection:
        await connection.execute("alter table transfer disable trigger transfer_append_only")
        await connection.execute("update transfer set amount = amount + 1 where link = 20")
    assert await broken_links(database) == [20]


async def broken_links(database: Database) -> list[int]:
    broken, previous, seq = [], chain.GENESIS, 0
    async with database.reading() as connection:
        async for page in store.links(connection, size=7):
            for link in page:
                seq += 1
                body = chain.body(link.transfers)
                if link.seq != seq or link.digest != chain.link(previous, seq, link.at, body):
                    broken.append(link.seq)
                previous = link.digest
    return broken


async def test_written_transfers_cannot_be_edited(database: Database) -> None:
    async with database.transaction() as connection:
        await open_holder(connection, "a", holding=1)
    for statement in ("update transfer set amount = 2", "delete from journal_link"):
        with pytest.raises(Exception, match="append-only"):
            async with database.transaction() as connection:
                await connection.execute(statement)


async def test_the_issuer_may_go_below_zero_because_it_stands_for_the_outside(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        issuer = await open_issuer(connection)
        await open_holder(connection, "a", holding=3)
    assert await state(database, issuer) == (0, 3, 0, 0)


async def test_the_lines_about_one_happening_are_found(database: Database) -> None:
    about = new_id()
    async with database.transaction() as connection:
        a, b = await open_holders(connection, ["a", "b"], holding=5)
        hold = pending(new_id(), code=7, debit=a, credit=b, amount=2, ref=about)
        await journal.record(connection, hold)
        end = ending(new_id(), Kind.VOIDED, pending_id=hold.id, code=7, ref=about)
        await journal.record(connection, end)
        lines = await store.transfers_about(connection, about)
    assert [line.kind for line, _ in lines] == [Kind.PENDING, Kind.VOIDED]
