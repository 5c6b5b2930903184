"""The SQL of channels and terms. Takes a connection; never commits."""

from datetime import datetime

from meterai.channel.errors import NoSuchChannel, NoTermsYet
from meterai.channel.model import Channel, ChannelId, Terms
from meterai.db.connection import Connection, Row


async def open_channel(connection: Connection, channel: Channel) -> None:
    """The channel exists; a repetition changes nothing."""
    await connection.execute(
        """insert into channel (id, name, kind, parent) values ($1, $2, $3, $4)
           on conflict (id) do nothing""",
        channel.id,
        channel.name,
        channel.kind,
        channel.parent,
    )


async def set_terms(connection: Connection, terms: Terms) -> None:
    """These terms hold from their moment on; earlier ones stay for what was sold under them."""
    await connection.execute(
        """insert into channel_terms (channel, valid_from, duty, service_fee, units_per_order,
               order_seconds, file_bytes_max, attempts_max, deadline_seconds, keep_days)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing""",
        terms.channel,
        terms.valid_from,
        terms.duty,
        terms.service_fee,
        terms.units_per_order,
        terms.order_seconds,
        terms.file_bytes_max,
        terms.attempts_max,
        terms.deadline_seconds,
        terms.keep_days,
    )


async def channels(connection: Connection) -> list[Channel]:
    """All channels, in order of their names."""
    rows = await connection.fetch("select id, name, kind, parent from channel order by name")
    return [_channel(row) for row in rows]


async def find(connection: Connection, channel: ChannelId) -> Channel:
    """The channel of this name. Raises :class:`NoSuchChannel`."""
    row = await connection.fetchrow(
        "select id, name, kind, parent from channel where id = $1", channel
    )
    if row is None:
        raise NoSuchChannel
    return _channel(row)


def _channel(row: Row) -> Channel:
    return Channel(row["id"], row["name"], row["kind"], row["parent"])


async def terms_at(
    connection: Connection, channel: ChannelId, moment: datetime | None = None
) -> Terms:
    """The terms of a channel at ``moment`` (now, by the database's clock, when left out).

    Raises :class:`NoTermsYet`.
    """
    row = await connection.fetchrow(
        """select channel, valid_from, duty, service_fee, units_per_order, order_seconds,
                  file_bytes_max, attempts_max, deadline_seconds, keep_days
           from channel_terms where channel = $1 and valid_from <= coalesce($2, now())
           order by valid_from desc limit 1""",
        channel,
        moment,
    )
    if row is None:
        raise NoTermsYet
    return Terms(**dict(row.items()))
