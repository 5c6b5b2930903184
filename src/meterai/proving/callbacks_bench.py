"""``meterai bench callbacks``: a provider that repeats, shuffles, delays, loses and is impersonated.

Callbacks come up to three days late by a simulated clock, each signed anew at the moment it is sent;
orders whose time was over by then have long put their units back, and the stock is too small for all of them.
Forged ones aim at orders that nobody paid. What was lost is found by asking the simulator over HTTP; what
cannot be credited goes back over HTTP too. In the end the provider's own book is laid beside ours.
"""

import asyncio
import os
import random
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

from meterai.affixing.paid import Report, take_payment, take_reports
from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.allocation import issue_units
from meterai.channel.model import Channel, ChannelId
from meterai.clock import now
from meterai.db.batcher import Batcher
from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.migration import migrate
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.money import Units
from meterai.payment import store as payments
from meterai.payment.errors import NoticeNotAccepted
from meterai.payment.model import PaymentNotice
from meterai.payment.snap import NOTIFY, SnapProvider, iso, notice_body, to_sign
from meterai.proving.sale_parts import TOTAL, add_buyers, terms_for
from meterai.proving.simulators.payments import Simulator, handler
from meterai.refund.asking import claim_unplaced
from meterai.refund.payout import pay_out
from meterai.sale.checkout import Wish, expire_due, place_all
from meterai.sale.model import Order
from meterai.signing.messages import MessageKey, make_pair
from meterai.worker.clock import ASKED_AT_ONCE

SHOP = ChannelId("langsung")
DELAY_MAX = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback as it arrives: when (simulated), about which order, signed by whom."""

    at: datetime
    order: Order
    rrn: str
    forged: bool


@dataclass(slots=True)
class World:
    """Everything that takes part."""

    database: Database
    provider: SnapProvider
    bank: Simulator
    keys: Path
    paid: list[tuple[Order, str]] = field(default_factory=list)
    unpaid: list[Order] = field(default_factory=list)


async def measure(callbacks: int) -> dict[str, object]:
    """What ``meterai bench callbacks`` reports; 2 orders for 5 callbacks."""
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        home = Path(folder)
        keys = home / "keys"
        for name in ("payment", "provider", "thief"):
            make_pair(keys / f"{name}.key", keys / f"{name}.pub")
        cluster = Cluster(home / "postgres")
        await cluster.start()
        bank = Simulator(home / "simulator", "http://127.0.0.1:9")
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(bank))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        provider = SnapProvider.load(f"http://127.0.0.1:{server.server_port}", "meterai", keys)
        database = await Database.connect(cluster.dsn)
        try:
            await migrate(database)
            return await _run(World(database, provider, bank, keys), callbacks)
        finally:
            await provider.close()
            server.shutdown()
            await database.close()
            await cluster.stop()


async def _run(world: World, callbacks: int) -> dict[str, object]:
    began = now()
    orders = await _place(world, callbacks * 2 // 5)
    cut = len(orders) * 19 // 20
    world.unpaid = orders[cut:]
    world.paid = [(order, world.bank.book.pay(order.reference, TOTAL)[0]) for order in orders[:cut]]
    deliveries = _plan(world, callbacks, began)
    bodies, signatures = await _sign(world.keys, deliveries)
    await _let_expire(world, deliveries, began)
    news: dict[UUID, float] = {}
    ends: dict[UUID, float] = {}
    started = time.perf_counter()
    refused = await _deliver(world, deliveries, bodies, signatures, (news, ends))
    asked = await _ask(world, (news, ends))
    while await _give_back(world):
        pass
    elapsed = time.perf_counter() - started
    return {
        "callbacks": len(deliveries),
        "orders": len(orders),
        **await _judge(world),
        "worst_s": round(max(ends[id] - news[id] for id in ends), 3),
        "forged": sum(d.forged for d in deliveries),
        "forged_refused": refused["forged"],
        "refused_otherwise": {k: v for k, v in refused.items() if k != "forged"},
        "lost_and_found_by_asking": asked,
        "callbacks_per_s": round(len(deliveries) / elapsed),
        "seconds": round(elapsed, 1),
    }


async def _place(world: World, count: int) -> list[Order]:
    async with world.database.transaction() as connection:
        await channels.open_channel(connection, Channel(SHOP, "Langsung", "distributor", None))
        await channels.set_terms(connection, terms_for(SHOP))
        await issue_units(connection, new_id(), SHOP, Units(count))
        buyers = await add_buyers(connection, count)
    orders: list[Order] = []
    for start in range(0, count, 500):
        wishes = [Wish.new(buyer, SHOP, 1) for buyer in buyers[start : start + 500]]
        async with world.database.transaction() as connection:
            placed = await place_all(connection, wishes)
        orders += [order for order in placed if isinstance(order, Order)]
    assert len(orders) == count
    for order in orders:
        world.bank.book.issue(order.reference, TOTAL, "qris", "shown")
    async with world.database.transaction() as connection:
        await connection.execute("update payment_request set qris = 'shown'")
    random.shuffle(orders)
    return orders


def _plan(world: World, callbacks: int, began: datetime) -> list[Delivery]:
    """5 % lost for ever, 5 % forged, the rest two or three times each, most soon and some after days."""
    heard = world.paid[len(world.paid) // 20 :]
    forged = [
        Delivery(began + random.random() * DELAY_MAX, random.choice(world.unpaid), "F", forged=True)
        for _ in range(callbacks // 20)
    ]
    true = [(order, rrn) for order, rrn in heard]
    while len(true) < callbacks - len(forged):
        true += random.sample(heard, min(len(heard), callbacks - len(forged) - len(true)))
    deliveries = forged + [
        Delivery(began + random.random() ** 4 * DELAY_MAX, order, rrn, forged=False)
        for order, rrn in true
    ]
    return sorted(deliveries, key=lambda delivery: delivery.at)


async def _sign(keys: Path, deliveries: list[Delivery]) -> tuple[list[bytes], list[str]]:
    bodies = [
        notice_body(
            d.order.reference, f"P-{d.order.reference}", d.rrn, TOTAL, iso(d.order.placed_at)
        )
        for d in deliveries
    ]
    jobs = [
        (raw, iso(d.at), "thief" if d.forged else "provider")
        for d, raw in zip(deliveries, bodies, strict=True)
    ]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(pool, _sign_part, keys, jobs[start : start + 2000])
                for start in range(0, len(jobs), 2000)
            )
        )
    return bodies, [signature for part in parts for signature in part]


def _sign_part(keys: Path, jobs: list[tuple[bytes, str, str]]) -> list[str]:
    known = {name: MessageKey.load(keys / f"{name}.key") for name in ("provider", "thief")}
    return [known[who].sign(to_sign("POST", NOTIFY, raw, at)) for raw, at, who in jobs]


async def _let_expire(world: World, deliveries: list[Delivery], began: datetime) -> None:
    """What nobody reported in time is over, and a tenth of what came back was sold to others."""
    in_time = {
        d.order.id
        for d in deliveries
        if not d.forged and d.at - began < timedelta(seconds=terms_for(SHOP).order_seconds)
    }
    async with world.database.transaction() as connection:
        late = await connection.fetch(
            """update purchase set expires_at = now() - interval '1 second'
               where id <> all($1::uuid[]) returning reference""",
            list(in_time),
        )
        await connection.execute(
            """update payment_request set expires_at = now() - interval '1 second'
               where reference = any($1::text[])""",
            [row["reference"] for row in late],
        )
    while True:
        async with world.database.transaction() as connection:
            if not await expire_due(connection, size=1000):
                break
    async with world.database.transaction() as connection:
        # Beyond the tenth, those who never paid leave theirs to others as well.
        gone = len(late) // 10 + len(world.unpaid)
        buyers = await add_buyers(connection, gone // 5 + 1)
        await place_all(connection, [Wish.new(buyer, SHOP, 5) for buyer in buyers])


Times = tuple[dict[UUID, float], dict[UUID, float]]


async def _deliver(
    world: World,
    deliveries: list[Delivery],
    bodies: list[bytes],
    signatures: list[str],
    times: Times,
) -> Counter[str]:
    news, ends = times
    refused: Counter[str] = Counter()
    queue = iter(zip(deliveries, bodies, signatures, strict=True))
    async with AsyncExitStack() as stack:
        batcher: Batcher[Report, PaymentNotice] = await stack.enter_async_context(
            Batcher(world.database, take_reports, flushers=1)
        )

        async def courier() -> None:
            for delivery, raw, signature in queue:
                headers = {"x-timestamp": iso(delivery.at), "x-signature": signature}
                news.setdefault(delivery.order.id, time.perf_counter())
                try:
                    reported = world.provider.read_notice(NOTIFY, headers, raw, delivery.at)
                    await batcher.submit(Report(reported, "callback"))
                except NoticeNotAccepted:
                    refused["forged" if delivery.forged else "true_but_refused"] += 1
                    continue
                except MeteraiError as error:
                    refused[error.code] += 1
                    continue
                if not delivery.forged:
                    ends.setdefault(delivery.order.id, time.perf_counter())

        await asyncio.gather(*(courier() for _ in range(400)))
    return refused


async def _ask(world: World, times: Times) -> int:
    """Every silent request is asked about once, as the clock does; returns how many had been paid."""
    news, ends = times
    found = 0
    before = now()
    while True:
        async with world.database.transaction() as connection:
            silent = await connection.fetchval(
                """select count(*) from payment_request
                   where not settled and qris is not null and coalesce(asked_at, '-infinity') < $1""",
                before,
            )
            requests = await payments.silent_requests(
                connection, silent_s=0, give_up_s=DELAY_MAX.total_seconds(), size=ASKED_AT_ONCE
            )
        if not silent or not requests:
            return found

        async def ask(reference: str, method: str) -> int:
            reported = await world.provider.inquire(reference, method)
            if reported is None:
                return 0
            heard = time.perf_counter()
            async with world.database.transaction() as connection:
                notice, is_new = await payments.record_notice(connection, reported, "inquiry")
                taken, _ = await take_payment(connection, notice.id)
            if is_new:
                order = notice.id if taken.order is None else taken.order.id
                news.setdefault(order, heard)
                ends.setdefault(order, time.perf_counter())
            return int(is_new)

        found += sum(await asyncio.gather(*(ask(*request) for request in requests)))


async def _give_back(world: World) -> int:
    async with world.database.transaction() as connection:
        claimed = await claim_unplaced(connection, now(), size=500)
    paid = await pay_out(world.database, world.provider, size=500)
    return len(claimed) + paid


_STATES = """select state, count(*) as n, sum(amount)::bigint as amount from payment_notice group by state"""


async def _judge(world: World) -> dict[str, object]:
    report = await audit(world.database)
    async with world.database.reading() as connection:
        states = {row["state"]: row["n"] for row in await connection.fetch(_STATES)}
        per_order = await connection.fetch(
            """select p.id, count(n.id) filter (where n.state = 'credited') as credited,
                      count(n.id) filter (where n.state in ('credited', 'refunded', 'unplaced')) as ended
               from purchase p left join payment_notice n on n.reference = p.reference group by p.id"""
        )
        ours = await connection.fetchval(
            """select coalesce(sum(debits_posted - credits_posted), 0)::bigint from account
               where ledger = 1 and code = 101"""
        )
    credited = {row["id"]: row["credited"] for row in per_order}
    ended = {row["id"]: row["ended"] for row in per_order}
    account = world.bank.book.account()
    theirs = sum(amount if kind == "payment" else -amount for kind, _, _, amount, _ in account)
    return {
        "credited_once": sum(credited[order.id] == 1 for order, _ in world.paid),
        "credited_twice": sum(n > 1 for n in credited.values()),
        "refunded": states.get("refunded", 0),
        "visibly_unplaced": states.get("unplaced", 0),
        "uncredited": sum(ended[order.id] != 1 for order, _ in world.paid),
        "unpaid_but_credited": sum(credited[order.id] for order in world.unpaid),
        "unmatched_rupiah": abs(theirs - ours),
        "audit_clean": report.clean,
        "contradictions": [f"{d.about}: {d.detail}" for d in report.discrepancies[:5]],
    }
