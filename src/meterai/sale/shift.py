"""Shifts at a counter (*giliran*): who sells where, with which drawer and block, and how it adds up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.channel.model import ChannelId
from meterai.db.connection import Connection, Row
from meterai.money import Rupiah
from meterai.sale.errors import NoSuchShift

BLOCK_MAX = 200
"""Units a counter may hold for selling without the centre."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One clerk's time at one outlet."""

    id: UUID
    channel: ChannelId
    outlet: str
    clerk: UUID
    terms_from: datetime
    opening_cash: Rupiah
    block_units: int
    returned_units: int
    device: bytes | None
    opened_at: datetime
    closed_at: datetime | None
    counted_cash: Rupiah | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class Drawer:
    """What a shift did, by the books."""

    opening: Rupiah
    cash_orders: int
    cash: Rupiah
    given_back: Rupiah
    """For sales that were undone."""
    qris_orders: int
    qris: Rupiah
    units: int
    counted: Rupiah | None

    @property
    def expected(self) -> Rupiah:
        """What should lie in the drawer."""
        return Rupiah(self.opening + self.cash - self.given_back)

    @property
    def difference(self) -> Rupiah | None:
        """Counted less expected; None while nobody counted."""
        return None if self.counted is None else Rupiah(self.counted - self.expected)


_COLUMNS = """id, channel, outlet, clerk, terms_from, opening_cash, block_units, returned_units, device,
              opened_at, closed_at, counted_cash, remark"""


def _shift(row: Row) -> Shift:
    return Shift(**dict(row.items()))


async def add(connection: Connection, shift: Shift) -> bool:
    """The shift is open; whether it was opened now. One clerk has one open shift."""
    found = await connection.fetchval(
        """insert into shift (id, channel, outlet, clerk, terms_from, opening_cash, block_units)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id""",
        shift.id,
        shift.channel,
        shift.outlet,
        shift.clerk,
        shift.terms_from,
        shift.opening_cash,
        shift.block_units,
    )
    return found is not None


async def open_shift_of(connection: Connection, clerk: UUID) -> Shift | None:
    """The clerk's open shift."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from shift where clerk = $1 and closed_at is null", clerk
    )
    return None if row is None else _shift(row)


async def find(connection: Connection, id: UUID) -> Shift:
    """The shift. Raises :class:`NoSuchShift`."""
    row = await connection.fetchrow(f"select {_COLUMNS} from shift where id = $1", id)
    if row is None:
        raise NoSuchShift
    return _shift(row)


async def lock(connection: Connection, id: UUID) -> Shift:
    """The shift, locked: what its device reports, its closing and its voids come one after the other.

    A redeemed code of its block does not wait for that: it only names the shift.

    Raises :class:`NoSuchShift`.
    """
    row = await connection.fetchrow(
        f"select {_COLUMNS} from shift where id = $1 for no key update", id
    )
    if row is None:
        raise NoSuchShift
    return _shift(row)


async def bind_device(connection: Connection, id: UUID, device: bytes) -> bool:
    """The block belongs to this device; False when another one has it."""
    found = await connection.fetchval(
        """update shift set device = coalesce(device, $2) where id = $1 and closed_at is null
           returning device""",
        id,
        device,
    )
    return bool(found == device)


async def end(
    connection: Connection, id: UUID, *, counted: Rupiah, remark: str | None, returned: int
) -> None:
    """The shift is closed with what was counted."""
    await connection.execute(
        """update shift set closed_at = now(), counted_cash = $2, remark = $3, returned_units = $4
           where id = $1""",
        id,
        counted,
        remark,
        returned,
    )


async def drawer(connection: Connection, id: UUID) -> Drawer:
    """What the shift did so far; a sale that is reported after its closing changes it, visibly."""
    row = await connection.fetchrow(
        """select s.opening_cash, s.counted_cash,
                  count(c.purchase) filter (where c.method = 'cash') as cash_orders,
                  coalesce(sum(p.duty + p.service_fee) filter (where c.method = 'cash'), 0)::bigint as cash,
                  count(c.purchase) filter (where c.method = 'qris' and p.state = 'paid') as qris_orders,
                  coalesce(sum(p.duty + p.service_fee)
                           filter (where c.method = 'qris' and p.state = 'paid'), 0)::bigint as qris,
                  coalesce(sum(p.units) filter (where p.state = 'paid'), 0)::bigint as units,
                  (select coalesce(sum(r.amount), 0)::bigint from counter_void w
                      join voucher v on v.id = w.voucher
                      join counter_sale c on c.purchase = v.purchase and c.method = 'cash'
                      join refund r on r.purchase = v.purchase and r.state = 'paid'
                   where w.shift = s.id) as given_back
           from shift s left join counter_sale c on c.shift = s.id left join purchase p on p.id = c.purchase
           where s.id = $1 group by s.id""",
        id,
    )
    if row is None:
        raise NoSuchShift
    return Drawer(
        opening=row["opening_cash"],
        cash_orders=row["cash_orders"],
        cash=row["cash"],
        given_back=row["given_back"],
        qris_orders=row["qris_orders"],
        qris=row["qris"],
        units=row["units"],
        counted=row["counted_cash"],
    )


async def add_sale(
    connection: Connection, purchase: UUID, shift: UUID, method: str, sold_at: datetime
) -> None:
    """The order was sold in this shift; a repetition changes nothing."""
    await connection.execute(
        """insert into counter_sale (purchase, shift, method, sold_at) values ($1, $2, $3, $4)
           on conflict do nothing""",
        purchase,
        shift,
        method,
        sold_at,
    )


async def shift_of_sale(connection: Connection, purchase: UUID) -> Shift:
    """In which shift the order was sold. Raises :class:`NoSuchShift`."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from shift where id = (select shift from counter_sale where purchase = $1)",
        purchase,
    )
    if row is None:
        raise NoSuchShift
    return _shift(row)


async def closed_shifts(connection: Connection, channels: list[ChannelId]) -> list[Shift]:
    """The newest closed shifts of these channels."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from shift where channel = any($1::text[]) and closed_at is not null
            order by closed_at desc limit 30""",
        channels,
    )
    return [_shift(row) for row in rows]
