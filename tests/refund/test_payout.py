import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.clock import now
from meterai.db.connection import Database
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger import journal
from meterai.money import Rupiah
from meterai.payment import store as payments
from meterai.payment.errors import ProviderDeclines, ProviderUnavailable
from meterai.payment.model import NoticeState, Unplaced
from meterai.payment.provider import PaidBack, Payback
from meterai.people.model import Party
from meterai.quota.balance import holdings, stock
from meterai.quota.model import total
from meterai.quota.reservation import open_accounts, reserve
from meterai.refund import store
from meterai.refund.asking import ask, claim_unplaced, offer_for
from meterai.refund.errors import NothingToRefund, NotTwice, RefundOver
from meterai.refund.model import Offer, Refund, RefundState
from meterai.refund.payout import approve, decline, pay_by_hand, pay_out, try_again
from meterai.sale.checkout import expire_due
from meterai.sale.errors import NoSuchOrder
from meterai.sale.matching import match
from meterai.sale.model import Order
from world.trade import CHANNEL, TERMS, add_buyer, open_channel, payment_for, place_order, report


class Bank:
    """A provider that pays back, or says why not; it knows each refund by its reference."""

    name = "snap"

    def __init__(self, *failures: MeteraiError) -> None:
        self.failures = list(failures)
        self.paid: dict[str, int] = {}
        self.asked = 0

    async def pay_back(self, wish: Payback) -> PaidBack:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        self.paid[wish.refund] = wish.amount
        return PaidBack(f"N-{wish.refund}")


async def bought(database: Database, *, units: int = 3, **terms: int) -> tuple[Party, Order]:
    async with database.transaction() as connection:
        await open_channel(connection, **terms)
        buyer = await add_buyer(connection)
        order = await place_order(connection, buyer, units)
        notice = await report(connection, payment_for(order))
    async with database.transaction() as connection:
        matched = await match(connection, notice.id)
    assert matched.order is not None
    return buyer, order


async def asked(database: Database, order: Order, units: int) -> Refund:
    async with database.transaction() as connection:
        return await ask(connection, new_id(), order.id, order.party, units=units, now=now())


async def available(database: Database, party: UUID) -> int:
    async with database.reading() as connection:
        return total(await holdings(connection, party)).available


async def look(database: Database, refund: Refund) -> Refund:
    async with database.reading() as connection:
        return await store.find(connection, refund.id)


async def pay(database: Database, bank: Bank) -> int:
    return await pay_out(database, bank)  # type: ignore[arg-type]  # only what a refund needs


async def an_officer(database: Database) -> UUID:
    async with database.transaction() as connection:
        return (await add_buyer(connection)).id


async def assert_clean(database: Database) -> None:
    assert (await audit(database)).discrepancies == []


async def test_one_unused_unit_goes_back_and_its_money_too(database: Database) -> None:
    buyer, order = await bought(database)
    refund = await asked(database, order, 1)
    assert await available(database, buyer.id) == 2  # it cannot be used meanwhile
    await assert_clean(database)
    bank = Bank()
    assert await pay(database, bank) == 1
    assert bank.paid == {refund.reference: 10_500}
    assert (await look(database, refund)).state is RefundState.PAID
    async with database.reading() as connection:
        assert (await stock(connection))[CHANNEL] == 98  # 100 - 3 + 1
    assert await pay(database, bank) == 0
    await assert_clean(database)


async def test_more_than_is_unused_is_never_refunded_however_it_is_asked(
    database: Database,
) -> None:
    buyer, order = await bought(database)
    said = await asyncio.gather(
        *(asked(database, order, 2) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(one, Refund) for one in said) == 1
    assert sum(isinstance(one, NothingToRefund) for one in said) == 5
    await asked(database, order, 1)
    assert await available(database, buyer.id) == 0
    await assert_clean(database)


async def test_a_reserved_unit_is_not_refunded(database: Database) -> None:
    buyer, order = await bought(database, units=1)
    async with database.transaction() as connection:
        mine, used = await open_accounts(connection, buyer.id, CHANNEL)
        await journal.record(connection, reserve(new_id(), available=mine, used=used, units=1))
    with pytest.raises(NothingToRefund):
        await asked(database, order, 1)


async def test_the_same_wish_twice_is_one_refund_and_a_stranger_gets_none(
    database: Database,
) -> None:
    buyer, order = await bought(database)
    id = new_id()
    for _ in range(2):
        async with database.transaction() as connection:
            await ask(connection, id, order.id, buyer.id, units=1, now=now())
    assert await available(database, buyer.id) == 2
    with pytest.raises(NoSuchOrder):
        async with database.transaction() as connection:
            await ask(connection, new_id(), order.id, new_id(), units=1, now=now())


async def test_terms_that_change_afterwards_change_no_refund(database: Database) -> None:
    _, order = await bought(database, refund_days=30)
    async with database.transaction() as connection:
        worse = replace(TERMS, valid_from=now(), refund_days=0, refund_share=10)
        await channels.set_terms(connection, worse)
        said, unused = await offer_for(connection, order_paid(order), 1, now() + timedelta(days=29))
    assert isinstance(said, Offer)
    assert (said.amount, unused) == (10_500, 3)


def order_paid(order: Order) -> Order:
    from meterai.sale.model import OrderState

    return replace(order, state=OrderState.PAID, paid_at=now())


async def test_what_the_terms_keep_of_the_duty_stays_with_the_channel(database: Database) -> None:
    _, order = await bought(database, refund_share=75, refund_cost=2_500)
    refund = await asked(database, order, 3)
    assert (refund.amount, refund.withheld) == (21_125, 10_375)
    await pay(database, Bank())
    await assert_clean(database)


async def test_above_the_limit_two_other_people_agree(database: Database) -> None:
    buyer, order = await bought(database, refund_two_above=10_000)
    refund = await asked(database, order, 2)
    assert refund.state is RefundState.ASKED
    bank = Bank()
    assert await pay(database, bank) == 0
    first, second = await an_officer(database), await an_officer(database)
    async with database.transaction() as connection:
        assert (await approve(connection, refund.id, first)).state is RefundState.ASKED
    for same in (first, buyer.id):
        with pytest.raises(NotTwice):
            async with database.transaction() as connection:
                await approve(connection, refund.id, same)
    async with database.transaction() as connection:
        assert (await approve(connection, refund.id, second)).state is RefundState.APPROVED
    with pytest.raises(RefundOver):
        async with database.transaction() as connection:
            await approve(connection, refund.id, new_id())
    assert await pay(database, bank) == 1
    await assert_clean(database)


async def test_a_declined_refund_leaves_everything_where_it_was(database: Database) -> None:
    buyer, order = await bought(database, refund_two_above=0)
    refund = await asked(database, order, 2)
    async with database.transaction() as connection:
        await decline(connection, refund.id)
    assert await available(database, buyer.id) == 3
    await assert_clean(database)
    again = await asked(database, order, 3)  # and can be asked for again
    assert again.amount == 31_500
    with pytest.raises(asyncpg.RestrictViolationError):
        async with database.transaction() as connection:
            await connection.execute("update refund set amount = 1 where id = $1", refund.id)


async def test_a_provider_that_is_away_is_asked_again_and_one_that_declines_stops(
    database: Database,
) -> None:
    _, order = await bought(database)
    refund = await asked(database, order, 1)
    bank = Bank(ProviderUnavailable(), ProviderDeclines(why="4037815"))
    assert await pay(database, bank) == 0
    assert await pay(database, bank) == 0  # not at once
    assert bank.asked == 1
    async with database.transaction() as connection:
        await connection.execute("update refund set not_before = now()")
    assert await pay(database, bank) == 0
    stuck = await look(database, refund)
    assert (stuck.state, stuck.trouble) == (RefundState.STUCK, "4037815")
    await assert_clean(database)
    async with database.transaction() as connection:
        await try_again(connection, refund.id)
    assert await pay(database, bank) == 1
    await assert_clean(database)


async def test_what_a_provider_cannot_send_is_paid_by_hand(database: Database) -> None:
    _, order = await bought(database)
    async with database.transaction() as connection:
        await connection.execute("update payment_request set method = 'va'")
    refund = await asked(database, order, 1)
    assert refund.by_hand
    bank = Bank()
    assert await pay(database, bank) == 0
    async with database.transaction() as connection:
        paid = await pay_by_hand(connection, refund.id, "BI-FAST 123")
    assert (paid.state, paid.provider_number) == (RefundState.PAID, "BI-FAST 123")
    await assert_clean(database)


async def test_a_late_payment_without_stock_goes_back_by_itself(database: Database) -> None:
    async with database.transaction() as connection:
        await open_channel(connection, stock=1)
        buyer = await add_buyer(connection)
        order = await place_order(connection, buyer)
        await connection.execute("update purchase set expires_at = now() - interval '1 s'")
        await expire_due(connection)
    async with database.transaction() as connection:
        await place_order(connection, buyer)  # the last unit is somebody else's now
        late = await report(connection, payment_for(order))
        unknown = await report(connection, replace(payment_for(order), reference="M00000000"))
        assert (await match(connection, late.id)).unplaced is Unplaced.LATE_SOLD_OUT
        assert (await match(connection, unknown.id)).unplaced is Unplaced.NO_ORDER
    async with database.transaction() as connection:
        (refund,) = await claim_unplaced(connection, now())
        assert await claim_unplaced(connection, now()) == []
    assert (refund.notice, refund.amount, refund.party) == (late.id, Rupiah(10_500), buyer.id)
    await assert_clean(database)
    bank = Bank()
    assert await pay(database, bank) == 1
    async with database.reading() as connection:
        assert (await payments.notice(connection, late.id)).state is NoticeState.REFUNDED
        assert (await payments.notice(connection, unknown.id)).state is NoticeState.UNPLACED
    await assert_clean(database)


async def test_a_refund_paid_past_the_books_is_found_to_the_rupiah(database: Database) -> None:
    _, order = await bought(database)
    refund = await asked(database, order, 1)
    async with database.transaction() as connection:
        await connection.execute(
            "update refund set amount = amount + 1, duty = duty + 1 where id = $1", refund.id
        )
    found = (await audit(database)).discrepancies
    assert any("Rp10501" in d.detail and "Rp10500" in d.detail for d in found)


async def test_refunds_are_paid_beside_each_other_and_one_that_breaks_keeps_no_other_from_its_turn(
    database: Database,
) -> None:
    _, order = await bought(database, units=5)
    refunds = [await asked(database, order, 1) for _ in range(4)]
    bank = WaitingBank(broken=refunds[1].reference)

    with pytest.raises(RuntimeError, match="the wire was cut"):
        await pay_out(database, bank)  # type: ignore[arg-type]

    states = [(await look(database, refund)).state for refund in refunds]
    assert states.count(RefundState.PAID) == 3
    assert states[1] is RefundState.APPROVED


class WaitingBank(Bank):
    """A provider that answers when several ask, and breaks in one way that nobody foresaw."""

    def __init__(self, broken: str) -> None:
        super().__init__()
        self.broken = broken
        self.asking = 0
        self.several = asyncio.Event()

    async def pay_back(self, wish: Payback) -> PaidBack:
        self.asking += 1
        if self.asking > 1:
            self.several.set()
        async with asyncio.timeout(30):  # whoever asks alone waits in vain
            await self.several.wait()
        if wish.refund == self.broken:
            raise RuntimeError("the wire was cut")
        return await super().pay_back(wish)
