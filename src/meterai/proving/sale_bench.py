"""``meterai bench sale``: more buyers than units, 400 at once, each order from its hold to its credit.

Everything is real: the books with durable commits, the batchers of the web process, signatures over raw bytes.
What a provider's own machine would do, signing its callbacks, is done before the clock starts. The figures are
what the buyers were told; the audit says whether it is true.
"""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from meterai.affixing.paid import Report, take_reports
from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.allocation import issue_units
from meterai.channel.errors import SoldOut
from meterai.channel.model import Channel, ChannelId
from meterai.clock import now
from meterai.db.batcher import Batcher
from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.migration import migrate
from meterai.ids import new_id
from meterai.money import Units
from meterai.payment.model import NoticeState, PaymentNotice
from meterai.payment.snap import NOTIFY, SnapProvider, iso, notice_body, to_sign
from meterai.proving.sale_http import buy_over_http
from meterai.proving.sale_parts import TOTAL, add_buyers, terms_for
from meterai.sale.checkout import Wish, place_all
from meterai.sale.model import Order, reference_of
from meterai.signing.messages import MessageKey, make_pair


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to sell to how many."""

    buyers: int
    stock: int
    channels: int
    at_once: int
    over_http: int


@dataclass(slots=True)
class Told:
    """What the buyers were told."""

    credited: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Letter:
    """A buyer's wish, and the callback that their bank's provider will send if they pay."""

    wish: Wish
    headers: dict[str, str]
    raw: bytes


async def measure(plan: Plan) -> dict[str, object]:
    """What ``meterai bench sale`` reports."""
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        home = Path(folder)
        make_pair(home / "keys" / "payment.key", home / "keys" / "payment.pub")
        make_pair(home / "keys" / "provider.key", home / "keys" / "provider.pub")
        cluster = Cluster(home / "postgres")
        await cluster.start()
        database = await Database.connect(cluster.dsn)
        try:
            await migrate(database)
            names = await _open(database, plan)
            letters = await _write_letters(database, plan, names, home / "keys")
            found = await _sell(database, letters, plan, home / "keys")
            found |= await _judge(database, plan)
            if plan.over_http:
                found |= await buy_over_http(home, cluster, plan.over_http)
            return found
        finally:
            await database.close()
            await cluster.stop()


async def _open(database: Database, plan: Plan) -> list[ChannelId]:
    """Channels of unequal size that together have exactly the stock."""
    names = [ChannelId(f"kanal-{n:02d}") for n in range(1, plan.channels + 1)]
    weights = [1 + n % 4 for n in range(plan.channels)]
    shares = [plan.stock * w // sum(weights) for w in weights]
    shares[0] += plan.stock - sum(shares)
    async with database.transaction() as connection:
        for name, units in zip(names, shares, strict=True):
            await channels.open_channel(connection, Channel(name, name, "distributor", None))
            await channels.set_terms(connection, terms_for(name))
            await issue_units(connection, new_id(), name, Units(units))
    return names


async def _write_letters(
    database: Database, plan: Plan, names: list[ChannelId], keys: Path
) -> list[Letter]:
    async with database.transaction() as connection:
        buyers = await add_buyers(connection, plan.buyers)
    # Twice as many want one unit as there are, so every channel is asked for more than it has.
    wishes = [
        Wish.new(buyer, random.choices(names, [1 + n % 4 for n in range(len(names))])[0], 1)
        for buyer in buyers
    ]
    moment = iso(now())
    bodies = [
        notice_body(reference_of(wish.id), f"P{n}", f"R{n}", TOTAL, moment)
        for n, wish in enumerate(wishes)
    ]
    size = 2000
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(pool, sign_all, keys, bodies[n : n + size], moment)
                for n in range(0, len(bodies), size)
            )
        )
    signatures = [signature for part in parts for signature in part]
    return [
        Letter(wish, {"x-timestamp": moment, "x-signature": signature}, raw)
        for wish, signature, raw in zip(wishes, signatures, bodies, strict=True)
    ]


def sign_all(keys: Path, bodies: list[bytes], moment: str) -> list[str]:
    """What the provider's machine does with its callbacks."""
    key = MessageKey.load(keys / "provider.key")
    return [key.sign(to_sign("POST", NOTIFY, raw, moment)) for raw in bodies]


async def _sell(
    database: Database, letters: list[Letter], plan: Plan, keys: Path
) -> dict[str, object]:
    provider = SnapProvider.load("http://127.0.0.1:9", "meterai", keys)
    told = Told()
    queue = iter(letters)
    began = time.perf_counter()
    cpu = time.process_time()
    async with AsyncExitStack() as stack:
        orders: Batcher[Wish, Order] = await stack.enter_async_context(
            Batcher(database, place_all, flushers=1)
        )
        payments: Batcher[Report, PaymentNotice] = await stack.enter_async_context(
            Batcher(database, take_reports, flushers=1)
        )

        async def buyer() -> None:
            for letter in queue:
                started = time.perf_counter()
                try:
                    await orders.submit(letter.wish)
                except SoldOut as error:
                    told.refused[f"{error.code}: {error.sentence('id')}"] += 1
                    continue
                reported = provider.read_notice(NOTIFY, letter.headers, letter.raw, now())
                await payments.submit(Report(reported, "callback"))
                told.credited += 1
                told.seconds.append(time.perf_counter() - started)

        await asyncio.gather(*(buyer() for _ in range(plan.at_once)))
    elapsed = time.perf_counter() - began
    cpu = time.process_time() - cpu
    await provider.close()
    told.seconds.sort()
    return {
        "orders_per_s": round(told.credited / elapsed),
        "buyers": plan.buyers,
        "stock": plan.stock,
        "told_credited": told.credited,
        "told_refused": dict(told.refused),
        "p50_s": round(told.seconds[len(told.seconds) // 2], 3),
        "p99_s": round(told.seconds[int(len(told.seconds) * 0.99)], 3),
        "at_once": plan.at_once,
        "channels": plan.channels,
        "seconds": round(elapsed, 1),
        "client_cpu_s": round(cpu, 1),
        "cores": os.cpu_count(),
    }


async def _judge(database: Database, plan: Plan) -> dict[str, object]:
    """What the books say of it."""
    report = await audit(database)
    async with database.reading() as connection:
        sold = await connection.fetchval(
            "select coalesce(sum(units), 0)::bigint from purchase where state = 'paid'"
        )
        credited = await connection.fetchval(
            "select count(*) from payment_notice where state = $1", NoticeState.CREDITED.value
        )
        fsync = await connection.fetchval("show fsync")
    return {
        "sold": sold,
        "oversold": max(0, sold - plan.stock),
        "payments_credited": credited,
        "audit_clean": report.clean,
        "contradictions": [f"{d.about}: {d.detail}" for d in report.discrepancies[:5]],
        "fsync": fsync,
    }
