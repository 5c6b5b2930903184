"""The SQL of payments. Takes a connection; never commits."""

from datetime import datetime
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.payment.errors import NoticeContradicts
from meterai.payment.model import NoticeState, PaymentNotice, PaymentRequest, Reported, Unplaced


async def add_request(
    connection: Connection, reference: str, provider: str, amount: Rupiah, expires_at: datetime
) -> None:
    """It is written down what the provider will be asked for, before it is asked."""
    await connection.execute(
        """insert into payment_request (reference, provider, amount, expires_at)
           values ($1, $2, $3, $4)""",
        reference,
        provider,
        amount,
        expires_at,
    )


async def set_qris(
    connection: Connection, reference: str, qris: str, provider_reference: str
) -> None:
    """The request can be paid by this QRIS code."""
    await connection.execute(
        "update payment_request set qris = $2, provider_reference = $3 where reference = $1",
        reference,
        qris,
        provider_reference,
    )


async def request(connection: Connection, reference: str) -> PaymentRequest | None:
    """The request with this reference."""
    row = await connection.fetchrow(
        """select reference, provider, amount, qris, expires_at, settled
           from payment_request where reference = $1""",
        reference,
    )
    return None if row is None else PaymentRequest(**dict(row.items()))


async def settle_request(connection: Connection, reference: str) -> None:
    """Nothing more is expected for this reference; the provider is not asked again."""
    await connection.execute(
        "update payment_request set settled = true where reference = $1", reference
    )


async def silent_requests(
    connection: Connection, *, silent_s: float, give_up_s: float, size: int
) -> list[str]:
    """References without a payment that were not asked about for ``silent_s``, marked as asked now.

    A request is asked about until ``give_up_s`` after its end, for payments come late; but then less and less
    often, so that what nobody will ever pay does not keep the living from their turn.
    """
    rows = await connection.fetch(
        """update payment_request set asked_at = now() where reference in (
               select reference from payment_request
               where not settled and qris is not null
                 and coalesce(asked_at, requested_at)
                     < now() - greatest(make_interval(secs => $1), (now() - expires_at) / 4)
                 and expires_at > now() - make_interval(secs => $2)
               order by coalesce(asked_at, requested_at) limit $3 for update skip locked)
           returning reference""",
        silent_s,
        give_up_s,
        size,
    )
    return [row["reference"] for row in rows]


_NOTICE = (
    """id, provider, external_id, reference, amount, paid_at, how, received_at, state, reason"""
)


def _notice(row: Row) -> PaymentNotice:
    return PaymentNotice(
        **dict(row.items())
        | {
            "state": NoticeState(row["state"]),
            "reason": None if row["reason"] is None else Unplaced(row["reason"]),
        }
    )


async def record_notice(
    connection: Connection, reported: Reported, how: str
) -> tuple[PaymentNotice, bool]:
    """The payment is recorded, once; returns it and whether it is new.

    Raises :class:`NoticeContradicts` when it was recorded before with other facts.
    """
    row = await connection.fetchrow(
        f"""insert into payment_notice (id, provider, external_id, reference, amount, paid_at, how)
            values ($1, $2, $3, $4, $5, $6, $7) on conflict (provider, external_id) do nothing
            returning {_NOTICE}""",
        new_id(),
        reported.provider,
        reported.external_id,
        reported.reference,
        reported.amount,
        reported.paid_at,
        how,
    )
    if row is not None:
        return _notice(row), True
    row = await connection.fetchrow(
        f"select {_NOTICE} from payment_notice where provider = $1 and external_id = $2",
        reported.provider,
        reported.external_id,
    )
    assert row is not None
    before = _notice(row)
    if (before.reference, before.amount) != (reported.reference, reported.amount):
        raise NoticeContradicts
    return before, False


async def lock_notice(connection: Connection, id: UUID) -> PaymentNotice:
    """The notice, locked until the transaction ends."""
    row = await connection.fetchrow(
        f"select {_NOTICE} from payment_notice where id = $1 for update", id
    )
    assert row is not None
    return _notice(row)


async def new_notices(connection: Connection, *, size: int) -> list[UUID]:
    """Payments that were recorded but not matched yet, oldest first."""
    rows = await connection.fetch(
        "select id from payment_notice where state = 'new' order by received_at limit $1", size
    )
    return [row["id"] for row in rows]


async def end_notice(
    connection: Connection, id: UUID, state: NoticeState, reason: Unplaced | None = None
) -> None:
    """The payment has found its end."""
    await connection.execute(
        "update payment_notice set state = $2, reason = $3, ended_at = now() where id = $1",
        id,
        state.value,
        None if reason is None else reason.value,
    )


async def unplaced(connection: Connection, *, size: int = 100) -> list[PaymentNotice]:
    """Payments that fit no order, newest first."""
    rows = await connection.fetch(
        f"""select {_NOTICE} from payment_notice where state = 'unplaced'
            order by received_at desc limit $1""",
        size,
    )
    return [_notice(row) for row in rows]
