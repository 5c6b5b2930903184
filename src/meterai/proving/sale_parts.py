"""What both halves of the sale bench sell, and to whom."""

from datetime import UTC, datetime
from uuid import UUID

from meterai.channel.model import ChannelId, Terms
from meterai.db.connection import Connection
from meterai.ids import new_id
from meterai.money import Rupiah

DUTY, FEE = Rupiah(10_000), Rupiah(500)
TOTAL = Rupiah(DUTY + FEE)
CAP = 10
"""Units a person and day, so that the cap is counted for every order."""


def terms_for(channel: ChannelId) -> Terms:
    """Usual terms, with a cap a day."""
    return Terms(
        channel=channel,
        valid_from=datetime(2024, 1, 1, tzinfo=UTC),
        duty=DUTY,
        service_fee=FEE,
        units_per_order=5,
        order_seconds=900,
        file_bytes_max=10_000_000,
        attempts_max=4,
        deadline_seconds=30,
        keep_days=30,
        units_per_day=CAP,
    )


async def add_buyers(connection: Connection, count: int) -> list[UUID]:
    """So many guests exist."""
    ids = [new_id() for _ in range(count)]
    await connection.execute(
        "insert into party (id, kind) select id, 'guest' from unnest($1::uuid[]) as p (id)", ids
    )
    return ids
