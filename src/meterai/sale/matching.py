"""A payment meets its order: rupiah and units enter the books in one transaction, or it is unplaced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.ids import kin
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Ledger, Limit, Outcome, Transfer, single
from meterai.ledger.store import AccountKey
from meterai.payment import store as payments
from meterai.payment.model import (
    MoneyAccount,
    MoneyMove,
    NoticeState,
    PaymentNotice,
    Unplaced,
)
from meterai.quota.stock import available_key, hand_over, sell_late, stock_key
from meterai.sale import store
from meterai.sale.model import Credit, Order, OrderState, decide


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a payment; ``order`` is set when it was credited (now or earlier)."""

    notice: PaymentNotice
    order: Order | None
    unplaced: Unplaced | None


async def match(connection: Connection, notice_id: UUID) -> Match:
    """The payment is credited to its order, or stands on the books as unplaced. Exactly once."""
    return (await match_all(connection, [notice_id]))[notice_id]


async def match_all(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Match]:
    """Each payment is credited to its order, or stands on the books as unplaced. Exactly once.

    Locks the orders before the notices and those before the accounts, as every other path does.
    """
    references = await payments.references_of(connection, ids)
    orders = await store.lock_by_references(connection, sorted(set(references.values())))
    locked = {notice.id: notice for notice in await payments.lock_notices(connection, ids)}
    matched: dict[UUID, Match] = {}
    fresh: list[_Decided] = []
    seen: dict[str, Order] = dict(orders)
    for notice in (
        locked[id] for id in dict.fromkeys(ids)
    ):  # the first to come is the first served
        order = orders.get(notice.reference)
        if notice.state is not NoticeState.NEW:
            credited = notice.state is NoticeState.CREDITED
            matched[notice.id] = Match(notice, order if credited else None, notice.reason)
            continue
        how = decide(seen.get(notice.reference), notice.amount)
        if isinstance(how, Credit):
            seen[notice.reference] = replace(seen[notice.reference], state=OrderState.PAID)
        fresh.append(_Decided(notice, order, how))
    if fresh:
        decided = await _enter(connection, fresh)
        await _end(connection, decided)
        for one in decided:
            if isinstance(one.how, Credit):
                matched[one.notice.id] = Match(one.notice, one.order, None)
            else:
                matched[one.notice.id] = Match(one.notice, None, one.how)
    return matched


@dataclass(frozen=True, slots=True)
class _Decided:
    notice: PaymentNotice
    order: Order | None
    how: Credit | Unplaced


async def _enter(connection: Connection, decided: list[_Decided]) -> list[_Decided]:
    """The books hold every payment; late ones whose stock is gone by now are unplaced."""
    accounts = await ledger.open_accounts(
        connection, {key for one in decided for key in _keys(one)}
    )
    outcomes = await journal.apply(connection, [_transfers(one, accounts) for one in decided])
    ended: list[_Decided] = []
    sold_out: set[UUID] = set()
    for one, said in zip(decided, outcomes, strict=True):
        if one.how is Credit.LATE and said[0] is Outcome.EXCEEDS_CREDITS:
            assert one.order is not None
            sold_out.add(one.order.id)
            ended.append(replace(one, how=Unplaced.LATE_SOLD_OUT))
            continue
        journal.demand(said)
        if one.how is Unplaced.PAID_TWICE and one.order is not None and one.order.id in sold_out:
            one = replace(one, how=Unplaced.LATE_SOLD_OUT)  # noqa: PLW2901 - the first was none either
        ended.append(one)
    late = [
        one
        for one, before in zip(ended, decided, strict=True)
        if one.how is not before.how and before.how is Credit.LATE
    ]
    if late:
        for said in await journal.apply(connection, [_transfers(one, accounts) for one in late]):
            journal.demand(said)
    return ended


def _keys(one: _Decided) -> list[AccountKey]:
    provider = one.notice.provider
    keys = [
        money_key(MoneyAccount.PROVIDER, provider),
        money_key(MoneyAccount.UNPLACED, provider),
    ]
    if isinstance(one.how, Credit):
        assert one.order is not None
        keys.append(money_key(MoneyAccount.DUTY, one.order.channel))
        keys.append(money_key(MoneyAccount.SERVICE_FEE, one.order.channel))
    if one.how is Credit.LATE:
        assert one.order is not None
        keys.append(stock_key(one.order.channel))
        keys.append(available_key(one.order.party, one.order.channel))
    return keys


def money_key(code: MoneyAccount, scope: str) -> AccountKey:
    """Money owed to others is never negative; what providers hold for us is the outside."""
    limit = Limit.NONE if code is MoneyAccount.PROVIDER else Limit.DEBITS_MUST_NOT_EXCEED_CREDITS
    return AccountKey(Ledger.RUPIAH, code, None, scope, limit)


def _transfers(one: _Decided, accounts: dict[AccountKey, int]) -> list[Transfer]:
    notice, order = one.notice, one.order
    provider = accounts[money_key(MoneyAccount.PROVIDER, notice.provider)]
    if isinstance(one.how, Unplaced):
        owed = accounts[money_key(MoneyAccount.UNPLACED, notice.provider)]
        return [
            _money(notice.id, 3, MoneyMove.UNPLACED, (provider, owed), notice.amount, notice.id)
        ]
    assert order is not None
    if one.how is Credit.SET_ASIDE:
        units = hand_over(order.id)
    else:
        units = sell_late(
            order.id,
            stock=accounts[stock_key(order.channel)],
            available=accounts[available_key(order.party, order.channel)],
            units=order.units,
        )
    duty = accounts[money_key(MoneyAccount.DUTY, order.channel)]
    group = [
        units,
        _money(notice.id, 1, MoneyMove.DUTY_PAID, (provider, duty), order.duty, order.id),
    ]
    if order.service_fee:
        fee = accounts[money_key(MoneyAccount.SERVICE_FEE, order.channel)]
        group.append(
            _money(notice.id, 2, MoneyMove.FEE_PAID, (provider, fee), order.service_fee, order.id)
        )
    return group


def _money(
    notice: UUID, number: int, code: MoneyMove, accounts: tuple[int, int], amount: int, ref: UUID
) -> Transfer:
    debit, credit = accounts
    return single(
        kin(notice, number), code=code, debit=debit, credit=credit, amount=amount, ref=ref
    )


async def _end(connection: Connection, decided: list[_Decided]) -> None:
    credited = [one for one in decided if isinstance(one.how, Credit)]
    paid = [one.order for one in credited if one.order is not None]
    await store.end(connection, [order.id for order in paid], OrderState.PAID)
    await payments.settle_requests(connection, [order.reference for order in paid])
    await payments.end_notices(
        connection,
        [
            (one.notice.id, NoticeState.UNPLACED, one.how)
            if isinstance(one.how, Unplaced)
            else (one.notice.id, NoticeState.CREDITED, None)
            for one in decided
        ],
    )
    events: list[tuple[UUID, dict[str, object]]] = [
        (one.order.id, {"units": one.order.units, "late": one.how is Credit.LATE})
        for one in credited
        if one.order is not None
    ]
    await put(connection, "order.paid", events)
    unplaced: list[tuple[UUID, dict[str, object]]] = [
        (one.notice.id, {"reason": one.how.value})
        for one in decided
        if isinstance(one.how, Unplaced)
    ]
    await put(connection, "payment.unplaced", unplaced)
