"""A channel's stock: issued to it, sold from it."""

from uuid import UUID

from meterai.db.connection import Connection
from meterai.ids import kin
from meterai.ledger import journal, store
from meterai.ledger.model import Kind, Ledger, Limit, Transfer, ending, pending, single
from meterai.ledger.store import AccountKey
from meterai.quota.model import UnitAccount, UnitMove

_HOLD, _POST, _VOID, _LATE = 1, 2, 3, 4


async def stock_account(connection: Connection, channel: str) -> int:
    """The account of a channel's stock; opened if it is new."""
    return await store.open_account(
        connection,
        ledger=Ledger.UNITS,
        code=UnitAccount.STOCK,
        scope=channel,
        limit=Limit.DEBITS_MUST_NOT_EXCEED_CREDITS,
    )


async def issue(connection: Connection, id: UUID, channel: str, units: int) -> None:
    """The issuer made ``units`` new units for the channel; ``id`` makes a repetition harmless."""
    issuance = await store.open_account(
        connection, ledger=Ledger.UNITS, code=UnitAccount.ISSUANCE, limit=Limit.NONE
    )
    stock = await stock_account(connection, channel)
    await journal.record(
        connection,
        single(id, code=UnitMove.ISSUED, debit=issuance, credit=stock, amount=units, ref=id),
    )


def set_aside(order: UUID, *, stock: int, available: int, units: int) -> Transfer:
    """``units`` of the stock wait for the order's payment."""
    return pending(
        kin(order, _HOLD),
        code=UnitMove.PURCHASED,
        debit=stock,
        credit=available,
        amount=units,
        ref=order,
    )


def hand_over(order: UUID) -> Transfer:
    """The units set aside are the buyer's."""
    return _end(order, _POST, Kind.POSTED)


def put_back(order: UUID, *, overdue: bool) -> Transfer:
    """The units set aside can be sold again."""
    return _end(order, _VOID, Kind.EXPIRED if overdue else Kind.VOIDED)


def allocate(id: UUID, *, giver: int, taker: int, units: int) -> Transfer:
    """``units`` are in another channel's stock."""
    return single(
        kin(id, 1), code=UnitMove.ALLOCATED, debit=giver, credit=taker, amount=units, ref=id
    )


def stock_key(channel: str) -> AccountKey:
    """The account of a channel's stock, by name."""
    return AccountKey(Ledger.UNITS, UnitAccount.STOCK, None, channel)


def available_key(party: UUID, channel: str) -> AccountKey:
    """The account of what a party may use, bought from one channel, by name."""
    return AccountKey(Ledger.UNITS, UnitAccount.AVAILABLE, party, channel)


def blocks_key(channel: str) -> AccountKey:
    """The account of what a channel's counters have in blocks, by name."""
    return AccountKey(Ledger.UNITS, UnitAccount.BLOCKS, None, channel)


def vouchers_key(channel: str) -> AccountKey:
    """The account of what was bought from a channel and is in vouchers, by name."""
    return AccountKey(Ledger.UNITS, UnitAccount.VOUCHERS, None, channel)


def sell_late(order: UUID, *, stock: int, available: int, units: int) -> Transfer:
    """Paid after the order's time was over: straight from the stock, if there is any left."""
    return single(
        kin(order, _LATE),
        code=UnitMove.PURCHASED,
        debit=stock,
        credit=available,
        amount=units,
        ref=order,
    )


def _end(order: UUID, number: int, kind: Kind) -> Transfer:
    return ending(
        kin(order, number),
        kind,
        pending_id=kin(order, _HOLD),
        code=UnitMove.PURCHASED,
        ref=order,
    )
