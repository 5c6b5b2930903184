from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.channel.model import ChannelId
from meterai.clock import now
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.refund.errors import NothingToRefund, NothingWouldArrive, WindowOver
from meterai.refund.model import Offer, approvals_for, offer
from meterai.sale.model import Order, OrderState, reference_of
from world.trade import TERMS

NOW = now()


def an_order(units: int = 3, fee: int = 500) -> Order:
    id = new_id()
    return Order(
        id=id,
        reference=reference_of(id),
        party=new_id(),
        channel=ChannelId("langsung"),
        terms_from=TERMS.valid_from,
        units=units,
        duty=Rupiah(10_000 * units),
        service_fee=Rupiah(fee * units),
        document=None,
        state=OrderState.PAID,
        placed_at=NOW,
        expires_at=NOW,
        paid_at=NOW,
    )


def test_one_unit_alone_comes_back_whole_by_default() -> None:
    said = offer(an_order(), TERMS, units=1, unused=3, now=NOW)
    assert isinstance(said, Offer)
    assert (said.amount, said.duty, said.service_fee, said.withheld) == (10_500, 10_000, 500, 0)


def test_three_quarters_are_what_the_channel_promised_in_2024() -> None:
    terms = replace(TERMS, refund_share=75)
    said = offer(an_order(), terms, units=3, unused=3, now=NOW)
    assert isinstance(said, Offer)
    assert (said.amount, said.withheld, said.withheld_duty) == (23_625, 7_875, 6_375)


def test_the_window_is_that_of_the_purchase() -> None:
    terms = replace(TERMS, refund_days=3)
    order = an_order()
    assert isinstance(offer(order, terms, units=1, unused=1, now=NOW + timedelta(days=3)), Offer)
    late = offer(order, terms, units=1, unused=1, now=NOW + timedelta(days=3, seconds=1))
    assert isinstance(late, WindowOver)


@pytest.mark.parametrize(("units", "unused"), [(0, 3), (-1, 3), (4, 3), (1, 0)])
def test_no_more_than_is_unused(units: int, unused: int) -> None:
    assert isinstance(
        offer(an_order(), TERMS, units=units, unused=unused, now=NOW), NothingToRefund
    )


def test_an_order_that_was_not_paid_gives_nothing() -> None:
    for state in (OrderState.PLACED, OrderState.EXPIRED, OrderState.CANCELLED):
        order = replace(an_order(), state=state)
        assert isinstance(offer(order, TERMS, units=1, unused=1, now=NOW), NothingToRefund)


def test_when_the_cost_eats_everything_nothing_is_promised() -> None:
    terms = replace(TERMS, refund_cost=Rupiah(10_500))
    assert isinstance(offer(an_order(), terms, units=1, unused=1, now=NOW), NothingWouldArrive)


@given(
    st.integers(1, 50),
    st.integers(0, 5000),
    st.integers(0, 100),
    st.integers(0, 20_000),
    st.data(),
)
def test_what_comes_back_and_what_is_kept_are_what_was_paid(
    units: int, fee: int, share: int, cost: int, data: st.DataObject
) -> None:
    wanted = data.draw(st.integers(1, units))
    terms = replace(TERMS, refund_share=share, refund_cost=Rupiah(cost))
    said = offer(an_order(units, fee), terms, units=wanted, unused=units, now=NOW)
    if isinstance(said, Offer):
        assert said.amount + said.withheld == (10_000 + fee) * wanted
        assert said.duty + said.withheld_duty == 10_000 * wanted
        assert min(said.duty, said.service_fee, said.withheld_duty, said.withheld) >= 0


def test_two_officers_are_asked_above_the_limit_only() -> None:
    assert approvals_for(1_000_000, TERMS) == 0
    assert approvals_for(1_000_001, TERMS) == 2
    assert approvals_for(5, None) == 0
