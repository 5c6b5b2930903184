"""A payment meets its order: rupiah and units enter the books in one transaction, or it is unplaced."""

from dataclasses import dataclass
from uuid import UUID

from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.ids import kin
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Ledger, Limit, Transfer, single
from meterai.payment import store as payments
from meterai.payment.model import (
    MoneyAccount,
    MoneyMove,
    NoticeState,
    PaymentNotice,
    Unplaced,
)
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import hand_over, sell_late, stock_account
from meterai.sale import store
from meterai.sale.model import Credit, Order, OrderState, decide


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a payment; ``order`` is set when it was credited (now or earlier)."""

    notice: PaymentNotice
    order: Order | None
    unplaced: Unplaced | None


async def match(connection: Connection, notice_id: UUID) -> Match:
    """The payment is credited to its order, or stands on the books as unplaced. Exactly once.

    Locks the order before the notice, as every other path does.
    """
    reference = await connection.fetchval(
        "select reference from payment_notice where id = $1", notice_id
    )
    order = await store.lock_by_reference(connection, reference)
    notice = await payments.lock_notice(connection, notice_id)
    if notice.state is not NoticeState.NEW:
        credited = notice.state is NoticeState.CREDITED
        return Match(notice, order if credited else None, notice.reason)
    decision = decide(order, notice.amount)
    if isinstance(decision, Credit):
        assert order is not None
        if await _credit(connection, order, notice, decision):
            return Match(notice, order, None)
        decision = Unplaced.LATE_SOLD_OUT
    await _leave_unplaced(connection, notice, decision)
    return Match(notice, None, decision)


async def _credit(connection: Connection, order: Order, notice: PaymentNotice, how: Credit) -> bool:
    if how is Credit.SET_ASIDE:
        units = hand_over(order.id)
    else:
        units = sell_late(
            order.id,
            stock=await stock_account(connection, order.channel),
            available=(await open_accounts(connection, order.party, order.channel))[0],
            units=order.units,
        )
    money = await _money_in(connection, order, notice)
    (outcomes,) = await journal.apply(connection, [[units, *money]])
    if how is Credit.LATE and not outcomes[0].good:
        return False
    journal.demand(outcomes)
    await store.end(connection, [order.id], OrderState.PAID)
    await payments.end_notice(connection, notice.id, NoticeState.CREDITED)
    await payments.settle_request(connection, order.reference)
    await put(
        connection,
        "order.paid",
        [(order.id, {"units": order.units, "late": how is Credit.LATE})],
    )
    return True


async def _money_in(connection: Connection, order: Order, notice: PaymentNotice) -> list[Transfer]:
    provider = await _account(connection, MoneyAccount.PROVIDER, notice.provider)
    duty = await _account(connection, MoneyAccount.DUTY, order.channel)
    parts = [
        single(
            kin(notice.id, 1),
            code=MoneyMove.DUTY_PAID,
            debit=provider,
            credit=duty,
            amount=order.duty,
            ref=order.id,
        )
    ]
    if order.service_fee:
        fee = await _account(connection, MoneyAccount.SERVICE_FEE, order.channel)
        parts.append(
            single(
                kin(notice.id, 2),
                code=MoneyMove.FEE_PAID,
                debit=provider,
                credit=fee,
                amount=order.service_fee,
                ref=order.id,
            )
        )
    return parts


async def _leave_unplaced(connection: Connection, notice: PaymentNotice, reason: Unplaced) -> None:
    provider = await _account(connection, MoneyAccount.PROVIDER, notice.provider)
    owed = await _account(connection, MoneyAccount.UNPLACED, notice.provider)
    await payments.end_notice(connection, notice.id, NoticeState.UNPLACED, reason)
    await put(connection, "payment.unplaced", [(notice.id, {"reason": reason.value})])
    await journal.record(
        connection,
        single(
            kin(notice.id, 3),
            code=MoneyMove.UNPLACED,
            debit=provider,
            credit=owed,
            amount=notice.amount,
            ref=notice.id,
        ),
    )


async def _account(connection: Connection, code: MoneyAccount, scope: str) -> int:
    """Money owed to others is never negative; what providers hold for us is the outside."""
    limit = Limit.NONE if code is MoneyAccount.PROVIDER else Limit.DEBITS_MUST_NOT_EXCEED_CREDITS
    return await ledger.open_account(
        connection, ledger=Ledger.RUPIAH, code=code, scope=scope, limit=limit
    )
