"""Restore (*kuota kembali*): the hold voided, the serials void, the units back, the certificate signed.

All of it is one transaction, and it happens exactly once: the row is locked, its state is final afterwards,
and its fence moves on, so that a worker that wakes up late finds nothing to settle.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from meterai.affixing import store
from meterai.affixing.errors import NoSuchDocument, TooLateToCancel
from meterai.affixing.model import Affixing, AffixingState, Reason
from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.ledger import journal
from meterai.quota.reservation import release, release_id
from meterai.serial import store as serials
from meterai.serial.model import Serial

CERTIFICATE = "restoration"
"""The kind of signed statement that a restoration gives."""


class StatementSigner(Protocol):
    """Signs statements; handed in by wiring."""

    def sign(self, kind: str, facts: dict[str, object]) -> str:
        """The statement as a compact JWS."""


async def restore(
    connection: Connection,
    signer: StatementSigner,
    affixings: Sequence[tuple[Affixing, Reason]],
    *,
    state: AffixingState = AffixingState.RESTORED,
) -> None:
    """These affixings, locked by the caller, gave their units back; each has its certificate."""
    if not affixings:
        return
    ids = [affixing.id for affixing, _ in affixings]
    bound = await serials.of_affixings(connection, ids)
    moment = await store.moment(connection)
    ended = [
        store.Ended(
            affixing.id,
            state,
            reason,
            signer.sign(CERTIFICATE, facts_of(affixing, bound[affixing.id], reason, moment)),
        )
        for affixing, reason in affixings
    ]
    await store.mark_given_back(connection, ended)
    await serials.mark_void(connection, ids)
    await put(
        connection,
        "units.restored",
        [
            (affixing.id, {"units": affixing.units, "reason": reason.value})
            for affixing, reason in affixings
        ],
    )
    outcomes = await journal.apply(
        connection,
        [
            [release(affixing.id, overdue=reason is Reason.OVERDUE)]
            for affixing, reason in affixings
        ],
    )
    for said in outcomes:
        journal.demand(said)


def facts_of(
    affixing: Affixing, bound: Sequence[Serial], reason: Reason, moment: datetime
) -> dict[str, object]:
    """What the certificate says; nothing in it names a person."""
    return {
        "affixing": str(affixing.id),
        "document_sha256": affixing.source_sha256.hex(),
        "serials": [serial.number for serial in bound],
        "units": affixing.units,
        "channel": affixing.channel,
        "reason": reason.value,
        "reserved_at": affixing.reserved_at.isoformat(),
        "restored_at": moment.isoformat(),
        "ledger_transfer": str(release_id(affixing.id)),
    }


async def restore_due(
    connection: Connection, signer: StatementSigner, *, size: int = 200
) -> list[UUID]:
    """What is past its deadline, or has no attempt left, is restored; returns which those were."""
    overdue = [
        (affixing, Reason.OVERDUE if affixing.reason is None else affixing.reason)
        for affixing in await store.lock_overdue(connection, size=size)
    ]
    seen = {affixing.id for affixing, _ in overdue}
    exhausted = [
        (affixing, affixing.reason or Reason.INTERNAL)
        for affixing in await store.lock_exhausted(connection, size=size)
        if affixing.id not in seen
    ]
    # One order of locks for everybody: by id.
    due = sorted(overdue + exhausted, key=lambda pair: pair[0].id)
    await restore(connection, signer, due)
    return [affixing.id for affixing, _ in due]


async def cancel(
    connection: Connection, signer: StatementSigner, affixing_id: UUID, party: UUID
) -> None:
    """The person took the affixing back while it waited; units back, serials void.

    Raises :class:`TooLateToCancel` once a worker has it or it has ended.
    """
    affixing = await store.lock_one(connection, affixing_id)
    if affixing is None or affixing.party != party:
        raise NoSuchDocument
    if affixing.state is not AffixingState.WAITING:
        raise TooLateToCancel
    await restore(
        connection,
        signer,
        [(affixing, Reason.TAKEN_BACK)],
        state=AffixingState.CANCELLED,
    )
