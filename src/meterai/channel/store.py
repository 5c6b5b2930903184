"""The SQL of channels and terms. Takes a connection; never commits."""

from collections.abc import Iterable
from datetime import datetime

from meterai.channel.errors import NoSuchChannel, NoTermsYet
from meterai.channel.model import Channel, ChannelId, Outlet, Terms
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


_TERMS = """channel, valid_from, duty, service_fee, units_per_order, order_seconds, file_bytes_max,
            attempts_max, deadline_seconds, keep_days, units_per_day, refund_days, refund_share,
            refund_cost, refund_two_above, opens, closes"""


async def set_terms(connection: Connection, terms: Terms) -> None:
    """These terms hold from their moment on; earlier ones stay for what was sold under them."""
    names = [name.strip() for name in _TERMS.split(",")]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    await connection.execute(
        f"insert into channel_terms ({_TERMS}) values ({places}) on conflict do nothing",
        *(getattr(terms, name) for name in names),
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
        f"""select {_TERMS} from channel_terms
            where channel = $1 and valid_from <= coalesce($2, now())
            order by valid_from desc limit 1""",
        channel,
        moment,
    )
    if row is None:
        raise NoTermsYet
    return Terms(**dict(row.items()))


async def terms_of(connection: Connection, ids: Iterable[ChannelId]) -> dict[ChannelId, Terms]:
    """The terms that hold now, of those of these channels that have any."""
    rows = await connection.fetch(
        f"""select distinct on (channel) {_TERMS} from channel_terms
            where channel = any($1::text[]) and valid_from <= now()
            order by channel, valid_from desc""",
        sorted(set(ids)),
    )
    return {row["channel"]: Terms(**dict(row.items())) for row in rows}


async def terms_history(connection: Connection, channel: ChannelId) -> list[Terms]:
    """All terms a channel ever had or will have, newest first."""
    rows = await connection.fetch(
        f"select {_TERMS} from channel_terms where channel = $1 order by valid_from desc", channel
    )
    return [Terms(**dict(row.items())) for row in rows]


async def set_disrupted(connection: Connection, channel: ChannelId, *, disrupted: bool) -> None:
    """The public sees that the channel cannot sell now; or that it can again."""
    await connection.execute(
        """update channel set disrupted_since = case when $2 then coalesce(disrupted_since, now()) end
           where id = $1""",
        channel,
        disrupted,
    )


async def add_outlet(connection: Connection, outlet: Outlet) -> None:
    """The outlet exists; a repetition changes nothing."""
    await connection.execute(
        """insert into outlet (id, channel, name, address, latitude, longitude)
           values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing""",
        outlet.id,
        outlet.channel,
        outlet.name,
        outlet.address,
        outlet.latitude,
        outlet.longitude,
    )


async def outlets(connection: Connection, channel: ChannelId | None = None) -> list[Outlet]:
    """The open outlets, of one channel where named, in order of their names."""
    rows = await connection.fetch(
        """select id, channel, name, address, latitude, longitude from outlet
           where closed_at is null and ($1::text is null or channel = $1) order by name""",
        channel,
    )
    return [Outlet(**dict(row.items())) for row in rows]
