"""The SQL of orders. Takes a connection; never commits."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.sale.model import Order, OrderState

_COLUMNS = """id, reference, party, channel, terms_from, units, duty, service_fee, document, state,
              placed_at, expires_at, paid_at"""


def _order(row: Row) -> Order:
    return Order(**dict(row.items()) | {"state": OrderState(row["state"])})


async def add_all(
    connection: Connection,
    orders: Sequence[Order],
    *,
    providers: Sequence[str],
    buyers: Sequence[bytes],
) -> None:
    """The orders are placed, each with the request for its payment."""
    if not orders:
        return
    await connection.execute(
        """with requested as (
               insert into payment_request (reference, provider, amount, expires_at)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
               returning reference)
           insert into purchase (reference, expires_at, id, party, channel, terms_from, units, duty,
                                 service_fee, document, state, placed_at, buyer)
           select w.* from unnest($1::text[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::text[],
                $8::timestamptz[], $9::int[], $10::bigint[], $11::bigint[], $12::uuid[], $13::text[],
                $14::timestamptz[], $15::bytea[]) as w""",
        [order.reference for order in orders],
        list(providers),
        [order.total for order in orders],
        [order.expires_at for order in orders],
        [order.id for order in orders],
        [order.party for order in orders],
        [order.channel for order in orders],
        [order.terms_from for order in orders],
        [order.units for order in orders],
        [order.duty for order in orders],
        [order.service_fee for order in orders],
        [order.document for order in orders],
        [order.state.value for order in orders],
        [order.placed_at for order in orders],
        list(buyers),
    )


async def bought_today(
    connection: Connection, buyers: Iterable[tuple[str, bytes]]
) -> dict[tuple[str, bytes], int]:
    """Units that these buyers ordered on these channels since midnight (WIB), paid or still to be paid."""
    wanted = sorted(set(buyers))
    rows = await connection.fetch(
        """select p.channel, p.buyer, sum(p.units)::bigint as units
           from unnest($1::text[], $2::bytea[]) as w (channel, buyer)
           join purchase p on p.channel = w.channel and p.buyer = w.buyer
           where p.state in ('placed', 'paid')
             and p.placed_at >= date_trunc('day', now() at time zone 'Asia/Jakarta')
                                at time zone 'Asia/Jakarta'
           group by p.channel, p.buyer""",
        [channel for channel, _ in wanted],
        [buyer for _, buyer in wanted],
    )
    return {(row["channel"], row["buyer"]): row["units"] for row in rows}


async def find_all(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Order]:
    """Those of these orders that exist, by id."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from purchase where id = any($1::uuid[])", ids
    )
    return {row["id"]: _order(row) for row in rows}


async def lock_by_references(connection: Connection, references: Sequence[str]) -> dict[str, Order]:
    """The orders with these payment references, locked in order of id until the transaction ends."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from purchase where reference = any($1::text[])
            order by id for update""",
        references,
    )
    return {row["reference"]: _order(row) for row in rows}


async def find(connection: Connection, id: UUID) -> Order | None:
    """The order with this id."""
    row = await connection.fetchrow(f"select {_COLUMNS} from purchase where id = $1", id)
    return None if row is None else _order(row)


async def lock(connection: Connection, id: UUID) -> Order | None:
    """The order, locked until the transaction ends."""
    row = await connection.fetchrow(f"select {_COLUMNS} from purchase where id = $1 for update", id)
    return None if row is None else _order(row)


async def with_reference(connection: Connection, reference: str) -> Order | None:
    """The order with this payment reference."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from purchase where reference = $1", reference
    )
    return None if row is None else _order(row)


async def newest_for_document(connection: Connection, document: UUID) -> Order | None:
    """The newest order made for a document."""
    row = await connection.fetchrow(
        f"""select {_COLUMNS} from purchase where document = $1
            order by placed_at desc, id desc limit 1""",
        document,
    )
    return None if row is None else _order(row)


async def of_parties(
    connection: Connection, parties: Sequence[UUID], *, size: int = 100
) -> list[Order]:
    """The orders of these parties, newest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from purchase where party = any($1::uuid[])
            order by placed_at desc limit $2""",
        parties,
        size,
    )
    return [_order(row) for row in rows]


async def due(connection: Connection, *, size: int) -> list[Order]:
    """Orders whose time is over, locked; those another transaction holds are left out."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from purchase where state = 'placed' and expires_at < now()
            order by expires_at limit $1 for update skip locked""",
        size,
    )
    return [_order(row) for row in rows]


async def end(connection: Connection, ids: Sequence[UUID], state: OrderState) -> None:
    """These orders are paid, expired or cancelled."""
    await connection.execute(
        """update purchase set state = $2, paid_at = case when $2 = 'paid' then now() end
           where id = any($1::uuid[])""",
        ids,
        state.value,
    )
