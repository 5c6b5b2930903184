"""The settlement of a day: each channel's units by the books, beside what its papers say."""

from datetime import date

from meterai.channel.model import ChannelId
from meterai.db.connection import Connection
from meterai.ledger.model import Ledger
from meterai.quota.model import UnitAccount, UnitMove
from meterai.treasury.model import DaySettlement

_DAY = f"""
with bounds as (
    select $1::date::timestamp at time zone 'Asia/Jakarta' as starts,
           ($1::date + 1)::timestamp at time zone 'Asia/Jakarta' as ends),
links as (
    select coalesce(max(seq) filter (where at < starts), 0) as before,
           coalesce(max(seq) filter (where at < ends), 0) as last
    from journal_link, bounds),
stocks as (
    select id, scope as channel from account
    where ledger = {int(Ledger.UNITS)} and owner is null
      and code in ({int(UnitAccount.STOCK)}, {int(UnitAccount.BLOCKS)})  -- a block is stock in a drawer
      and scope = any($2::text[])),
moved as (
    select s.channel, t.code, t.link, t.credit = s.id as into_stock, t.amount
    from stocks s join transfer t on t.debit = s.id or t.credit = s.id
    where t.kind in ('S', 'C') and t.link <= (select last from links)),
book as (
    select channel,
           sum(case when into_stock then amount else -amount end) filter (where link <= before) as opening,
           sum(case when into_stock then amount else -amount end) as closing,
           sum(amount) filter (where link > before and into_stock
               and code in ({UnitMove.ISSUED}, {UnitMove.ALLOCATED})) as received,
           sum(amount) filter (where link > before and not into_stock
               and code = {UnitMove.PURCHASED}) as sold,
           sum(amount) filter (where link > before and into_stock
               and code = {UnitMove.REFUNDED}) as given_back,
           sum(amount) filter (where link > before and not into_stock
               and code = {UnitMove.ALLOCATED}) as returned
    from moved, links group by channel),
papers as (
    select c.id as channel,
        (select sum(units) from allocation a, bounds where a.taker = c.id
            and a.at >= starts and a.at < ends) as received,
        (select sum(units) from allocation a, bounds where a.giver = c.id
            and a.at >= starts and a.at < ends) as returned,
        (select sum(units) from purchase p, bounds where p.channel = c.id and p.state = 'paid'
            and p.paid_at >= starts and p.paid_at < ends) as sold,
        (select sum(r.units) from refund r join purchase p on p.id = r.purchase, bounds
            where p.channel = c.id and r.state = 'paid' and r.ended_at >= starts and r.ended_at < ends)
            as given_back
    from channel c where c.id = any($2::text[]))
select p.channel, coalesce(b.opening, 0)::bigint as opening, coalesce(b.closing, 0)::bigint as closing,
       coalesce(b.received, 0)::bigint as received, coalesce(b.sold, 0)::bigint as sold,
       coalesce(b.given_back, 0)::bigint as given_back, coalesce(b.returned, 0)::bigint as returned,
       coalesce(p.received, 0)::bigint as papers_received, coalesce(p.sold, 0)::bigint as papers_sold,
       coalesce(p.given_back, 0)::bigint as papers_given_back,
       coalesce(p.returned, 0)::bigint as papers_returned
from papers p left join book b using (channel) order by p.channel
"""


async def settle_day(
    connection: Connection, channels: list[ChannelId], day: date
) -> list[DaySettlement]:
    """The day (WIB) of these channels; a difference is named line by line, to one unit."""
    rows = await connection.fetch(_DAY, day, channels)
    return [DaySettlement(day=day, **dict(row.items())) for row in rows]
