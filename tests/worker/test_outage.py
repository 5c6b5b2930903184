"""The payment provider is away for ten minutes in mid-surge: nothing is lost, nobody has to help."""

import asyncio
import threading
from collections.abc import AsyncIterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from meterai.clock import now
from meterai.db.connection import Connection
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.payment.errors import ProviderUnavailable
from meterai.payment.snap import SnapProvider
from meterai.proving.simulators import payments as simulator
from meterai.proving.simulators.payments import Simulator
from meterai.refund.asking import ask
from meterai.sale import store as orders
from meterai.sale.checkout import ask_for_qr
from meterai.sale.model import Order, OrderState
from meterai.worker import clock
from meterai.worker.clock import Keeper
from world.installation import Installation, an_installation
from world.trade import add_buyer, place_order

OUTAGE_S = 600
HEALED_WITHIN_S = 60


class Surge:
    """Buyers, a bank, and a clock whose time we turn ourselves."""

    def __init__(self, here: Installation, bank: Simulator, provider: SnapProvider) -> None:
        self.here, self.bank, self.provider = here, bank, provider
        self.keeper = Keeper(
            here.database, here.app.objects, here.app.statements, provider, name="test"
        )

    def outage(self, seconds: float) -> None:
        kind = "down" if seconds else "none"
        said = f'{{"kind":"{kind}","seconds":{seconds}}}'
        assert self.bank.answer("/simulate/outage", {}, said.encode()) == (200, {})

    def pay(self, order: Order) -> None:
        """The buyer pays at their own bank, which works; the callback is lost with the outage."""
        said = f'{{"reference":"{order.reference}","how":"lost"}}'
        assert self.bank.answer("/simulate/pay", {}, said.encode())[0] == 200

    async def order(self, units: int = 1) -> Order:
        """An order of somebody new."""
        async with self.here.database.transaction() as connection:
            return await place_order(connection, await add_buyer(connection), units)

    async def pass_time(self, seconds: int) -> None:
        """Everything in the books that waits is so much older."""
        async with self.here.database.transaction() as connection:
            await connection.execute(_OLDER_REQUESTS, seconds)
            await connection.execute(
                "update purchase set expires_at = expires_at - make_interval(secs => $1)", seconds
            )
            await connection.execute(
                """update refund set not_before = not_before - make_interval(secs => $1)
                   where state = 'approved'""",
                seconds,
            )

    async def turn_of_the_clock(self) -> list[str]:
        """One turn of every duty about money; what failed in it, by code."""
        failed = []
        for duty in (
            clock.match_new_payments,
            clock.ask_about_silent_payments,
            clock.expire_orders,
            clock.give_money_back,
        ):
            try:
                await duty(self.keeper)
            except MeteraiError as error:
                failed.append(error.code)
        return failed

    async def states(self, some: list[Order]) -> list[OrderState]:
        async with self.here.database.reading() as connection:
            found = await orders.find_all(connection, [order.id for order in some])
        return [found[order.id].state for order in some]

    async def refund_state(self) -> str:
        async with self.here.database.reading() as connection:
            return str(await connection.fetchval("select state from refund"))


_OLDER_REQUESTS = """
update payment_request set
    requested_at = requested_at - make_interval(secs => $1),
    expires_at = expires_at - make_interval(secs => $1),
    asked_at = asked_at - make_interval(secs => $1),
    answered_at = answered_at - make_interval(secs => $1)
"""


@pytest.fixture
async def surge(tmp_path: Path, dsn: str) -> AsyncIterator[Surge]:
    async with an_installation(tmp_path / "data", dsn, units=0) as here:
        bank = Simulator(tmp_path / "data" / "bank", "http://127.0.0.1:9")
        server = ThreadingHTTPServer(("127.0.0.1", 0), simulator.handler(bank))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        provider = SnapProvider.load(url, "meterai", here.settings.keys)
        try:
            yield Surge(here, bank, provider)
        finally:
            await provider.close()
            await asyncio.to_thread(server.shutdown)
            server.server_close()


async def bought(surge: Surge, units: int) -> Order:
    order = await surge.order(units)
    await ask_for_qr(surge.here.database, surge.provider, order)
    surge.pay(order)
    await surge.pass_time(11)
    assert await surge.turn_of_the_clock() == []
    assert await surge.states([order]) == [OrderState.PAID]
    return order


async def test_ten_minutes_without_the_provider_lose_nothing_and_heal_by_themselves(
    surge: Surge,
) -> None:
    before = await bought(surge, 3)
    shown = [await surge.order() for _ in range(30)]
    for order in shown:
        await ask_for_qr(surge.here.database, surge.provider, order)
    await surge.pass_time(700)  # some will be over in the outage: 900 s is what an order waits

    surge.outage(3600)
    for order in shown[:10]:
        surge.pay(order)
    during: list[Order] = []
    for minute in range(OUTAGE_S // 60):
        during.append(await surge.order())
        with pytest.raises(ProviderUnavailable):
            await ask_for_qr(surge.here.database, surge.provider, during[-1])
        surge.pay(shown[10 + minute])
        if minute == 4:
            async with surge.here.database.transaction() as connection:
                await ask(connection, new_id(), before.id, before.party, units=2, now=now())
        for _ in range(5):
            assert "payment_provider_unavailable" in await surge.turn_of_the_clock()
            await surge.pass_time(12)
    assert set(await surge.states(shown)) == {OrderState.EXPIRED}
    assert await surge.refund_state() == "approved"
    assert (await surge.here.audit()).discrepancies == []

    surge.outage(0)
    paid, unpaid = shown[:20], shown[20:]
    for _ in range(HEALED_WITHIN_S // 2):
        assert await surge.turn_of_the_clock() == []
        await surge.pass_time(2)
    assert set(await surge.states(paid)) == {OrderState.PAID}
    assert set(await surge.states(unpaid)) == {OrderState.EXPIRED}
    await until_refunded(surge)
    for order in during:  # whoever kept the page open sees a QR code now
        request = await ask_for_qr(surge.here.database, surge.provider, order)
        assert request.qris is not None
    async with surge.here.database.reading() as connection:
        assert await credited(connection) == len(paid) + 1
    assert (await surge.here.audit()).discrepancies == []


async def until_refunded(surge: Surge) -> None:
    for _ in range(30):
        if await surge.refund_state() == "paid":
            break
        await surge.pass_time(60)  # what failed for minutes is tried again within half an hour
        await surge.turn_of_the_clock()
    assert await surge.refund_state() == "paid"
    refunds = [line for line in surge.bank.book.account() if line[0] == "refund"]
    assert len(refunds) == 1


async def credited(connection: Connection) -> int:
    return int(
        await connection.fetchval("select count(*) from payment_notice where state = 'credited'")
    )
