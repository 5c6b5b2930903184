"""How many units a party or a channel has, by state: the ledger's own numbers."""

from collections.abc import Iterable
from uuid import UUID

from meterai.db.connection import Connection
from meterai.ledger import store
from meterai.ledger.model import Ledger
from meterai.quota.model import Holding, UnitAccount


async def holdings(connection: Connection, party: UUID) -> list[Holding]:
    """A party's units, channel by channel, in order of channel."""
    by_channel: dict[str, Holding] = {}
    for account in await store.accounts_of(connection, party):
        if account.ledger is not Ledger.UNITS or account.scope is None:
            continue
        seen = by_channel.get(account.scope, Holding(account.scope, 0, 0, 0, 0))
        if account.code == UnitAccount.AVAILABLE:
            free = account.credits_posted - account.debits_posted - account.debits_pending
            seen = Holding(
                seen.channel, free, account.debits_pending, seen.used, account.credits_pending
            )
        elif account.code == UnitAccount.USED:
            seen = Holding(
                seen.channel, seen.available, seen.reserved, account.credits_posted, seen.on_order
            )
        by_channel[account.scope] = seen
    return [by_channel[channel] for channel in sorted(by_channel)]


async def stock(connection: Connection) -> dict[str, int]:
    """Units each channel can still sell."""
    accounts = await store.accounts_with_code(connection, Ledger.UNITS, UnitAccount.STOCK)
    return {
        account.scope or "": account.credits_posted - account.debits_posted - account.debits_pending
        for account in accounts
    }


async def free_stock(connection: Connection, channels: Iterable[str]) -> dict[str, int]:
    """Units each of these channels can still sell, as last committed."""
    rows = await connection.fetch(
        """select scope, credits_posted - debits_posted - debits_pending as free from account
           where ledger = $1 and code = $2 and owner is null and scope = any($3::text[])""",
        int(Ledger.UNITS),
        int(UnitAccount.STOCK),
        list(channels),
    )
    return {row["scope"]: row["free"] for row in rows}
