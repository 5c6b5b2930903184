"""What each channel's stock is, how fast it goes, and the alarm before it is gone."""

from meterai.channel.model import (
    Allocation,
    Channel,
    ChannelId,
    Level,
    Move,
    StockRule,
    StockState,
    Why,
)
from meterai.db.connection import Connection, Row
from meterai.db.outbox import put
from meterai.ids import new_id
from meterai.ledger.model import Ledger
from meterai.quota.model import UnitAccount

RATE_OVER = "60 minutes"
"""The present rate is what left in this time, or since the oldest reading within it."""
READINGS_KEPT = "2 days"

_STATES = f"""
select c.id, c.name, c.kind, c.parent, c.disrupted_since is not null as disrupted,
       coalesce(r.floor, 0) as floor, coalesce(r.low_hours, 4) as low_hours, r.refill_to,
       coalesce(a.credits_posted - a.debits_posted - a.debits_pending, 0)::bigint as free,
       coalesce(a.debits_pending, 0) as on_order,
       coalesce(a.debits_posted + a.debits_pending, 0) - coalesce(given.units, 0)
           - coalesce(b.credits_posted, 0)                    -- into a block is not sold yet,
           + coalesce(b.debits_posted, 0) - coalesce(back.units, 0)  -- out of it is, unless it came back
           as taken,
       reading.taken as taken_then,
       extract(epoch from now() - reading.at) / 3600 as hours_since
from channel c
left join stock_rule r on r.channel = c.id
left join account a on a.ledger = {int(Ledger.UNITS)} and a.code = {int(UnitAccount.STOCK)}
     and a.owner is null and a.scope = c.id
left join account b on b.ledger = {int(Ledger.UNITS)} and b.code = {int(UnitAccount.BLOCKS)}
     and b.owner is null and b.scope = c.id
left join lateral (select sum(units)::bigint as units from allocation where giver = c.id) given on true
left join lateral (
    select sum(returned_units)::bigint as units from shift where channel = c.id) back on true
left join lateral (
    select taken, at from stock_reading where channel = c.id and at > now() - interval '{RATE_OVER}'
    order by at limit 1) reading on true
where $1::text[] is null or c.id = any($1::text[])
order by c.name
"""


async def states(
    connection: Connection, channels: list[ChannelId] | None = None
) -> list[StockState]:
    """The stock of these channels (all when left out) now, in order of their names."""
    return [_state(row) for row in await connection.fetch(_STATES, channels)]


def _state(row: Row) -> StockState:
    hours = float(row["hours_since"] or 0)
    sold = 0 if row["taken_then"] is None else max(0, row["taken"] - row["taken_then"])
    return StockState(
        channel=Channel(row["id"], row["name"], row["kind"], row["parent"]),
        free=row["free"],
        on_order=row["on_order"],
        # A first minute is too short to judge by.
        per_hour=sold / max(hours, 1 / 60),
        rule=StockRule(row["id"], row["floor"], row["low_hours"], row["refill_to"]),
        disrupted=row["disrupted"],
    )


async def read_stocks(connection: Connection) -> None:
    """This minute's reading of every stock is written down; old readings are gone."""
    for row in await connection.fetch(_STATES, None):
        await connection.execute(
            """insert into stock_reading (channel, at, taken)
               values ($1, date_trunc('minute', now()), $2) on conflict do nothing""",
            row["id"],
            row["taken"],
        )
    await connection.execute(
        f"delete from stock_reading where at < now() - interval '{READINGS_KEPT}'"
    )


async def watch(connection: Connection) -> list[ChannelId]:
    """An alarm stands for every channel that is low or sold out, and for no other.

    Returns the channels for which it was raised now.
    """
    raised = []
    for state in await states(connection):
        if state.level in (Level.LOW, Level.SOLD_OUT):
            hours = state.hours
            found = await connection.fetchval(
                """insert into stock_alarm (id, channel, units, hours) values ($1, $2, $3, $4)
                   on conflict (channel) where cleared_at is null do nothing returning id""",
                new_id(),
                state.channel.id,
                state.free,
                hours,
            )
            if found is not None:
                facts = {"channel": state.channel.id, "units": state.free}
                await put(connection, "stock.low", [(found, facts)])
                raised.append(state.channel.id)
        elif state.level is Level.IN_STOCK:
            await connection.execute(
                """update stock_alarm set cleared_at = now()
                   where channel = $1 and cleared_at is null""",
                state.channel.id,
            )
    return raised


async def alarms(connection: Connection) -> set[ChannelId]:
    """The channels for which an alarm stands."""
    rows = await connection.fetch("select channel from stock_alarm where cleared_at is null")
    return {row["channel"] for row in rows}


async def set_rule(connection: Connection, rule: StockRule) -> None:
    """The channel's stock is watched and kept by this rule."""
    await connection.execute(
        """insert into stock_rule (channel, floor, low_hours, refill_to) values ($1, $2, $3, $4)
           on conflict (channel) do update set floor = excluded.floor,
               low_hours = excluded.low_hours, refill_to = excluded.refill_to""",
        rule.channel,
        rule.floor,
        rule.low_hours,
        rule.refill_to,
    )


async def rule_of(connection: Connection, channel: ChannelId) -> StockRule:
    """The rule of this channel; the usual one when none was set."""
    row = await connection.fetchrow(
        "select channel, floor, low_hours, refill_to from stock_rule where channel = $1", channel
    )
    return StockRule(channel) if row is None else StockRule(**dict(row.items()))


async def head_of(connection: Connection, channel: ChannelId) -> ChannelId:
    """The distributor at the head of a channel's family: the last one below the issuer."""
    found = await connection.fetchval(
        """with recursive up (id, parent, kind, n) as (
               select id, parent, kind, 0 from channel where id = $1
               union all
               select c.id, c.parent, c.kind, n + 1 from channel c join up on c.id = up.parent
               where c.kind <> 'issuer' and n < 20)
           select id from up order by n desc limit 1""",
        channel,
    )
    return ChannelId(found)


async def family(connection: Connection, heads: list[str]) -> list[ChannelId]:
    """These channels and all below them, in order of their ids."""
    rows = await connection.fetch(
        """with recursive below (id) as (
               select id from channel where id = any($1::text[])
               union select c.id from channel c join below on c.parent = below.id)
           select id from below order by id""",
        heads,
    )
    return [row["id"] for row in rows]


async def add_allocation(connection: Connection, move: Move, why: Why) -> bool:
    """The movement is written down; whether this was the first time."""
    found = await connection.fetchval(
        """insert into allocation (id, giver, taker, units, why, decided_by)
           values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing returning id""",
        move.id,
        None if why is Why.ISSUED else move.giver,
        move.taker,
        move.units,
        why.value,
        move.decided_by,
    )
    return found is not None


async def allocations(
    connection: Connection, channels: list[ChannelId], *, size: int = 50
) -> list[Allocation]:
    """The newest movements in or out of these stocks, newest first."""
    rows = await connection.fetch(
        """select id, giver, taker, units, why, decided_by, at from allocation
           where giver = any($1::text[]) or taker = any($1::text[]) order by at desc, id desc limit $2""",
        channels,
        size,
    )
    return [Allocation(**dict(row.items()) | {"why": Why(row["why"])}) for row in rows]


async def to_refill(connection: Connection) -> list[tuple[Channel, int, ChannelId]]:
    """Channels below their alarm that a rule refills: which, by how many units, and from whom."""
    wanted = []
    for state in await states(connection):
        goal, parent = state.rule.refill_to, state.channel.parent
        low = state.level in (Level.LOW, Level.SOLD_OUT) or (
            goal is not None and state.free < goal // 4
        )
        if goal is not None and parent is not None and low and goal > state.free:
            wanted.append((state.channel, goal - state.free, parent))
    return wanted
