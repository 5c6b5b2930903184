"""The invariants as SQL: each query lists contradictions as (about, detail), and none when all is well.

All run in one REPEATABLE READ transaction, so that they speak of one moment.
"""

from meterai.audit.model import Invariant
from meterai.payment.model import MoneyAccount, MoneyMove
from meterai.quota.model import UnitAccount, UnitMove

QUERIES: list[tuple[Invariant, str]] = [
    (
        Invariant.BOOKS,
        """with moved as (
               select account, sum(dp) dp, sum(dc) dc, sum(cp) cp, sum(cc) cc from (
                   select debit as account,
                          case kind when 'P' then amount when 'S' then 0 else -amount end as dp,
                          case when kind in ('S', 'C') then amount else 0 end as dc,
                          0 as cp, 0 as cc from transfer
                   union all
                   select credit, 0, 0,
                          case kind when 'P' then amount when 'S' then 0 else -amount end,
                          case when kind in ('S', 'C') then amount else 0 end from transfer) m
               group by account)
           select 'account ' || coalesce(a.id, m.account), 'balance is not the sum of its transfers'
           from account a full join moved m on m.account = a.id
           where a.id is null
              or (a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted)
                 is distinct from
                 (coalesce(m.dp, 0), coalesce(m.dc, 0), coalesce(m.cp, 0), coalesce(m.cc, 0))""",
    ),
    (
        Invariant.BOOKS,
        """select 'transfer ' || t.id, 'accounts of different ledgers, or none'
           from transfer t left join account d on d.id = t.debit left join account c on c.id = t.credit
           where d.ledger is distinct from c.ledger or d.id is null""",
    ),
    (
        Invariant.BOOKS,
        """select 'transfer ' || t.id, 'does not fit the pending transfer it ends'
           from transfer t left join transfer p on p.id = t.pending_id and p.kind = 'P'
           where t.pending_id is not null
             and (t.debit, t.credit, t.amount) is distinct from (p.debit, p.credit, p.amount)""",
    ),
    (
        Invariant.BOOKS,
        """select 'account ' || id, 'is overdrawn' from account
           where (flags = 1 and debits_pending + debits_posted > credits_posted)
              or (flags = 2 and credits_pending + credits_posted > debits_posted)""",
    ),
    (
        Invariant.UNITS,
        f"""select 'the nation', 'issued ' || issued || ', found ' || held from (
               select coalesce(sum(debits_posted - credits_posted)
                               filter (where code = {UnitAccount.ISSUANCE}), 0) as issued,
                      coalesce(sum(credits_posted - debits_posted)
                               filter (where code <> {UnitAccount.ISSUANCE}), 0) as held
               from account where ledger = 2) s where issued <> held""",
    ),
    (
        Invariant.UNITS,
        """with came as (
               select c.scope as channel,
                      sum(t.amount) filter (where d.scope is distinct from c.scope) as n
               from transfer t join account d on d.id = t.debit join account c on c.id = t.credit
               where t.kind in ('S', 'C') and c.ledger = 2 and c.scope is not null group by c.scope),
           went as (
               select d.scope as channel,
                      sum(t.amount) filter (where d.scope is distinct from c.scope) as n
               from transfer t join account d on d.id = t.debit join account c on c.id = t.credit
               where t.kind in ('S', 'C') and d.ledger = 2 and d.scope is not null group by d.scope),
           held as (
               select scope as channel, sum(credits_posted - debits_posted) as n
               from account where ledger = 2 and scope is not null group by scope)
           select 'channel ' || held.channel, 'received ' || coalesce(came.n, 0) - coalesce(went.n, 0)
                  || ', holds ' || held.n
           from held left join came using (channel) left join went using (channel)
           where coalesce(came.n, 0) - coalesce(went.n, 0) <> held.n""",
    ),
    (
        Invariant.UNITS,
        f"""with open as (
               select party, channel, sum(units) filter (where ended_at is null) as reserved,
                      sum(units) filter (where state = 'affixed') as used
               from affixing group by party, channel),
           leaving as (
               select r.party, p.channel, sum(r.units) as units from refund r
               join purchase p on p.id = r.purchase
               where r.state in ('asked', 'approved', 'stuck') group by r.party, p.channel),
           held as (
               select owner as party, scope as channel,
                      sum(debits_pending) filter (where code = {UnitAccount.AVAILABLE}) as reserved,
                      sum(credits_posted) filter (where code = {UnitAccount.USED}) as used
               from account where ledger = 2 and owner is not null group by owner, scope)
           select 'party ' || coalesce(open.party, held.party), 'affixings and refunds reserve '
                  || coalesce(open.reserved, 0) + coalesce(leaving.units, 0)
                  || ' and use ' || coalesce(open.used, 0)
                  || ', the books say ' || coalesce(held.reserved, 0) || ' and ' || coalesce(held.used, 0)
           from open full join held using (party, channel)
           left join leaving using (party, channel)
           where (coalesce(open.reserved, 0) + coalesce(leaving.units, 0), coalesce(open.used, 0))
              <> (coalesce(held.reserved, 0), coalesce(held.used, 0))""",
    ),
    (
        Invariant.UNITS,
        f"""with placed as (
               select channel, sum(units) as n from purchase where state = 'placed' group by channel),
           held as (
               select scope as channel, sum(debits_pending) as n from account
               where ledger = 2 and code = {UnitAccount.STOCK} group by scope)
           select 'channel ' || channel, 'orders set aside ' || coalesce(placed.n, 0)
                  || ', the books say ' || coalesce(held.n, 0)
           from placed full join held using (channel)
           where coalesce(placed.n, 0) <> coalesce(held.n, 0)""",
    ),
    (
        Invariant.UNITS,
        f"""with said as (
               select channel, sum(units) filter (where state = 'kept') as kept,
                      sum(units) filter (where state = 'live') as live
               from voucher group by channel),
           held as (
               select scope as channel,
                      sum(credits_posted - debits_posted) filter (where code = {UnitAccount.BLOCKS}) as kept,
                      sum(credits_posted - debits_posted) filter (where code = {UnitAccount.VOUCHERS}) as live
               from account where ledger = 2 and owner is null group by scope)
           select 'channel ' || channel, 'vouchers keep ' || coalesce(said.kept, 0) || ' in blocks and '
                  || coalesce(said.live, 0) || ' to redeem, the books say ' || coalesce(held.kept, 0)
                  || ' and ' || coalesce(held.live, 0)
           from said full join held using (channel)
           where (coalesce(said.kept, 0), coalesce(said.live, 0))
              <> (coalesce(held.kept, 0), coalesce(held.live, 0))""",
    ),
    (
        Invariant.UNITS,
        f"""select 'voucher ' || v.id, 'is ' || v.state || ' over ' || v.units || ' units; the books moved '
                  || coalesce(m.filled, 0) || ' in, ' || coalesce(m.redeemed, 0) || ' to who brought it, '
                  || coalesce(m.back, 0) || ' back'
           from voucher v
           left join (
               select t.ref,
                      sum(t.amount) filter (where t.code = {UnitMove.VOUCHED}
                                            and c.code = {UnitAccount.VOUCHERS}) as filled,
                      sum(t.amount) filter (where t.code = {UnitMove.REDEEMED}) as redeemed,
                      sum(t.amount) filter (where t.code = {UnitMove.VOUCHED}
                                            and d.code = {UnitAccount.VOUCHERS}) as back
               from transfer t join account d on d.id = t.debit join account c on c.id = t.credit
               where t.code in ({UnitMove.VOUCHED}, {UnitMove.REDEEMED}) group by t.ref) m on m.ref = v.id
           where (coalesce(m.filled, 0), coalesce(m.redeemed, 0), coalesce(m.back, 0))
              <> (case when v.giver is null then 0 else v.units end,
                  case v.state when 'redeemed' then v.units else 0 end,
                  case when v.state = 'revoked' and v.giver is not null then v.units else 0 end)""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'order ' || p.reference, 'was sold at a counter and is ' || p.state || ' with vouchers over '
                  || coalesce(sum(v.units), 0) || ' units of ' || p.units
           from counter_sale s join purchase p on p.id = s.purchase left join voucher v on v.purchase = p.id
           group by p.id, p.reference, p.state, p.units, s.method
           having coalesce(sum(v.units), 0) > case p.state when 'paid' then p.units else 0 end
               or (s.method = 'cash' and (p.state <> 'paid' or coalesce(sum(v.units), 0) <> p.units))""",
    ),
    (
        Invariant.UNITS,
        f"""select 'allocation ' || coalesce(a.id, t.ref), 'says '
                  || coalesce(a.units::text, 'nothing')
                  || ' from ' || coalesce(a.giver, 'the issuer') || ' to ' || coalesce(a.taker, 'nowhere')
                  || ', the books moved ' || coalesce(t.amount, 0) || ' from '
                  || coalesce(t.giver, 'the issuer') || ' to ' || coalesce(t.taker, 'nowhere')
           from allocation a
           full join (select t.ref, t.amount, d.scope as giver, c.scope as taker, t.code from transfer t
                      join account d on d.id = t.debit join account c on c.id = t.credit
                      where t.kind = 'S' and c.code = {UnitAccount.STOCK} and c.ledger = 2
                        and t.code in ({UnitMove.ISSUED}, {UnitMove.ALLOCATED})) t on t.ref = a.id
           where (a.units, a.giver, a.taker) is distinct from (t.amount, t.giver, t.taker)
             and not (a.id is null and t.code = {UnitMove.ISSUED})""",
    ),
    (
        Invariant.UNITS,
        f"""select 'channel ' || channel, 'took stock for Rp' || owed || ' of deposited duty, the books say Rp'
                  || booked
           from (select c.id as channel,
                        coalesce((select sum(a.units * (select t.duty from channel_terms t
                                     where t.channel = c.id and t.valid_from <= a.at
                                     order by t.valid_from desc limit 1)
                                     * case a.why when 'topped_up' then 1 else -1 end)
                                  from allocation a
                                  where (a.taker = c.id and a.why = 'topped_up')
                                     or (a.giver = c.id and a.why = 'returned')), 0)::bigint as owed,
                        coalesce((select credits_posted - debits_posted from account
                                  where ledger = 1 and code = {MoneyAccount.STOCKED_DUTY}
                                    and owner is null and scope = c.id), 0) as booked
                 from channel c) s
           where owed <> booked""",
    ),
    (
        Invariant.SERIALS,
        """select 'serial ' || s.number, 'is affixed, but its affixing is ' || coalesce(a.state, 'missing')
           from serial s left join affixing a on a.id = s.affixing
           where s.state = 'affixed'
             and (a.state is distinct from 'affixed' or a.source_sha256 <> s.source_sha256
                  or a.signed_sha256 <> s.signed_sha256 or a.file_sha256 <> s.file_sha256)""",
    ),
    (
        Invariant.SERIALS,
        """select 'affixing ' || a.id, 'is ' || a.state || ' with ' || count(s.number) || ' serials of '
                  || a.units || ', states ' || coalesce(string_agg(distinct s.state, ' '), 'none')
           from affixing a left join serial s on s.affixing = a.id
           group by a.id, a.state, a.units
           having count(s.number) <> a.units or count(s.number) <> count(s.number) filter (
               where s.state = case a.state when 'affixed' then 'affixed'
                                            when 'restored' then 'void' when 'cancelled' then 'void'
                                            else 'bound' end)""",
    ),
    (
        Invariant.PAYMENTS,
        f"""select 'payment ' || n.external_id, 'is ' || n.state || ' but moved Rp'
                  || coalesce(left_.amount, 0) || ' as unplaced and Rp' || coalesce(paid.amount, 0)
                  || ' for its order, of Rp' || n.amount
           from payment_notice n
           left join purchase p on p.reference = n.reference
           left join (select ref, sum(amount) as amount from transfer
                      where kind = 'S' and code = {MoneyMove.UNPLACED} group by ref) left_
                on left_.ref = n.id
           left join (select ref, sum(amount) as amount from transfer
                      where kind = 'S' and code in ({MoneyMove.DUTY_PAID}, {MoneyMove.FEE_PAID})
                      group by ref) paid
                on paid.ref = p.id and n.state = 'credited'
           where (coalesce(left_.amount, 0), coalesce(paid.amount, 0))
                 <> case n.state when 'new' then (0::numeric, 0::numeric)
                                 when 'credited' then (0::numeric, n.amount::numeric)
                                 else (n.amount::numeric, 0::numeric) end""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'order ' || p.reference, 'is ' || p.state || ' with ' || count(n.id)
                  || ' credited payments'
           from purchase p
           left join payment_notice n on n.reference = p.reference and n.state = 'credited'
           group by p.id, p.reference, p.state, p.duty, p.service_fee
           having count(n.id) <> case p.state when 'paid' then 1 else 0 end
               or (p.state = 'paid' and sum(n.amount) <> p.duty + p.service_fee)""",
    ),
    (
        Invariant.PAYMENTS,
        f"""select 'order ' || p.reference, 'is ' || p.state || ' and its units moved '
                  || coalesce(sum(t.amount), 0) || ' of ' || p.units
           from purchase p
           left join transfer t on t.ref = p.id and t.kind in ('S', 'C')
                and exists (select 1 from account a where a.id = t.credit
                            and a.ledger = 2 and a.code = {UnitAccount.AVAILABLE})
           group by p.id, p.reference, p.state, p.units
           having coalesce(sum(t.amount), 0) <> case p.state when 'paid' then p.units else 0 end""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'provider ' || provider, 'unplaced Rp' || coalesce(n.amount, 0) || ', books say Rp'
                  || coalesce(a.amount, 0)
           from (select provider, sum(amount) as amount from payment_notice
                 where state = 'unplaced' group by provider) n
           full join (select scope as provider, sum(credits_posted - debits_posted) as amount
                      from account where ledger = 1 and code = 102 group by scope) a using (provider)
           where coalesce(n.amount, 0) <> coalesce(a.amount, 0)""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'payment ' || external_id, 'was recorded but not matched for more than a minute'
           from payment_notice where state = 'new' and received_at < now() - interval '60 seconds'""",
    ),
    (
        Invariant.PAYMENTS,
        f"""select 'refund ' || r.reference, 'is ' || r.state || ' over Rp' || r.amount || ' and ' || r.units
                  || ' units; the books hold Rp' || coalesce(m.amount, 0) || ' and ' || coalesce(m.units, 0)
                  || ' units, ended ' || coalesce(m.ended, 'not')
           from refund r
           left join (
               select t.ref,
                      sum(t.amount) filter (where t.code = {MoneyMove.REFUNDED}) as amount,
                      sum(t.amount) filter (where t.code = {UnitMove.REFUNDED}) as units,
                      count(*) as holds, string_agg(distinct e.kind::text, ' ') as ended,
                      count(e.id) as ends
               from transfer t left join transfer e on e.pending_id = t.id
               where t.kind = 'P' and t.code in ({MoneyMove.REFUNDED}, {UnitMove.REFUNDED},
                                                 {MoneyMove.WITHHELD})
               group by t.ref) m on m.ref = r.id
           where coalesce(m.amount, 0) <> r.amount or coalesce(m.units, 0) <> r.units
              or m.ends <> case when r.state in ('paid', 'declined') then m.holds else 0 end
              or m.ended is distinct from case r.state when 'paid' then 'C' when 'declined' then 'V' end""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'payment ' || n.external_id, 'is ' || n.state || ' with ' || count(r.id)
                  || ' refunds paid for it'
           from payment_notice n
           left join refund r on r.notice = n.id and r.kind = 'payment' and r.state = 'paid'
           group by n.id, n.external_id, n.state
           having count(r.id) <> case n.state when 'refunded' then 1 else 0 end""",
    ),
    (
        Invariant.PAYMENTS,
        """select 'order ' || p.reference, 'has ' || p.units || ' units and refunds for ' || sum(r.units)
           from purchase p join refund r on r.purchase = p.id and r.state <> 'declined'
           group by p.id, p.reference, p.units having sum(r.units) > p.units""",
    ),
    (
        Invariant.DEADLINES,
        """select 'affixing ' || id, 'is ' || state || ' more than a minute after its deadline'
           from affixing where ended_at is null and deadline < now() - interval '60 seconds'""",
    ),
    (
        Invariant.DEADLINES,
        """select 'affixing ' || a.id, 'is ' || a.state || ' and its hold ended '
                  || coalesce(string_agg(t.kind::text, ' '), 'never')
           from affixing a
           left join transfer t on t.ref = a.id and t.pending_id is not null
           group by a.id, a.state
           having case a.state when 'affixed' then array_agg(t.kind::text) is distinct from array['C']
                      when 'restored' then count(t.id) <> 1 or bool_or(t.kind = 'C')
                      when 'cancelled' then count(t.id) <> 1 or bool_or(t.kind = 'C')
                      else count(t.id) <> 0 end""",
    ),
    (
        Invariant.PROMISES,
        """select 'affixing ' || a.id, 'has no hold in the books'
           from affixing a where not exists (
               select 1 from transfer t where t.ref = a.id and t.kind = 'P' and t.amount = a.units)""",
    ),
    (
        Invariant.PROMISES,
        """select 'affixing ' || a.id, 'was reserved for another document than the row says'
           from affixing a join document d on d.id = a.document
           where a.source_sha256 <> d.sha256""",
    ),
]

COUNTS = """
select (select count(*) from transfer) as transfers,
       (select count(*) from journal_link) as links,
       (select count(*) from serial) as serials,
       (select count(*) from affixing) as affixings,
       (select count(*) from affixing where state = 'affixed') as affixed,
       (select count(*) from affixing where state in ('restored', 'cancelled')) as restored,
       (select count(*) from affixing where ended_at is null) as under_way,
       (select count(*) from purchase) as orders,
       (select count(*) from payment_notice) as payments,
       (select count(*) from refund) as refunds,
       (select count(*) from voucher) as vouchers
"""

MATCH = f"""
with booked as (
    select t.ref, sum(t.amount) filter (where t.code = {UnitMove.PURCHASED}) as units,
           sum(t.amount) filter (where t.code in ({MoneyMove.DUTY_PAID}, {MoneyMove.FEE_PAID})) as rupiah
    from transfer t
    where t.kind in ('S', 'C')
      and t.code in ({UnitMove.PURCHASED}, {MoneyMove.DUTY_PAID}, {MoneyMove.FEE_PAID}) group by t.ref),
received as (
    select reference, sum(amount) as rupiah from payment_notice where state = 'credited' group by reference)
select p.channel, count(*) as orders, sum(p.units)::bigint as units,
       sum(coalesce(b.units, 0))::bigint as units_booked,
       sum(p.duty + p.service_fee)::bigint as owed, sum(coalesce(r.rupiah, 0))::bigint as received,
       sum(coalesce(b.rupiah, 0))::bigint as booked
from purchase p left join booked b on b.ref = p.id left join received r using (reference)
where p.state = 'paid' group by p.channel order by p.channel
"""
"""Payments and units, channel by channel: what orders say, what was received, and what the books moved."""
