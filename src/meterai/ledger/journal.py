"""Writing into the books: groups of transfers, each whole or not at all, in one batch and one link."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from meterai.db.connection import Connection
from meterai.ledger import chain, store
from meterai.ledger.errors import (
    AlreadyEnded,
    BooksDisagree,
    NotEnough,
    OtherFields,
    SameIdTwice,
)
from meterai.ledger.model import Books, Outcome, Transfer


async def apply(
    connection: Connection, groups: Sequence[Sequence[Transfer]]
) -> list[list[Outcome]]:
    """The admissible groups are in the books; an outcome for each transfer, group by group.

    Accounts are locked in order of id before anything is read that the decision rests on: under READ
    COMMITTED each statement sees what was committed before it began, so the lock and the reading must be
    two statements. Raises :class:`SameIdTwice` when another batch, over other accounts, wrote one of the
    ids at the same instant: the transaction is void, and doing it again gives the right answer.
    """
    all_ids = {transfer.id for group in groups for transfer in group}
    pending_ids = {t.pending_id for group in groups for t in group if t.pending_id is not None}
    held = await store.transfers(connection, pending_ids) if pending_ids else {}
    balances = await store.lock_balances(connection, _accounts(groups, held))
    known = held | await store.transfers(connection, all_ids)
    ended = await store.endings(connection, pending_ids) if pending_ids else {}
    books = Books(balances, known, ended)
    decision = books.decide(groups)
    if decision.written:
        touched = {id: balances[id] for id in books.touched}
        try:
            await store.write(connection, decision.written, touched, chain.body(decision.written))
        except asyncpg.UniqueViolationError as error:
            raise SameIdTwice from error
    return decision.outcomes


def _accounts(groups: Sequence[Sequence[Transfer]], held: dict[UUID, Transfer]) -> list[int]:
    touched = {id for group in groups for t in group for id in (t.debit, t.credit)}
    touched |= {id for t in held.values() for id in (t.debit, t.credit)}
    touched.discard(0)
    return sorted(touched)


async def record(connection: Connection, *group: Transfer) -> None:
    """The whole group is in the books (written now or by an earlier, equal call).

    Raises :class:`NotEnough`, :class:`AlreadyEnded`, :class:`OtherFields`, :class:`BooksDisagree`.
    """
    (outcomes,) = await apply(connection, [group])
    demand(outcomes)


def demand(outcomes: Sequence[Outcome]) -> None:
    """Nothing, when every transfer of the group is in the books; else the error that says why."""
    for outcome in outcomes:
        if outcome.good or outcome is Outcome.LINKED_FAILED:
            continue
        if outcome in (Outcome.EXCEEDS_CREDITS, Outcome.EXCEEDS_DEBITS):
            raise NotEnough
        if outcome is Outcome.EXISTS_WITH_OTHER_FIELDS:
            raise OtherFields
        if outcome in _ENDED:
            raise AlreadyEnded(how=_ENDED[outcome])
        raise BooksDisagree


_ENDED = {
    Outcome.ALREADY_POSTED: "posted",
    Outcome.ALREADY_VOIDED: "voided",
    Outcome.ALREADY_EXPIRED: "expired",
}
