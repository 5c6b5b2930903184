"""The SQL of the books. Takes a connection inside a transaction; never commits."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.ledger.model import Balance, Kind, Ledger, Limit, Transfer


@dataclass(frozen=True, slots=True)
class Account:
    """One account with its balances, as last committed."""

    id: int
    ledger: Ledger
    code: int
    owner: UUID | None
    scope: str | None
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


async def open_account(
    connection: Connection,
    *,
    ledger: Ledger,
    code: int,
    owner: UUID | None = None,
    scope: str | None = None,
    limit: Limit,
) -> int:
    """The account of this ledger, code, owner and scope exists; returns its id."""
    key = (int(ledger), code, owner, scope)
    found = await connection.fetchval(_FIND, *key)
    if found is None:
        found = await connection.fetchval(
            """insert into account (ledger, code, owner, scope, flags) values ($1, $2, $3, $4, $5)
               on conflict (ledger, code, owner, scope) do nothing returning id""",
            *key,
            int(limit),
        )
    if found is None:
        found = await connection.fetchval(_FIND, *key)
    assert isinstance(found, int)
    return found


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What names an account; ``limit`` matters only when it is opened."""

    ledger: Ledger
    code: int
    owner: UUID | None
    scope: str
    limit: Limit = Limit.DEBITS_MUST_NOT_EXCEED_CREDITS


async def open_accounts(
    connection: Connection, keys: Iterable[AccountKey]
) -> dict[AccountKey, int]:
    """All these accounts exist; returns their ids."""
    wanted = sorted(set(keys), key=lambda k: (k.ledger, k.code, k.owner or _NOBODY, k.scope))
    found = await _find_accounts(connection, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        await connection.execute(
            """insert into account (ledger, code, owner, scope, flags)
               select * from unnest($1::smallint[], $2::smallint[], $3::uuid[], $4::text[],
                                    $5::smallint[])
               on conflict (ledger, code, owner, scope) do nothing""",
            *_columns(missing),
            [int(key.limit) for key in missing],
        )
        found |= await _find_accounts(connection, missing)
    return found


_NOBODY = UUID(int=0)


async def _find_accounts(
    connection: Connection, keys: Sequence[AccountKey]
) -> dict[AccountKey, int]:
    """Owned and shared ones are asked for apart: only plain equality uses the index."""
    found: dict[AccountKey, int] = {}
    for owned in (True, False):
        part = [key for key in keys if (key.owner is not None) is owned]
        if not part:
            continue
        match = "a.owner = w.owner" if owned else "a.owner is null"
        rows = await connection.fetch(
            f"""select w.n, a.id from
                   unnest($1::smallint[], $2::smallint[], $3::uuid[], $4::text[]) with ordinality
                       as w (ledger, code, owner, scope, n)
                   join account a on a.ledger = w.ledger and a.code = w.code
                       and a.scope = w.scope and {match}""",
            *_columns(part),
        )
        found |= {part[row["n"] - 1]: row["id"] for row in rows}
    return found


def _columns(
    keys: Sequence[AccountKey],
) -> tuple[list[int], list[int], list[UUID | None], list[str]]:
    return (
        [int(key.ledger) for key in keys],
        [key.code for key in keys],
        [key.owner for key in keys],
        [key.scope for key in keys],
    )


_FIND = """select id from account where ledger = $1 and code = $2
           and owner is not distinct from $3 and scope is not distinct from $4"""

_ACCOUNT = """id, ledger, code, owner, scope,
              debits_pending, debits_posted, credits_pending, credits_posted"""


async def accounts_of(connection: Connection, owner: UUID) -> list[Account]:
    """All accounts of one owner, in order of id."""
    rows = await connection.fetch(
        f"select {_ACCOUNT} from account where owner = $1 order by id", owner
    )
    return [_account(row) for row in rows]


async def accounts_with_code(connection: Connection, ledger: Ledger, code: int) -> list[Account]:
    """All accounts of one kind, in order of id."""
    rows = await connection.fetch(
        f"select {_ACCOUNT} from account where ledger = $1 and code = $2 order by id",
        int(ledger),
        code,
    )
    return [_account(row) for row in rows]


def _account(row: Row) -> Account:
    return Account(**dict(row.items()) | {"ledger": Ledger(row["ledger"])})


async def lock_balances(connection: Connection, ids: Sequence[int]) -> dict[int, Balance]:
    """The balances of these accounts, locked in order of id until the transaction ends."""
    rows = await connection.fetch(
        """select id, ledger, flags, debits_pending, debits_posted, credits_pending, credits_posted
           from account where id = any($1::bigint[]) order by id for no key update""",
        ids,
    )
    return {row[0]: Balance(*tuple(row.values())[1:]) for row in rows}


async def transfers(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Transfer]:
    """The written ones among these ids."""
    rows = await connection.fetch(
        f"select {_TRANSFER} from transfer where id = any($1::uuid[])", list(ids)
    )
    return {row[0]: _transfer(row) for row in rows}


async def endings(connection: Connection, pending_ids: Iterable[UUID]) -> dict[UUID, Transfer]:
    """What ended these pending transfers, by the id of the pending one."""
    rows = await connection.fetch(
        f"select {_TRANSFER} from transfer where pending_id = any($1::uuid[])", list(pending_ids)
    )
    return {row["pending_id"]: _transfer(row) for row in rows}


async def transfers_about(connection: Connection, ref: UUID) -> list[tuple[Transfer, datetime]]:
    """The lines about one happening, with the moment of each, oldest first."""
    rows = await connection.fetch(
        f"""select {_TRANSFER}, l.at from transfer t join journal_link l on l.seq = t.link
            where ref = $1 order by t.link, t.id""",
        ref,
    )
    return [(_transfer(row), row["at"]) for row in rows]


_TRANSFER = "id, kind, code, debit, credit, amount, pending_id, ref"
_KINDS = {kind.value.encode(): kind for kind in Kind}


def _transfer(row: Row) -> Transfer:
    return Transfer(
        row["id"],
        _KINDS[row["kind"]],
        row["code"],
        row["debit"],
        row["credit"],
        row["amount"],
        row["pending_id"],
        row["ref"],
    )


async def write(
    connection: Connection,
    written: Sequence[Transfer],
    balances: dict[int, Balance],
    body: bytes,
) -> int:
    """Transfers, balances and one new link of the chain are written; returns the link's number.

    The newest link is locked here, in the last statement, so that writers wait for each other as
    briefly as possible.
    """
    ids = sorted(balances)
    states = [balances[id] for id in ids]
    seq = await connection.fetchval(
        _WRITE,
        body,
        [t.id for t in written],
        [t.kind.value.encode() for t in written],
        [t.code for t in written],
        [t.debit for t in written],
        [t.credit for t in written],
        [t.amount for t in written],
        [t.pending_id for t in written],
        [t.ref for t in written],
        ids,
        [b.debits_pending for b in states],
        [b.debits_posted for b in states],
        [b.credits_pending for b in states],
        [b.credits_posted for b in states],
    )
    assert isinstance(seq, int)
    return seq


_WRITE = """
with moment as (select clock_timestamp() as at),
before as (select seq, digest from journal_head for update),
head as (
    update journal_head set
        seq = before.seq + 1,
        digest = sha256(before.digest || int8send(before.seq + 1)
                        || int8send((extract(epoch from moment.at) * 1000000)::bigint) || $1)
    from before, moment
    returning journal_head.seq, before.digest as previous, journal_head.digest, moment.at
),
linked as (
    insert into journal_link (seq, previous, digest, transfers, at)
    select seq, previous, digest, cardinality($2::uuid[]), at from head
),
moved as (
    insert into transfer (id, kind, code, debit, credit, amount, pending_id, ref, link)
    select t.*, head.seq from head, unnest(
        $2::uuid[], $3::"char"[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::uuid[], $9::uuid[]) as t
),
balanced as (
    update account a set
        debits_pending = b.dp, debits_posted = b.dc, credits_pending = b.cp, credits_posted = b.cc
    from unnest($10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
         as b (id, dp, dc, cp, cc)
    where a.id = b.id
)
select seq from head
"""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain with the transfers of its batch."""

    seq: int
    previous: bytes
    digest: bytes
    at: datetime
    transfers: list[Transfer]


async def links(
    connection: Connection, *, after: int = 0, size: int = 500
) -> AsyncIterator[list[Link]]:
    """The chain from link ``after + 1`` on, in pages of ``size`` links."""
    while True:
        rows = await connection.fetch(
            """select seq, previous, digest, at from journal_link
               where seq > $1 order by seq limit $2""",
            after,
            size,
        )
        if not rows:
            return
        last = rows[-1]["seq"]
        batch: dict[int, list[Transfer]] = {row["seq"]: [] for row in rows}
        for row in await connection.fetch(
            f"select {_TRANSFER}, link from transfer where link > $1 and link <= $2", after, last
        ):
            batch.setdefault(row["link"], []).append(_transfer(row))
        yield [
            Link(row["seq"], row["previous"], row["digest"], row["at"], batch[row["seq"]])
            for row in rows
        ]
        after = last
