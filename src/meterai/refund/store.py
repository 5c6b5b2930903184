"""The SQL of refunds. Takes a connection; never commits."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.money import Rupiah
from meterai.refund.errors import NoSuchRefund
from meterai.refund.model import Refund, RefundKind, RefundState

_STORED = """id, reference, kind, party, purchase, notice, units, duty, service_fee, withheld, amount,
             why, by_hand, approvals_needed, state, asked_by, asked_at, approved_at, tries, trouble,
             provider_number, ended_at"""
_COLUMNS = f"""{_STORED},
    (select coalesce(array_agg(person order by at), '{{}}') from refund_approval where refund = refund.id)
        as approvals"""


def _refund(row: Row) -> Refund:
    return Refund(
        **dict(row.items())
        | {
            "kind": RefundKind(row["kind"]),
            "state": RefundState(row["state"]),
            "approvals": tuple(row["approvals"]),
        }
    )


async def add(connection: Connection, refund: Refund) -> None:
    """The refund is asked for."""
    await connection.execute(
        """insert into refund (id, reference, kind, party, purchase, notice, units, duty, service_fee,
               withheld, amount, why, by_hand, approvals_needed, state, asked_by, approved_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                   case when $15 = 'approved' then now() end)""",
        refund.id,
        refund.reference,
        refund.kind.value,
        refund.party,
        refund.purchase,
        refund.notice,
        refund.units,
        refund.duty,
        refund.service_fee,
        refund.withheld,
        refund.amount,
        refund.why,
        refund.by_hand,
        refund.approvals_needed,
        refund.state.value,
        refund.asked_by,
    )


async def find(connection: Connection, id: UUID) -> Refund:
    """The refund with this id. Raises :class:`NoSuchRefund`."""
    row = await connection.fetchrow(f"select {_COLUMNS} from refund where id = $1", id)
    if row is None:
        raise NoSuchRefund
    return _refund(row)


async def lock(connection: Connection, id: UUID) -> Refund:
    """The same, locked until the transaction ends."""
    row = await connection.fetchrow(f"select {_COLUMNS} from refund where id = $1 for update", id)
    if row is None:
        raise NoSuchRefund
    return _refund(row)


async def of_purchase(connection: Connection, purchase: UUID) -> list[Refund]:
    """The refunds of an order and of further payments for it, oldest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from refund
            where purchase = $1 or notice in (select n.id from payment_notice n
                join purchase p on p.reference = n.reference where p.id = $1)
            order by asked_at""",
        purchase,
    )
    return [_refund(row) for row in rows]


async def units_of(connection: Connection, purchase: UUID) -> int:
    """Units of an order that were refunded or are about to be."""
    found = await connection.fetchval(
        """select coalesce(sum(units), 0)::bigint from refund
           where purchase = $1 and state <> 'declined'""",
        purchase,
    )
    assert isinstance(found, int)
    return found


async def add_approval(connection: Connection, refund: UUID, person: UUID) -> bool:
    """The person agreed; whether for the first time."""
    found = await connection.fetchval(
        """insert into refund_approval (refund, person) values ($1, $2) on conflict do nothing
           returning person""",
        refund,
        person,
    )
    return found is not None


async def set_state(connection: Connection, id: UUID, state: RefundState) -> None:
    """The refund is in this state, which is not paid."""
    await connection.execute(
        """update refund set state = $2,
               approved_at = case when $2 = 'approved' then now() else approved_at end,
               not_before = case when $2 = 'approved' then '-infinity' else not_before end,
               ended_at = case when $2 = 'declined' then now() end
           where id = $1""",
        id,
        state.value,
    )


async def set_paid(connection: Connection, id: UUID, number: str) -> None:
    """The provider (or a person, by hand) paid it under this number."""
    await connection.execute(
        """update refund set state = 'paid', provider_number = $2, ended_at = now(), trouble = null
           where id = $1""",
        id,
        number,
    )


async def paid_amounts(connection: Connection, references: Sequence[str]) -> dict[str, Rupiah]:
    """What was paid under these references, of those of them that are ours and paid."""
    rows = await connection.fetch(
        """select reference, amount from refund
           where state = 'paid' and reference = any($1::text[])""",
        references,
    )
    return {row["reference"]: Rupiah(row["amount"]) for row in rows}


async def set_trouble(
    connection: Connection, id: UUID, trouble: str, *, wait: timedelta | None
) -> None:
    """The provider did not pay: it is asked again after ``wait``, or, without one, an officer has to act."""
    await connection.execute(
        """update refund set trouble = $2, tries = tries + 1,
               state = case when $3::interval is null then 'stuck' else state end,
               not_before = now() + coalesce($3::interval, interval '0')
           where id = $1 and state = 'approved'""",
        id,
        trouble,
        wait,
    )


async def to_pay(connection: Connection, *, size: int) -> list[Refund]:
    """Approved refunds whose turn it is, marked so that nobody else takes them for a minute."""
    rows = await connection.fetch(
        f"""update refund set not_before = now() + interval '60 seconds'
            where id in (select id from refund
                where state = 'approved' and not by_hand and not_before <= now()
                order by not_before, asked_at limit $1 for update skip locked)
            returning {_COLUMNS}""",
        size,
    )
    return [_refund(row) for row in rows]


async def unclaimed(connection: Connection, reasons: Sequence[str], *, size: int) -> list[UUID]:
    """Unplaced payments for one of these reasons that no refund has claimed."""
    rows = await connection.fetch(
        """select n.id from payment_notice n where n.state = 'unplaced' and n.reason = any($1::text[])
               and not exists (select 1 from refund r where r.notice = n.id and r.kind = 'payment')
           order by n.received_at limit $2""",
        list(reasons),
        size,
    )
    return [row["id"] for row in rows]


async def waiting(connection: Connection, *, size: int = 100) -> list[Refund]:
    """Refunds that have not ended, oldest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from refund where state in ('asked', 'stuck', 'approved')
            order by asked_at limit $1""",
        size,
    )
    return [_refund(row) for row in rows]


async def newest(connection: Connection, *, size: int = 50) -> list[Refund]:
    """Refunds that have ended, newest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from refund where state in ('paid', 'declined')
            order by ended_at desc limit $1""",
        size,
    )
    return [_refund(row) for row in rows]


async def of_party(connection: Connection, party: UUID, *, size: int = 50) -> list[Refund]:
    """A party's refunds, newest first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from refund where party = $1 order by asked_at desc limit $2",
        party,
        size,
    )
    return [_refund(row) for row in rows]
