"""Numbered papers of an order: *tagihan* (invoice) and *kuitansi* (receipt), without gaps per channel and year.

A number is drawn when a paper is asked for first, under the lock of its series, in the transaction that issues
it: what is rolled back leaves no gap, and whoever asks again gets the same number.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meterai.clock import WIB
from meterai.db.connection import Connection, Row
from meterai.sale.model import Order


class PaperKind(Enum):
    """Which paper; the value stands in the books."""

    INVOICE = "invoice"
    """What is to be paid (*tagihan*)."""
    RECEIPT = "receipt"
    """What was paid (*kuitansi*)."""


_SIGNS = {PaperKind.INVOICE: "TGH", PaperKind.RECEIPT: "KWT"}


@dataclass(frozen=True, slots=True)
class Paper:
    """An issued paper."""

    kind: PaperKind
    channel: str
    year: int
    number: int
    issued_at: datetime

    @property
    def said(self) -> str:
        """``KWT/LANGSUNG/2026/000123``."""
        return f"{_SIGNS[self.kind]}/{self.channel.upper()}/{self.year}/{self.number:06d}"


async def issue_paper(
    connection: Connection, order: Order, kind: PaperKind, now: datetime
) -> Paper:
    """The order has this paper, one of each kind, under the next number of its channel and year (WIB)."""
    known = await _find(connection, order, kind)
    if known is not None:
        return known
    series = (kind.value, order.channel, now.astimezone(WIB).year)
    await connection.execute(
        """insert into paper_series (kind, channel, year) values ($1, $2, $3)
           on conflict do nothing""",
        *series,
    )
    last = await connection.fetchval(
        """select last from paper_series where kind = $1 and channel = $2 and year = $3
           for update""",
        *series,
    )
    known = await _find(connection, order, kind)  # somebody may have held the lock for this order
    if known is not None:
        return known
    await connection.execute(
        "update paper_series set last = $4 where kind = $1 and channel = $2 and year = $3",
        *series,
        last + 1,
    )
    row = await connection.fetchrow(
        f"""insert into paper (kind, channel, year, number, purchase, issued_at)
            values ($1, $2, $3, $4, $5, $6) returning {_COLUMNS}""",
        *series,
        last + 1,
        order.id,
        now,
    )
    assert row is not None
    return _paper(row)


_COLUMNS = "kind, channel, year, number, issued_at"


async def _find(connection: Connection, order: Order, kind: PaperKind) -> Paper | None:
    row = await connection.fetchrow(
        f"select {_COLUMNS} from paper where purchase = $1 and kind = $2", order.id, kind.value
    )
    return None if row is None else _paper(row)


def _paper(row: Row) -> Paper:
    return Paper(**dict(row.items()) | {"kind": PaperKind(row["kind"])})
