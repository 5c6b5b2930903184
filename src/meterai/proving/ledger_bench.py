"""Transfers a second out of one hot account."""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from meterai.db.batcher import Batcher
from meterai.db.cluster import Cluster
from meterai.db.connection import Connection, Database
from meterai.db.migration import migrate
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger import journal, store
from meterai.ledger.model import Ledger, Limit, Outcome, Transfer, single


async def measure(folder: Path, seconds: float, clients: int, batch: int) -> dict[str, object]:
    """Figures of one run against an embedded PostgreSQL of its own under ``folder``, fsync on."""
    cluster = Cluster(folder / "postgres")
    await cluster.start()
    database = await Database.connect(cluster.dsn)
    try:
        await migrate(database)
        return await _transfers(database, seconds, clients, batch)
    finally:
        await database.close()
        await cluster.stop()


async def _transfers(
    database: Database, seconds: float, clients: int, batch: int
) -> dict[str, object]:
    hot, buyers = await _open(database)

    async def apply(
        connection: Connection, transfers: Sequence[Transfer]
    ) -> list[Outcome | MeteraiError]:
        outcomes = await journal.apply(connection, [[transfer] for transfer in transfers])
        return [outcome for (outcome,) in outcomes]

    latencies: list[float] = []
    gathered: Batcher[Transfer, Outcome] = Batcher(database, apply, largest=batch)
    async with gathered as batcher:
        stop = time.perf_counter() + seconds

        async def caller() -> None:
            while (began := time.perf_counter()) < stop:
                taken = single(new_id(), code=2, debit=hot, credit=random.choice(buyers), amount=1)
                outcome = await batcher.submit(taken)
                assert outcome is Outcome.CREATED
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(clients)))
        elapsed = time.perf_counter() - began
    latencies.sort()
    async with database.reading() as connection:
        fsync = await connection.fetchval("show fsync")
        durable = await connection.fetchval("show synchronous_commit")
    return {
        "transfers_per_s": round(len(latencies) / elapsed),
        "clients": clients,
        "hot_accounts": 1,
        "fsync": fsync,
        "synchronous_commit": durable,
        "batch": batch,
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
        "seconds": round(elapsed, 2),
        "cores": os.cpu_count(),
    }


async def _open(database: Database) -> tuple[int, list[int]]:
    async with database.transaction() as connection:
        issuer = await store.open_account(
            connection, ledger=Ledger.UNITS, code=901, limit=Limit.NONE
        )
        hot = await store.open_account(
            connection,
            ledger=Ledger.UNITS,
            code=902,
            limit=Limit.DEBITS_MUST_NOT_EXCEED_CREDITS,
        )
        rows = await connection.fetch(
            """insert into account (ledger, code, scope, flags)
               select 2, 903, n::text, 1 from generate_series(1, 20000) n returning id"""
        )
        stock = single(new_id(), code=1, debit=issuer, credit=hot, amount=10**9)
        await journal.record(connection, stock)
    return hot, [row["id"] for row in rows]
