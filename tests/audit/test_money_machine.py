"""Any sequence of what people do with money and stock keeps the invariants, in the real database.

A small model says what everybody should have; after each step the books must say the same, and the audit
nothing.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from meterai.affixing import documents
from meterai.affixing import store as affixings
from meterai.affixing.affix import _write_settled
from meterai.affixing.errors import QuotaShort
from meterai.affixing.model import Affixing, Lane, MarkPlace, Reason
from meterai.affixing.reception import Keeping, fresh_document
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.affixing.restoration import restore
from meterai.affixing.store import Sealed
from meterai.audit.reconciler import audit
from meterai.channel import allocation, stock
from meterai.channel import store as channels
from meterai.channel import voucher as vouchers
from meterai.channel.errors import DayCapReached, DepositShort, FloorReached, SoldOut, VoucherOver
from meterai.channel.model import ChannelId, Move, Outlet, StockRule
from meterai.channel.voucher import Gift
from meterai.clock import now
from meterai.db.cluster import Cluster
from meterai.db.connection import Connection, Database
from meterai.errors import MeteraiError
from meterai.ids import new_id, new_token
from meterai.ledger.errors import NotEnough
from meterai.money import Rupiah, Units
from meterai.payment.errors import ProviderUnavailable
from meterai.payment.provider import PaidBack, Payback
from meterai.pdf.inspection import inspect
from meterai.pdf.road import Road
from meterai.people.model import Party
from meterai.quota.balance import holdings
from meterai.refund import store as refunds
from meterai.refund.asking import ask, claim_unplaced
from meterai.refund.errors import NothingToRefund
from meterai.refund.model import RefundState
from meterai.refund.payout import decline, pay_out
from meterai.refund.void import ask_void, decide_void
from meterai.sale import counter
from meterai.sale import shift as shifts
from meterai.sale.checkout import Wish, cancel, expire_due, place
from meterai.sale.counter import Opening, redeem_code
from meterai.sale.matching import match
from meterai.sale.model import Order, OrderState
from meterai.signing.vault import Vault
from world.installation import LETTER
from world.network import CENTRE, COUNTER, FIRST, SECOND, open_network, prepay
from world.trade import TERMS, add_buyer, payment_for, report

T = TypeVar("T")
SELLERS = [FIRST, SECOND, COUNTER]
CAP = 6
VAULT = Vault(bytes(range(32)))
INSPECTION = inspect(LETTER)


@dataclass(slots=True)
class Held:
    """What the model thinks of an order."""

    order: Order
    state: OrderState
    refunded: int = 0

    @property
    def channel(self) -> ChannelId:
        return ChannelId(self.order.channel)

    @property
    def key(self) -> tuple[UUID, ChannelId]:
        return self.order.party, self.channel


class Bank:
    """Away every third time."""

    name = "snap"

    def __init__(self) -> None:
        self.asked = 0
        self.paid: dict[str, int] = {}

    async def pay_back(self, wish: Payback) -> PaidBack:
        self.asked += 1
        if self.asked % 3 == 0:
            raise ProviderUnavailable
        self.paid[wish.refund] = wish.amount
        return PaidBack(wish.refund)


class Signer:
    """Signs what nobody reads here."""

    def sign(self, _kind: str, _facts: dict[str, object]) -> str:
        return "a.b.c"


async def add_document(connection: Connection, party: UUID, channel: ChannelId) -> UUID:
    """A letter that is ready to be stamped."""
    document = fresh_document(LETTER, INSPECTION, Keeping(party, channel, "surat.pdf", now()))
    document = replace(document, sha256=hashlib.sha256(document.id.bytes).digest())
    await documents.add(connection, document, new_token())
    await documents.set_place(
        connection, document.id, MarkPlace(1, 98.0, 178.0), still_to_sign=False
    )
    return document.id


class Market(RuleBasedStateMachine):
    """Three sellers, two buyers, and everything they may do."""

    cluster: Cluster
    number = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bank = Bank()
        self.stock: Counter[ChannelId] = Counter()
        self.has: Counter[tuple[UUID, ChannelId]] = Counter()
        self.bought: Counter[tuple[UUID, ChannelId]] = Counter()
        self.prepaid: Counter[ChannelId] = Counter()
        self.orders: list[Held] = []
        self.gifts: list[tuple[Gift, str]] = []
        self.ended_gifts: dict[UUID, UUID | None] = {}
        self.stamping: list[Affixing] = []
        self.shift: UUID | None = None
        self.block: list[UUID] = []
        self.sold: list[UUID] = []
        self.floor = 0
        self.expected_out = 0

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    @initialize()
    def open(self) -> None:
        Market.number += 1
        self.name = f"market_{Market.number}"
        self.do(self._open())

    async def _open(self) -> None:
        connection = await asyncpg.connect(self.cluster.dsn)
        await connection.execute(f"create database {self.name} template pattern strategy file_copy")
        await connection.close()
        self.database = await Database.connect(self.cluster.dsn_of(self.name), size_max=2)
        async with self.database.transaction() as connection:
            await open_network(connection, issued=100)
            for seller in SELLERS:
                strict = replace(
                    TERMS,
                    channel=seller,
                    valid_from=now(),
                    units_per_day=CAP,
                    refund_two_above=Rupiah(20_000),
                    deadline_seconds=86_400,
                )
                await channels.set_terms(connection, strict)
            await channels.add_outlet(connection, Outlet("pasar", COUNTER, "Pasar", "Jalan"))
            self.clerk = await add_buyer(connection)
            self.buyers: list[Party] = [await add_buyer(connection) for _ in range(2)]
            # Stock for everybody from the start: else few runs ever get as far as selling.
            await prepay(connection, FIRST, 40 * 10_000)
            await allocation.move(connection, Move(new_id(), CENTRE, FIRST, Units(40)))
            await allocation.move(connection, Move(new_id(), FIRST, COUNTER, Units(20)))
        self.stock.update({CENTRE: 60, FIRST: 20, COUNTER: 20})

    def teardown(self) -> None:
        self.do(self._close())
        self.loop.close()

    async def _close(self) -> None:
        if hasattr(self, "database"):
            await self.database.close()
            connection = await asyncpg.connect(self.cluster.dsn)
            await connection.execute(f"drop database {self.name} with (force)")
            await connection.close()

    async def _tried(self, act: Any) -> MeteraiError | None:
        try:
            async with self.database.transaction() as connection:
                await act(connection)
        except MeteraiError as error:
            return error
        return None

    @rule(channel=st.sampled_from([FIRST, SECOND]), units=st.integers(1, 30))
    def deposit(self, channel: ChannelId, units: int) -> None:
        async def act(connection: Connection) -> None:
            await prepay(connection, channel, units * 10_000)

        assert self.do(self._tried(act)) is None
        self.prepaid[channel] += units

    @rule(
        giver=st.sampled_from([CENTRE, FIRST, COUNTER]),
        taker=st.sampled_from([CENTRE, FIRST, COUNTER]),
        units=st.integers(1, 40),
    )
    def move_stock(self, giver: ChannelId, taker: ChannelId, units: int) -> None:
        if giver == taker or (COUNTER in (giver, taker) and CENTRE in (giver, taker)):
            return  # a counter deposits nothing of its own

        async def act(connection: Connection) -> None:
            await allocation.move(connection, Move(new_id(), giver, taker, Units(units)))

        said = self.do(self._tried(act))
        floor = self.floor if giver == FIRST else 0
        if self.stock[giver] < units:
            assert isinstance(said, SoldOut)
        elif self.stock[giver] - units < floor:
            assert isinstance(said, FloorReached)
        elif giver == CENTRE and self.prepaid[taker] < units:
            assert isinstance(said, DepositShort)
        elif said is not None:
            # More than was ever taken for a deposit cannot be turned into deposit again.
            assert taker == CENTRE
            assert isinstance(said, SoldOut)
        else:
            self.stock[giver] -= units
            self.stock[taker] += units
            if giver == CENTRE:
                self.prepaid[taker] -= units
            if taker == CENTRE:
                self.prepaid[giver] += units

    @rule(floor=st.integers(0, 20))
    def keep_a_floor(self, floor: int) -> None:
        async def act(connection: Connection) -> None:
            await stock.set_rule(connection, StockRule(FIRST, floor=floor))

        assert self.do(self._tried(act)) is None
        self.floor = floor

    @rule(
        buyer=st.integers(0, 1), channel=st.sampled_from([FIRST, COUNTER]), units=st.integers(1, 4)
    )
    def order(self, buyer: int, channel: ChannelId, units: int) -> None:
        party = self.buyers[buyer].id
        placed: list[Order] = []

        async def act(connection: Connection) -> None:
            placed.append(await place(connection, Wish.new(party, channel, units), "snap"))

        said = self.do(self._tried(act))
        if self.stock[channel] < units:
            assert isinstance(said, SoldOut)
        elif self.bought[party, channel] + units > CAP:
            assert isinstance(said, DayCapReached)
        else:
            assert said is None
            self.stock[channel] -= units
            self.bought[party, channel] += units
            self.orders.append(Held(placed[0], OrderState.PLACED))

    def _one(self, data: st.DataObject, *states: OrderState) -> Held | None:
        found = [held for held in self.orders if held.state in states]
        return data.draw(st.sampled_from(found)) if found else None

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wrong=st.booleans())
    def pay(self, data: st.DataObject, wrong: bool) -> None:
        held = self._one(data, *OrderState)
        assert held is not None
        order, amount = held.order, held.order.total - int(wrong)

        async def act(connection: Connection) -> None:
            notice = await report(connection, payment_for(order, amount=amount))
            await match(connection, notice.id)

        assert self.do(self._tried(act)) is None
        key = held.key
        if held.state is OrderState.PAID or wrong:
            self.expected_out += amount
        elif held.state is OrderState.PLACED:
            held.state = OrderState.PAID
            self.has[key] += order.units
        elif self.stock[held.channel] >= order.units:
            held.state = OrderState.PAID
            self.stock[held.channel] -= order.units
            self.bought[key] += order.units
            self.has[key] += order.units
        else:
            self.expected_out += amount

    @precondition(lambda self: any(h.state is OrderState.PLACED for h in self.orders))
    @rule(data=st.data(), by_hand=st.booleans())
    def end_unpaid(self, data: st.DataObject, by_hand: bool) -> None:
        held = self._one(data, OrderState.PLACED)
        assert held is not None
        order = held.order

        async def act(connection: Connection) -> None:
            if by_hand:
                await cancel(connection, order.id, order.party)
            else:
                await connection.execute(
                    "update purchase set expires_at = now() - interval '1 s' where id = $1",
                    order.id,
                )
                assert await expire_due(connection) == 1

        assert self.do(self._tried(act)) is None
        held.state = OrderState.CANCELLED if by_hand else OrderState.EXPIRED
        self.stock[held.channel] += order.units
        self.bought[held.key] -= order.units

    @precondition(lambda self: any(h.state is OrderState.PAID for h in self.orders))
    @rule(data=st.data(), units=st.integers(1, 4))
    def refund(self, data: st.DataObject, units: int) -> None:
        held = self._one(data, OrderState.PAID)
        assert held is not None
        order = held.order
        key = held.key

        async def act(connection: Connection) -> None:
            await ask(connection, new_id(), order.id, order.party, units=units, now=now())

        said = self.do(self._tried(act))
        if units > min(order.units - held.refunded, self.has[key]):
            assert isinstance(said, NothingToRefund)
            return
        assert said is None
        held.refunded += units
        self.has[key] -= units

    @rule(
        buyer=st.integers(0, 1), channel=st.sampled_from([FIRST, COUNTER]), units=st.integers(1, 3)
    )
    def give(self, buyer: int, channel: ChannelId, units: int) -> None:
        party = self.buyers[buyer].id
        gift = Gift(new_id(), party, channel, units)
        codes: list[str] = []

        async def act(connection: Connection) -> None:
            made = await vouchers.wrap(connection, VAULT, gift)
            codes.append(await vouchers.code_of(connection, VAULT, made.id))

        said = self.do(self._tried(act))
        if self.has[party, channel] < units:
            assert isinstance(said, NotEnough)
            return
        assert said is None
        self.has[party, channel] -= units
        self.gifts.append((gift, codes[0]))

    @precondition(lambda self: self.gifts)
    @rule(data=st.data(), taker=st.integers(0, 1), back=st.booleans())
    def end_a_gift(self, data: st.DataObject, taker: int, back: bool) -> None:
        gift, code = data.draw(st.sampled_from(self.gifts))
        over = gift.id in self.ended_gifts
        party = gift.giver if back else self.buyers[taker].id

        async def act(connection: Connection) -> None:
            if back:
                await vouchers.revoke(connection, await vouchers.lock(connection, gift.id))
            else:
                await redeem_code(connection, VAULT, code, party, now())

        said = self.do(self._tried(act))
        if over and (back or self.ended_gifts[gift.id] != party):
            assert isinstance(said, VoucherOver)
            return
        assert said is None
        if not over:
            self.has[party, gift.channel] += gift.units
            self.ended_gifts[gift.id] = None if back else party

    @rule(buyer=st.integers(0, 1), channel=st.sampled_from([FIRST, COUNTER]))
    def stamp(self, buyer: int, channel: ChannelId) -> None:
        party = self.buyers[buyer].id
        answers: list[Affixing | MeteraiError] = []

        async def act(connection: Connection) -> None:
            document = await add_document(connection, party, channel)
            wish = AffixingWish(new_id(), document, party, channel, Lane.PEOPLE)
            answers.extend(await reserve_all(connection, [wish]))

        assert self.do(self._tried(act)) is None
        (answer,) = answers
        if not self.has[party, channel]:
            assert isinstance(answer, QuotaShort)
            return
        assert isinstance(answer, Affixing)
        self.has[party, channel] -= 1
        self.stamping.append(answer)

    @precondition(lambda self: self.stamping)
    @rule(data=st.data(), used=st.booleans())
    def end_a_stamp(self, data: st.DataObject, used: bool) -> None:
        affixing = data.draw(st.sampled_from(self.stamping))

        async def act(connection: Connection) -> None:
            if used:
                digest = affixing.id.bytes * 2
                sealed = Sealed(
                    affixing.id, 1, f"stamped/{affixing.id}", digest, digest, 9, 1, Road.FAST
                )
                await _write_settled(connection, [sealed])
            else:
                locked = await affixings.lock_one(connection, affixing.id)
                assert locked is not None
                await restore(connection, Signer(), [(locked, Reason.INTERNAL)])

        assert self.do(self._tried(act)) is None
        self.stamping.remove(affixing)
        self.has[affixing.party, ChannelId(affixing.channel)] += int(not used)

    @precondition(lambda self: self.shift is None)
    @rule(block=st.integers(0, 4))
    def open_a_shift(self, block: int) -> None:
        wish = Opening(new_id(), COUNTER, "pasar", self.clerk.id, Rupiah(0), block)

        async def act(connection: Connection) -> None:
            await counter.open_shift(connection, VAULT, wish)
            kept = await vouchers.codes_kept(connection, VAULT, wish.id)
            self.block, self.sold = [id for id, _ in kept], []

        said = self.do(self._tried(act))
        if self.stock[COUNTER] < block:
            assert isinstance(said, SoldOut)
            return
        assert said is None
        self.shift = wish.id
        self.stock[COUNTER] -= block

    @precondition(lambda self: self.block)
    @rule(again=st.booleans())
    def report_a_sale_of_the_block(self, again: bool) -> None:
        voucher = self.block.pop()

        async def act(connection: Connection) -> None:
            assert self.shift is not None
            sale = counter.Sale(voucher, now())
            await counter.take_sales(connection, self.shift, [sale] * (1 + again), now())

        assert self.do(self._tried(act)) is None
        self.sold.append(voucher)

    @precondition(lambda self: self.sold)
    @rule()
    def undo_a_sale(self) -> None:
        voucher = self.sold.pop()

        async def act(connection: Connection) -> None:
            await ask_void(connection, voucher, "salah", self.clerk.id)
            await decide_void(connection, voucher, self.buyers[0].id, now(), grant=True)

        assert self.do(self._tried(act)) is None
        self.stock[COUNTER] += 1

    @precondition(lambda self: self.shift is not None)
    @rule()
    def close_the_shift(self) -> None:
        shift = self.shift
        assert shift is not None

        async def act(connection: Connection) -> None:
            expected = (await shifts.drawer(connection, shift)).expected
            assert expected == len(self.sold) * 10_500
            await counter.close_shift(connection, shift, expected, "")

        assert self.do(self._tried(act)) is None
        self.stock[COUNTER] += len(self.block)
        self.shift, self.block, self.sold = None, [], []

    @rule()
    def decline_what_waits(self) -> None:
        async def act(connection: Connection) -> None:
            for refund in await refunds.waiting(connection):
                if refund.state is RefundState.ASKED:
                    await decline(connection, refund.id)
                    if refund.purchase is not None:
                        (held,) = [h for h in self.orders if h.order.id == refund.purchase]
                        held.refunded -= refund.units
                        self.has[held.key] += refund.units

        assert self.do(self._tried(act)) is None

    @rule()
    def give_money_back(self) -> None:
        async def act() -> None:
            async with self.database.transaction() as connection:
                await claim_unplaced(connection, now())
                await connection.execute(
                    "update refund set not_before = now() where state = 'approved'"
                )
            before = set(self.bank.paid)
            await pay_out(self.database, self.bank)  # type: ignore[arg-type]  # only what a refund needs
            async with self.database.reading() as connection:
                for refund in await refunds.newest(connection, size=1000):
                    if refund.reference in self.bank.paid.keys() - before and refund.units:
                        (held,) = [h for h in self.orders if h.order.id == refund.purchase]
                        self.stock[held.channel] += refund.units

        self.do(act())

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        if not hasattr(self, "buyers"):
            return

        async def look() -> None:
            async with self.database.reading() as connection:
                free = {s.channel.id: s.free for s in await stock.states(connection)}
                for channel in (CENTRE, FIRST, SECOND, COUNTER):
                    assert free[channel] == self.stock[channel], channel
                for buyer in self.buyers:
                    for one in await holdings(connection, buyer.id):
                        assert one.available == self.has[buyer.id, ChannelId(one.channel)]
            assert (await audit(self.database)).discrepancies == []

        self.do(look())


@pytest.mark.timeout(600)
def test_whatever_people_do_with_money_and_stock_the_books_stay_right(cluster: Cluster) -> None:
    Market.cluster = cluster
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@given(data=st.data())
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_model_agrees_with_the_books_on_one_whole_day(
    cluster: Cluster, data: st.DataObject
) -> None:
    """What chance may miss in a short run is done here for certain, each once."""
    Market.cluster = cluster
    day = Market()
    day.open()
    try:
        day.order(0, FIRST, 4)
        day.pay(data, wrong=False)
        for used in (True, False):
            day.stamp(0, FIRST)
            assert day.stamping
            day.end_a_stamp(data, used)
            day.the_books_say_what_the_model_says()
        assert day.has[day.buyers[0].id, FIRST] == 3
        day.open_a_shift(3)
        for again in (True, False):
            day.report_a_sale_of_the_block(again)
        day.undo_a_sale()
        day.the_books_say_what_the_model_says()
        day.close_the_shift()
        day.the_books_say_what_the_model_says()
        assert day.stock[COUNTER] == 20 - 1
    finally:
        day.teardown()
