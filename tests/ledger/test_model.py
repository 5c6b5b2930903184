"""The decision against a model that is too simple to be wrong."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from meterai.ids import new_id
from meterai.ledger.model import (
    Balance,
    Books,
    Kind,
    Ledger,
    Limit,
    Outcome,
    Transfer,
    ending,
    pending,
    reverse,
    single,
)

ACCOUNTS = (1, 2, 3)
IDS = [UUID(int=n + 1) for n in range(12)]


def fresh_books() -> Books:
    held = {
        id: Balance(Ledger.UNITS, Limit.DEBITS_MUST_NOT_EXCEED_CREDITS, 0, 0, 0, 10)
        for id in ACCOUNTS
    }
    return Books(held, {}, {})


transfers = st.one_of(
    st.builds(
        lambda make, id, pair, amount: make(
            id, code=1, debit=pair[0], credit=pair[1], amount=amount
        ),
        st.sampled_from([single, pending]),
        st.sampled_from(IDS),
        st.permutations(ACCOUNTS),
        st.integers(1, 6),
    ),
    st.builds(
        lambda id, kind, held: ending(id, kind, pending_id=held, code=1, ref=None),
        st.sampled_from(IDS),
        st.sampled_from([Kind.POSTED, Kind.VOIDED, Kind.EXPIRED]),
        st.sampled_from(IDS),
    ),
)
batches = st.lists(st.lists(transfers, min_size=1, max_size=3), max_size=12)


@given(batches)
def test_debits_equal_credits_and_nothing_is_overdrawn(groups: list[list[Transfer]]) -> None:
    books = fresh_books()
    books.decide(groups)
    held = books.balances.values()
    assert sum(b.debits_posted for b in held) == sum(b.credits_posted - 10 for b in held)
    assert sum(b.debits_pending for b in held) == sum(b.credits_pending for b in held)
    for balance in held:
        assert balance.free >= 0
        assert min(balance.debits_pending, balance.credits_pending) >= 0


@given(batches)
def test_balances_are_what_the_written_transfers_say(groups: list[list[Transfer]]) -> None:
    books = fresh_books()
    written = books.decide(groups).written
    again = fresh_books()
    for transfer in written:
        again._move(transfer, 1)
    assert books.balances == again.balances
    assert len({t.id for t in written}) == len(written)
    ended = [t.pending_id for t in written if t.pending_id is not None]
    assert len(set(ended)) == len(ended)


@given(batches)
def test_the_same_batch_again_writes_nothing(groups: list[list[Transfer]]) -> None:
    books = fresh_books()
    first = books.decide(groups)
    good = [g for g, said in zip(groups, first.outcomes, strict=True) if all(o.good for o in said)]
    second = books.decide(good)
    assert second.written == []
    assert all(outcome is Outcome.EXISTS for said in second.outcomes for outcome in said)


@given(batches)
def test_deciding_group_by_group_is_the_same_as_in_one_batch(groups: list[list[Transfer]]) -> None:
    together, apart = fresh_books(), fresh_books()
    at_once = together.decide(groups).outcomes
    one_by_one = [apart.decide([group]).outcomes[0] for group in groups]
    assert at_once == one_by_one
    assert together.balances == apart.balances


def test_a_reversal_is_a_transfer_of_its_own() -> None:
    given_ = single(new_id(), code=1, debit=1, credit=2, amount=4)
    books = fresh_books()
    books.decide([[given_], [reverse(given_, new_id(), code=2)]])
    assert books.balances[1].free == books.balances[2].free == 10
