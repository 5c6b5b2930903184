"""Recording deposits, and confirming them once the state's receipt (NTPN) is there."""

from uuid import UUID

import asyncpg

from meterai.channel import store as channels
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection, Row
from meterai.db.outbox import put
from meterai.ids import kin, new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Ledger, Limit, single
from meterai.ledger.store import AccountKey
from meterai.money import Rupiah
from meterai.payment.model import MoneyAccount, MoneyMove
from meterai.treasury.errors import AmountNotWhole, DepositKnown, NoSuchDeposit
from meterai.treasury.model import Deposit, Prepaid, read_billing_code, read_ntpn

_COLUMNS = """id, channel, amount, billing_code, ntpn, recorded_by, recorded_at, confirmed_by,
              confirmed_at"""
_TREASURY = AccountKey(Ledger.RUPIAH, MoneyAccount.TREASURY, None, "kas-negara", Limit.NONE)


def _deposit(row: Row) -> Deposit:
    return Deposit(**dict(row.items()))


async def record(
    connection: Connection, channel: ChannelId, amount: int, billing_code: str, by: UUID
) -> Deposit:
    """A deposit is announced; it counts once it is confirmed.

    Raises :class:`BillingCodeNotUnderstood`, :class:`AmountNotWhole`, :class:`DepositKnown`.
    """
    code = read_billing_code(billing_code)
    terms = await channels.terms_at(connection, channel)
    if amount <= 0 or amount % terms.duty or amount >= 2**52:
        raise AmountNotWhole(duty=terms.duty)
    row = await connection.fetchrow(
        f"""insert into deposit (id, channel, amount, billing_code, recorded_by)
            values ($1, $2, $3, $4, $5) on conflict (billing_code) do nothing returning {_COLUMNS}""",
        new_id(),
        channel,
        amount,
        code,
        by,
    )
    if row is None:
        raise DepositKnown
    return _deposit(row)


async def confirm(connection: Connection, id: UUID, ntpn: str, by: UUID) -> Deposit:
    """The state has the money: the channel can take stock for it. A repetition changes nothing.

    Raises :class:`NoSuchDeposit`, :class:`NtpnNotUnderstood`, :class:`DepositKnown`.
    """
    number = read_ntpn(ntpn)
    before = await connection.fetchrow(
        f"select {_COLUMNS} from deposit where id = $1 for update", id
    )
    if before is None:
        raise NoSuchDeposit
    deposit = _deposit(before)
    if deposit.confirmed_at is not None:
        if deposit.ntpn != number:
            raise DepositKnown
        return deposit
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                f"""update deposit set ntpn = $2, confirmed_by = $3, confirmed_at = now()
                    where id = $1 returning {_COLUMNS}""",
                id,
                number,
                by,
            )
    except asyncpg.UniqueViolationError as error:
        raise DepositKnown from error
    assert row is not None
    prepaid = AccountKey(Ledger.RUPIAH, MoneyAccount.PREPAID_DUTY, None, deposit.channel)
    accounts = await ledger.open_accounts(connection, [prepaid, _TREASURY])
    await journal.record(
        connection,
        single(
            kin(id, 1),
            code=MoneyMove.DEPOSITED,
            debit=accounts[_TREASURY],
            credit=accounts[prepaid],
            amount=deposit.amount,
            ref=id,
        ),
    )
    facts: dict[str, object] = {"channel": deposit.channel, "amount": deposit.amount}
    await put(connection, "deposit.confirmed", [(id, facts)])
    return _deposit(row)


async def deposits(
    connection: Connection, channels: list[ChannelId] | None = None, *, size: int = 50
) -> list[Deposit]:
    """The newest deposits, of these channels where named."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from deposit where $1::text[] is null or channel = any($1::text[])
            order by recorded_at desc limit $2""",
        channels,
        size,
    )
    return [_deposit(row) for row in rows]


async def prepaid(connection: Connection) -> dict[ChannelId, Prepaid]:
    """What each channel deposited, by channel."""
    rows = await connection.fetch(
        f"""select scope,
               coalesce(sum(credits_posted - debits_posted - debits_pending)
                        filter (where code = {MoneyAccount.PREPAID_DUTY}), 0)::bigint as free,
               coalesce(sum(credits_posted - debits_posted)
                        filter (where code = {MoneyAccount.STOCKED_DUTY}), 0)::bigint as stocked
            from account where ledger = {Ledger.RUPIAH} and owner is null
              and code in ({MoneyAccount.PREPAID_DUTY}, {MoneyAccount.STOCKED_DUTY}) group by scope"""
    )
    return {row["scope"]: Prepaid(Rupiah(row["free"]), Rupiah(row["stocked"])) for row in rows}
