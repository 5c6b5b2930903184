"""The SQL of orders. Takes a connection; never commits."""

from collections.abc import Sequence
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.sale.model import Order, OrderState

_COLUMNS = """id, reference, party, channel, terms_from, units, duty, service_fee, document, state,
              placed_at, expires_at, paid_at"""


def _order(row: Row) -> Order:
    return Order(**dict(row.items()) | {"state": OrderState(row["state"])})


async def add(connection: Connection, order: Order) -> None:
    """The order is placed."""
    await connection.execute(
        f"""insert into purchase ({_COLUMNS})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, null)""",
        order.id,
        order.reference,
        order.party,
        order.channel,
        order.terms_from,
        order.units,
        order.duty,
        order.service_fee,
        order.document,
        order.state.value,
        order.placed_at,
        order.expires_at,
    )


async def find(connection: Connection, id: UUID) -> Order | None:
    """The order with this id."""
    row = await connection.fetchrow(f"select {_COLUMNS} from purchase where id = $1", id)
    return None if row is None else _order(row)


async def lock(connection: Connection, id: UUID) -> Order | None:
    """The order, locked until the transaction ends."""
    row = await connection.fetchrow(f"select {_COLUMNS} from purchase where id = $1 for update", id)
    return None if row is None else _order(row)


async def lock_by_reference(connection: Connection, reference: str) -> Order | None:
    """The order with this payment reference, locked until the transaction ends."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from purchase where reference = $1 for update", reference
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
