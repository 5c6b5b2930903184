"""What the clock sees to: payments nobody reported are found, units come back, whatever else hangs."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from meterai.affixing.model import AffixingState
from meterai.clock import now
from meterai.ids import new_id
from meterai.payment import store as payments
from meterai.payment.model import NoticeState, PaymentNotice, Reported, Unplaced
from meterai.payment.provider import IssuedQr, PaidBack
from meterai.payment.snap import SnapProvider
from meterai.proving.simulators import payments as simulator
from meterai.proving.simulators.payments import Simulator
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.sale import store as orders
from meterai.sale.checkout import ask_for_qr, expire_due
from meterai.sale.model import Order, OrderState
from meterai.worker import clock
from meterai.worker.clock import Keeper, ask_about_silent_payments, keep, match_new_payments
from world.installation import Installation, an_installation
from world.trade import place_order


class Shop:
    """An installation with a payment provider of its own."""

    def __init__(self, here: Installation, bank: Simulator, provider: SnapProvider) -> None:
        self.here, self.bank, self.provider = here, bank, provider
        self.keeper = Keeper(
            here.database, here.app.objects, here.app.statements, provider, name="test"
        )

    async def order(self, units: int = 2) -> Order:
        """An order whose QR code is on the buyer's screen."""
        async with self.here.database.transaction() as connection:
            order = await place_order(connection, self.here.buyer, units)
        await ask_for_qr(self.here.database, self.provider, order)
        return order

    async def pay(self, order: Order, how: str) -> None:
        """The buyer pays; the callback goes nowhere."""
        status, _ = self.bank.answer(
            "/simulate/pay", {}, f'{{"reference":"{order.reference}","how":"{how}"}}'.encode()
        )
        assert status == 200

    async def look_around(self) -> None:
        """One round of the clock's duties about payments."""
        await ask_about_silent_payments(self.keeper)
        await match_new_payments(self.keeper)

    async def state(self, order: Order) -> OrderState:
        async with self.here.database.reading() as connection:
            found = await orders.find(connection, order.id)
        assert found is not None
        return found.state

    async def available(self) -> int:
        async with self.here.database.reading() as connection:
            return total(await holdings(connection, self.here.buyer.id)).available

    async def notices(self) -> list[PaymentNotice]:
        async with self.here.database.reading() as connection:
            ids = [r["id"] for r in await connection.fetch("select id from payment_notice")]
        found = []
        for id in ids:
            async with self.here.database.transaction() as connection:
                found.append(await payments.lock_notice(connection, id))
        return found


@asynccontextmanager
async def a_provider(folder: Path, here: Installation) -> AsyncIterator[Shop]:
    bank = Simulator(folder / "bank", "http://127.0.0.1:9")
    server = ThreadingHTTPServer(("127.0.0.1", 0), simulator.handler(bank))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    provider = SnapProvider.load(url, "meterai", here.settings.keys)
    try:
        yield Shop(here, bank, provider)
    finally:
        await provider.close()
        server.shutdown()
        server.server_close()


@pytest.fixture
async def shop(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr(clock, "SILENT_S", 0)
    async with (
        an_installation(tmp_path / "data", dsn, units=0) as here,
        a_provider(tmp_path / "data", here) as shop,
    ):
        yield shop


async def test_a_payment_whose_callback_was_lost_is_found_by_asking(shop: Shop) -> None:
    order = await shop.order()
    await shop.look_around()
    assert await shop.state(order) is OrderState.PLACED
    await shop.pay(order, "lost")
    await shop.look_around()
    assert (await shop.state(order), await shop.available()) == (OrderState.PAID, 2)
    await shop.look_around()
    assert await shop.available() == 2
    assert (await shop.here.audit()).discrepancies == []


async def test_a_payment_after_the_orders_end_still_buys(shop: Shop) -> None:
    order = await shop.order()
    async with shop.here.database.transaction() as connection:
        await connection.execute(
            "update purchase set expires_at = now() - interval '1 second' where id = $1", order.id
        )
        assert await expire_due(connection) == 1
    await shop.pay(order, "lost")
    await shop.look_around()
    assert (await shop.state(order), await shop.available()) == (OrderState.PAID, 2)
    assert (await shop.here.audit()).discrepancies == []


async def test_a_wrong_amount_stands_on_the_books_as_unplaced_and_buys_nothing(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order, "wrong_amount")
    await shop.look_around()
    assert (await shop.state(order), await shop.available()) == (OrderState.PLACED, 0)
    (notice,) = await shop.notices()
    assert (notice.state, notice.reason) == (NoticeState.UNPLACED, Unplaced.WRONG_AMOUNT)
    assert (await shop.here.audit()).discrepancies == []


class HangingProvider:
    """A provider that takes calls and never answers."""

    name = "snap"

    async def issue_qr(self, *_: object) -> IssuedQr:
        await asyncio.sleep(3600)
        raise AssertionError

    async def issue_va(self, *_: object) -> str:
        raise AssertionError

    async def close_va(self, *_: object) -> None:
        raise AssertionError

    async def pay_back(self, *_: object) -> PaidBack:
        await asyncio.sleep(3600)
        raise AssertionError

    async def inquire(self, *_: object) -> None:
        await asyncio.sleep(3600)

    def read_notice(self, *_: object) -> Reported:
        raise AssertionError

    async def close(self) -> None:
        return


async def test_a_provider_that_hangs_keeps_no_unit_from_coming_back(
    tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "SILENT_S", 0)
    async with (
        an_installation(tmp_path / "data", dsn, deadline_seconds=1) as here,
        a_provider(tmp_path / "data", here) as shop,
    ):
        await shop.order()
        (affixing,) = await here.reserve()
        keeper = Keeper(
            here.database,
            here.app.objects,
            here.app.statements,
            HangingProvider(),
            name=str(new_id()),
        )
        stop = asyncio.Event()
        keeping = asyncio.create_task(keep(keeper, stop))
        until = now() + timedelta(seconds=20)
        while not (await here.look(affixing.id)).state.final and now() < until:
            await asyncio.sleep(0.1)
        stop.set()
        await asyncio.wait_for(keeping, 10)
        assert (await here.look(affixing.id)).state is AffixingState.RESTORED


async def test_of_two_clocks_one_leads_and_the_other_takes_over(tmp_path: Path, dsn: str) -> None:
    async with an_installation(tmp_path / "data", dsn) as here:

        def clock_named(name: str) -> tuple[asyncio.Event, asyncio.Task[None]]:
            keeper = Keeper(here.database, here.app.objects, here.app.statements, None, name=name)
            stop = asyncio.Event()
            return stop, asyncio.create_task(keep(keeper, stop))

        async def leader() -> str | None:
            async with here.database.reading() as connection:
                holder = await connection.fetchval("select holder from lease where name = 'clock'")
                return cast("str | None", holder)

        stop_first, first = clock_named("first")
        while await leader() is None:
            await asyncio.sleep(0.02)
        stop_second, second = clock_named("second")
        await asyncio.sleep(0.3)
        assert await leader() == "first"
        stop_first.set()
        await first
        while await leader() != "second":
            await asyncio.sleep(0.05)
        stop_second.set()
        await second
        assert await leader() is None
