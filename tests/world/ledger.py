"""Books to test with: an issuer without limit, accounts that cannot be overdrawn, opening stock."""

from collections.abc import Sequence

from meterai.db.connection import Connection
from meterai.ids import new_id
from meterai.ledger import journal, store
from meterai.ledger.model import Ledger, Limit, single

ISSUER, HOLDER = 901, 902


async def open_issuer(connection: Connection, ledger: Ledger = Ledger.UNITS) -> int:
    return await store.open_account(connection, ledger=ledger, code=ISSUER, limit=Limit.NONE)


async def open_holder(
    connection: Connection, name: str, *, holding: int = 0, ledger: Ledger = Ledger.UNITS
) -> int:
    account = await store.open_account(
        connection,
        ledger=ledger,
        code=HOLDER,
        scope=name,
        limit=Limit.DEBITS_MUST_NOT_EXCEED_CREDITS,
    )
    if holding:
        issuer = await open_issuer(connection, ledger)
        await journal.record(
            connection, single(new_id(), code=1, debit=issuer, credit=account, amount=holding)
        )
    return account


async def open_holders(connection: Connection, names: Sequence[str], *, holding: int) -> list[int]:
    return [await open_holder(connection, name, holding=holding) for name in names]
