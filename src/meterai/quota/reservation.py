"""Reserving units for an affixing, and what becomes of them: settled, or released and so restored.

The functions give ledger transfers; the happening that owns the reservation writes them, together with
everything else that belongs to the same moment. The ids are kin of the affixing's id, so that doing it twice
is doing it once.
"""

from uuid import UUID

from meterai.db.connection import Connection
from meterai.ids import kin
from meterai.ledger import store
from meterai.ledger.model import Kind, Ledger, Limit, Transfer, ending, pending
from meterai.quota.model import UnitAccount, UnitMove

_HOLD, _POST, _VOID = 1, 2, 3


async def open_accounts(connection: Connection, party: UUID, channel: str) -> tuple[int, int]:
    """The party's accounts *available* and *used* for one channel exist; returns their ids."""
    return (
        await _open(connection, UnitAccount.AVAILABLE, party, channel),
        await _open(connection, UnitAccount.USED, party, channel),
    )


async def _open(
    connection: Connection, code: UnitAccount, owner: UUID | None, channel: str | None
) -> int:
    return await store.open_account(
        connection,
        ledger=Ledger.UNITS,
        code=code,
        owner=owner,
        scope=channel,
        limit=Limit.DEBITS_MUST_NOT_EXCEED_CREDITS,
    )


def reserve(affixing: UUID, *, available: int, used: int, units: int) -> Transfer:
    """``units`` are reserved for the affixing."""
    return pending(
        kin(affixing, _HOLD),
        code=UnitMove.AFFIXED,
        debit=available,
        credit=used,
        amount=units,
        ref=affixing,
    )


def settle(affixing: UUID) -> Transfer:
    """The reserved units are used."""
    return _end(affixing, _POST, Kind.POSTED)


def release(affixing: UUID, *, overdue: bool = False) -> Transfer:
    """The reserved units are available again: restored."""
    return _end(affixing, _VOID, Kind.EXPIRED if overdue else Kind.VOIDED)


def _end(affixing: UUID, number: int, kind: Kind) -> Transfer:
    return ending(
        kin(affixing, number),
        kind,
        pending_id=kin(affixing, _HOLD),
        code=UnitMove.AFFIXED,
        ref=affixing,
    )


def release_id(affixing: UUID) -> UUID:
    """The ledger transfer by which the units came back; it stands on the restoration certificate."""
    return kin(affixing, _VOID)
