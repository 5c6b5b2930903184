"""The SQL of payments. Takes a connection; never commits."""

from collections.abc import Sequence
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.ids import new_id
from meterai.payment.errors import NoticeContradicts
from meterai.payment.model import (
    Letter,
    NoticeState,
    PaymentNotice,
    PaymentRequest,
    Reported,
    Unplaced,
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


async def set_va(connection: Connection, reference: str, number: str) -> None:
    """The request can be paid into this virtual account."""
    await connection.execute(
        "update payment_request set method = 'va', va_number = $2 where reference = $1",
        reference,
        number,
    )


async def set_cash(connection: Connection, reference: str) -> None:
    """The request is paid in cash, at a counter; no provider is asked about it."""
    await connection.execute(
        "update payment_request set method = 'cash' where reference = $1", reference
    )


async def request(connection: Connection, reference: str) -> PaymentRequest | None:
    """The request with this reference."""
    row = await connection.fetchrow(
        """select reference, provider, amount, qris, expires_at, settled, method, va_number
           from payment_request where reference = $1""",
        reference,
    )
    return None if row is None else PaymentRequest(**dict(row.items()))


async def settle_requests(connection: Connection, references: Sequence[str]) -> None:
    """Nothing more is expected for these references; the provider is not asked about them again."""
    if references:
        await connection.execute(
            "update payment_request set settled = true where reference = any($1::text[])",
            references,
        )


async def silent_requests(
    connection: Connection, *, silent_s: float, give_up_s: float, size: int
) -> list[tuple[str, str]]:
    """Requests without a payment that were not asked about for ``silent_s``, marked as asked now.

    Returns reference and method of each.

    A request is asked about until ``give_up_s`` after its end, for payments come late; but then less and less
    often, so that what nobody will ever pay does not keep the living from their turn.
    """
    rows = await connection.fetch(
        """update payment_request set asked_at = now() where reference in (
               select reference from payment_request
               where not settled and (qris is not null or va_number is not null)
                 and coalesce(asked_at, requested_at)
                     < now() - greatest(make_interval(secs => $1), (now() - expires_at) / 4)
                 and expires_at > now() - make_interval(secs => $2)
               order by coalesce(asked_at, requested_at) limit $3 for update skip locked)
           returning reference, method""",
        silent_s,
        give_up_s,
        size,
    )
    return [(row["reference"], row["method"]) for row in rows]


async def keep_letter(
    connection: Connection, provider: str, letter: Letter, raw: bytes, why: str
) -> None:
    """A message that truly came from the provider but changed nothing is kept for a person to see."""
    await connection.execute(
        """insert into payment_letter (id, provider, digest, path, sent_at, raw, why)
           values ($1, $2, sha256($5), $3, $4, $5, $6)
           on conflict (provider, digest, why) do update set times = payment_letter.times + 1""",
        new_id(),
        provider,
        letter.path,
        letter.sent_at[:64],
        raw,
        why,
    )


async def letters(connection: Connection, *, size: int = 50) -> list[Letter]:
    """The newest of them."""
    rows = await connection.fetch(
        """select path, sent_at, why, times, received_at, length(raw) as size from payment_letter
           order by received_at desc limit $1""",
        size,
    )
    return [Letter(**dict(row.items())) for row in rows]


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
    (answer,) = await record_notices(connection, [(reported, how)])
    if isinstance(answer, NoticeContradicts):
        raise answer
    return answer


async def record_notices(
    connection: Connection, reports: Sequence[tuple[Reported, str]]
) -> list[tuple[PaymentNotice, bool] | NoticeContradicts]:
    """Each payment is recorded, once, however often it is reported; and whether it is new.

    Written in order of the provider's numbers: two batches with the same ones wait instead of clashing.
    """
    first: dict[tuple[str, str], tuple[Reported, str]] = {}
    for reported, how in reports:
        first.setdefault((reported.provider, reported.external_id), (reported, how))
    numbers = sorted(first)
    fresh = await connection.fetch(
        f"""insert into payment_notice (id, provider, external_id, reference, amount, paid_at, how)
            select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[],
                                 $6::timestamptz[], $7::text[])
            on conflict (provider, external_id) do nothing returning {_NOTICE}""",
        [new_id() for _ in numbers],
        *([number[n] for number in numbers] for n in (0, 1)),
        [first[number][0].reference for number in numbers],
        [first[number][0].amount for number in numbers],
        [first[number][0].paid_at for number in numbers],
        [first[number][1] for number in numbers],
    )
    known = {(row["provider"], row["external_id"]): _notice(row) for row in fresh}
    new = set(known)
    before = [number for number in numbers if number not in known]
    if before:
        rows = await connection.fetch(
            f"""select {_NOTICE} from payment_notice where (provider, external_id) in (
                    select * from unnest($1::text[], $2::text[]))""",
            [provider for provider, _ in before],
            [number for _, number in before],
        )
        known |= {(row["provider"], row["external_id"]): _notice(row) for row in rows}
    answers: list[tuple[PaymentNotice, bool] | NoticeContradicts] = []
    for reported, _ in reports:
        number = (reported.provider, reported.external_id)
        notice = known[number]
        if (notice.reference, notice.amount) != (reported.reference, reported.amount):
            answers.append(NoticeContradicts())
        else:
            answers.append((notice, number in new))
            new.discard(number)
    return answers


async def references_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What these payments were made for."""
    rows = await connection.fetch(
        "select id, reference from payment_notice where id = any($1::uuid[])", ids
    )
    return {row["id"]: row["reference"] for row in rows}


async def notice(connection: Connection, id: UUID) -> PaymentNotice:
    """The payment with this id, which exists."""
    row = await connection.fetchrow(f"select {_NOTICE} from payment_notice where id = $1", id)
    assert row is not None
    return _notice(row)


async def credited_for(connection: Connection, reference: str) -> PaymentNotice:
    """The payment that a paid order was credited for."""
    row = await connection.fetchrow(
        f"""select {_NOTICE} from payment_notice where reference = $1 and state = 'credited'
            order by id limit 1""",
        reference,
    )
    assert row is not None
    return _notice(row)


async def lock_notice(connection: Connection, id: UUID) -> PaymentNotice:
    """The notice, locked until the transaction ends."""
    (notice,) = await lock_notices(connection, [id])
    return notice


async def lock_notices(connection: Connection, ids: Sequence[UUID]) -> list[PaymentNotice]:
    """The notices in order of id, locked until the transaction ends."""
    rows = await connection.fetch(
        f"select {_NOTICE} from payment_notice where id = any($1::uuid[]) order by id for update",
        ids,
    )
    return [_notice(row) for row in rows]


async def new_notices(connection: Connection, *, size: int) -> list[UUID]:
    """Payments that were recorded but not matched yet, oldest first."""
    rows = await connection.fetch(
        "select id from payment_notice where state = 'new' order by received_at limit $1", size
    )
    return [row["id"] for row in rows]


async def end_notices(
    connection: Connection, ends: Sequence[tuple[UUID, NoticeState, Unplaced | None]]
) -> None:
    """These payments have found their ends."""
    await connection.execute(
        """update payment_notice n set state = e.state, reason = e.reason, ended_at = now()
           from unnest($1::uuid[], $2::text[], $3::text[]) as e (id, state, reason)
           where n.id = e.id""",
        [id for id, _, _ in ends],
        [state.value for _, state, _ in ends],
        [None if reason is None else reason.value for _, _, reason in ends],
    )


async def unplaced(connection: Connection, *, size: int = 100) -> list[PaymentNotice]:
    """Payments that fit no order, newest first."""
    rows = await connection.fetch(
        f"""select {_NOTICE} from payment_notice where state = 'unplaced'
            order by received_at desc limit $1""",
        size,
    )
    return [_notice(row) for row in rows]
