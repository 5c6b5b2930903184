"""Agreeing to refunds and paying them: once, however often the provider has to be asked."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from meterai.db.connection import Connection, Database
from meterai.db.outbox import put
from meterai.payment import store as payments
from meterai.payment.errors import ProviderDeclines, ProviderUnavailable
from meterai.payment.model import NoticeState
from meterai.payment.provider import Payback, Provider
from meterai.refund import store
from meterai.refund.errors import NotTwice, RefundOver
from meterai.refund.holding import post, void
from meterai.refund.model import Refund, RefundKind, RefundState, pause_before

_log = structlog.get_logger(__name__)

ASKED_AT_ONCE = 8
"""A provider that takes seconds for an answer must not keep everybody else from their money."""


async def approve(connection: Connection, id: UUID, person: UUID) -> Refund:
    """The person agrees; with enough people the refund is to be paid.

    Raises :class:`NotTwice` when the same person agreed before or asked for it, and :class:`RefundOver`.
    """
    refund = await store.lock(connection, id)
    if refund.state is not RefundState.ASKED:
        raise RefundOver
    if person == refund.asked_by or not await store.add_approval(connection, id, person):
        raise NotTwice
    if len(refund.approvals) + 1 >= refund.approvals_needed:
        await store.set_state(connection, id, RefundState.APPROVED)
    return await store.find(connection, id)


async def decline(connection: Connection, id: UUID) -> Refund:
    """Nothing is paid; units and money are where they were. Raises :class:`RefundOver`.

    Only what the provider was certainly not asked for, or certainly declined, can be declined.
    """
    refund = await store.lock(connection, id)
    untouched = refund.state is RefundState.APPROVED and (refund.by_hand and not refund.tries)
    if refund.state not in (RefundState.ASKED, RefundState.STUCK) and not untouched:
        raise RefundOver
    await store.set_state(connection, id, RefundState.DECLINED)
    await void(connection, refund)
    await put(connection, "refund.declined", [(id, {"amount": refund.amount})])
    return await store.find(connection, id)


async def try_again(connection: Connection, id: UUID) -> None:
    """The provider is asked once more for what it declined. Raises :class:`RefundOver`."""
    refund = await store.lock(connection, id)
    if refund.state is not RefundState.STUCK:
        raise RefundOver
    await store.set_state(connection, id, RefundState.APPROVED)


async def pay_by_hand(connection: Connection, id: UUID, number: str) -> Refund:
    """A person paid it, in cash or by bank transfer, under this number. Raises :class:`RefundOver`."""
    refund = await store.lock(connection, id)
    ready = refund.state is RefundState.APPROVED and refund.by_hand
    if not ready and refund.state is not RefundState.STUCK:
        raise RefundOver
    await _settle(connection, refund, number)
    return await store.find(connection, id)


async def pay_out(database: Database, provider: Provider, *, size: int = 20) -> int:
    """Approved refunds whose turn it is were asked of the provider; returns how many it paid.

    The provider is asked outside any transaction and knows each refund by its reference: asking again after a
    crash pays nothing twice.
    """
    async with database.transaction() as connection:
        waiting = await store.to_pay(connection, size=size)
    queue = iter(waiting)

    async def asker() -> int:
        return sum([await _pay(database, provider, refund) for refund in queue])

    answers = await asyncio.gather(*(asker() for _ in range(ASKED_AT_ONCE)), return_exceptions=True)
    return sum(_all_good(answers))


def _all_good(answers: Sequence[int | BaseException]) -> list[int]:
    """The answers; what one refund met is raised only after all others had their turn."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


async def _pay(database: Database, provider: Provider, refund: Refund) -> bool:
    async with database.reading() as connection:
        notice = await payments.notice(connection, refund.notice)
    wish = Payback(
        refund=refund.reference,
        reference=notice.reference,
        external_id=notice.external_id,
        amount=refund.amount,
        why=refund.why,
    )
    try:
        answer = await provider.pay_back(wish)
    except (ProviderUnavailable, ProviderDeclines) as error:
        wait = pause_before(refund.tries) if isinstance(error, ProviderUnavailable) else None
        _log.warning("refund_not_paid", refund=refund.reference, code=error.code)
        async with database.transaction() as connection:
            trouble = str(error.facts.get("why") or error.code)
            await store.set_trouble(connection, refund.id, trouble, wait=wait)
        return False
    async with database.transaction() as connection:
        locked = await store.lock(connection, refund.id)
        if not locked.state.final:
            await _settle(connection, locked, answer.number)
    return True


async def _settle(connection: Connection, refund: Refund, number: str) -> None:
    await store.set_paid(connection, refund.id, number)
    if refund.kind is RefundKind.PAYMENT:
        notice = await payments.lock_notice(connection, refund.notice)
        await payments.end_notices(connection, [(notice.id, NoticeState.REFUNDED, notice.reason)])
    await post(connection, refund)
    facts: dict[str, object] = {"amount": refund.amount, "units": refund.units}
    await put(connection, "refund.paid", [(refund.id, facts)])
