"""``meterai bench``: what this machine carries, measured on the real thing."""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from meterai.cli.speech import record, say
from meterai.db.batcher import Batcher
from meterai.db.cluster import Cluster
from meterai.db.connection import Connection, Database
from meterai.db.migration import migrate
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.ledger import journal, store
from meterai.ledger.model import Ledger, Limit, Outcome, Transfer, single

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output")]


def commands() -> typer.Typer:
    """The benches as commands."""
    app = typer.Typer(help="Measure this machine on the real thing.")

    @app.callback()
    def _benches() -> None:
        """Benches."""

    @app.command()
    def ledger(
        seconds: Annotated[float, typer.Option(help="How long to measure")] = 5,
        clients: Annotated[int, typer.Option(help="Concurrent callers")] = 1000,
        batch: Annotated[int, typer.Option(help="Largest batch")] = 500,
        as_json: Json = False,
    ) -> None:
        """Transfers a second out of one hot account, batched, every commit durable."""
        with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
            found = uvloop.run(_ledger(Path(folder), seconds, clients, batch))
        _tell(found, as_json=as_json)

    @app.command()
    def affix(
        seconds: Annotated[float, typer.Option(help="How long to measure")] = 60,
        warm_up: Annotated[float, typer.Option(help="Seconds before that")] = 10,
        in_flight: Annotated[int, typer.Option(help="Accepted and not settled at a time")] = 160,
        workers: Annotated[int, typer.Option(help="Worker processes")] = 2,
        kilobytes: Annotated[int, typer.Option(help="Size of a document")] = 100,
        key: Annotated[str, typer.Option(help="rsa-2048, rsa-3072, p-256, p-384")] = "rsa-2048",
        keep: Annotated[Path | None, typer.Option(help="Leave the data folder there")] = None,
        as_json: Json = False,
    ) -> None:
        """Affixings a second, end to end: reserved, stamped, sealed, stored durably, settled."""
        from meterai.proving import pipeline
        from meterai.proving.laboratory import Load

        load = Load(
            seconds=seconds,
            warm_up_s=warm_up,
            in_flight=in_flight,
            documents=2 * in_flight,
            workers=workers,
            kilobytes=kilobytes,
            key=key,
        )
        with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
            found = uvloop.run(pipeline.measure(keep or Path(folder), load))
        _tell(found, as_json=as_json)

    @app.command()
    def sale(
        buyers: Annotated[int, typer.Option(help="Who want one unit each")] = 100_000,
        stock: Annotated[int, typer.Option(help="Units there are")] = 50_000,
        channels: Annotated[int, typer.Option(help="Over how many channels")] = 20,
        at_once: Annotated[int, typer.Option(help="Buyers at the same time")] = 400,
        over_http: Annotated[int, typer.Option(help="Further orders by the pages; 0: none")] = 1200,
        as_json: Json = False,
    ) -> None:
        """More buyers than units: orders a second from hold to credit, and whether any was oversold."""
        from meterai.proving.sale_bench import Plan, measure

        _tell(
            uvloop.run(measure(Plan(buyers, stock, channels, at_once, over_http))), as_json=as_json
        )

    @app.command()
    def callbacks(
        callbacks: Annotated[int, typer.Option(help="How many arrive")] = 100_000,
        as_json: Json = False,
    ) -> None:
        """Callbacks repeated, shuffled, days late, lost and forged: whether every payment ends once."""
        from meterai.proving.callbacks_bench import measure

        _tell(uvloop.run(measure(callbacks)), as_json=as_json)

    @app.command()
    def engine(
        document: Annotated[
            list[str] | None, typer.Option(help="Only these, as 100kb-table; all if left out")
        ] = None,
        rounds: Annotated[int, typer.Option(help="Turns of each contender")] = 5,
        as_json: Json = False,
    ) -> None:
        """What a stamp costs: ours, pyHanko alone, and what no program can beat."""
        from meterai.proving import engine as measuring

        found = measuring.measure(document or list(measuring.DOCUMENTS), rounds=rounds)
        if as_json:
            record(dict(found))
        else:
            say(measuring.table(found))

    @app.command()
    def corpus(
        folder: Annotated[Path, typer.Argument(help="PDF files, listed in its manifest.csv")],
        jobs: Annotated[int, typer.Option(help="How many files at once")] = 2,
        csv: Annotated[
            Path | None, typer.Option("--csv", help="Where a line for every file is written")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Every file of a collection is stamped and judged, or refused for a reason."""
        from meterai.proving import corpus_report
        from meterai.proving.corpus import run

        verdicts = run(folder, jobs=jobs)
        if csv is not None:
            csv.write_text(corpus_report.lines(verdicts), encoding="utf-8")
        if as_json:
            record(corpus_report.figures(verdicts))
        else:
            say(corpus_report.table(verdicts))

    _add_verdicts(app)
    return app


def _add_verdicts(app: typer.Typer) -> None:
    @app.command()
    def verify(
        document: Annotated[
            list[str] | None, typer.Option(help="Which documents: 100kb, 1mb, 5mb")
        ] = None,
        rounds: Annotated[int, typer.Option(help="Rounds of each contender")] = 12,
        as_json: Json = False,
    ) -> None:
        """What a verdict costs: our fast road, pyHanko tuned, and the limit, in one run."""
        from meterai.proving.verdicts import DOCUMENTS, measure

        found = measure(document or list(DOCUMENTS), rounds=rounds)
        if as_json:
            record(dict(found))
            return
        for case in found["cases"]:
            say("  ".join(f"{name} {value}" for name, value in case.items()))

    @app.command()
    def untouched(
        count: Annotated[int, typer.Option(help="How many fresh stamps")] = 1000,
        as_json: Json = False,
    ) -> None:
        """False alarms on stamps that nobody touched, by both roads of the verifier."""
        from meterai.proving.verdicts import count_false_alarms

        found = count_false_alarms(count)
        if as_json:
            record(found)
        else:
            say(f"{found['stamps']} stamps, {found['false_alarms']} false alarms")
        if found["false_alarms"]:
            raise typer.Exit(1)


def _tell(found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        record(found)
    else:
        for name, value in found.items():
            say(f"{name:<24} {value}")


async def _ledger(folder: Path, seconds: float, clients: int, batch: int) -> dict[str, object]:
    cluster = Cluster(folder / "postgres")
    await cluster.start()
    database = await Database.connect(cluster.dsn)
    try:
        await migrate(database)
        return await _measure(database, seconds, clients, batch)
    finally:
        await database.close()
        await cluster.stop()


async def _measure(
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
