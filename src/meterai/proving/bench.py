"""``meterai bench``: what this machine carries, measured on the real thing."""

import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from meterai.cli.speech import record, say

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output")]


def commands() -> typer.Typer:
    """The benches as commands."""
    app = typer.Typer(help="Measure this machine on the real thing.")

    @app.callback()
    def _clear_up_when_told_to_end() -> None:
        """A bench that is ended by SIGTERM stops the servers that it started, as by Ctrl-C."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    for bench in (ledger, affix, sale, callbacks, engine, corpus, verify, untouched):
        app.command()(bench)
    return app


def ledger(
    seconds: Annotated[float, typer.Option(help="How long to measure")] = 5,
    clients: Annotated[int, typer.Option(help="Concurrent callers")] = 1000,
    batch: Annotated[int, typer.Option(help="Largest batch")] = 500,
    as_json: Json = False,
) -> None:
    """Transfers a second out of one hot account, batched, every commit durable."""
    from meterai.proving.ledger_bench import measure

    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        found = uvloop.run(measure(Path(folder), seconds, clients, batch))
    _tell(found, as_json=as_json)


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

    _tell(uvloop.run(measure(Plan(buyers, stock, channels, at_once, over_http))), as_json=as_json)


def callbacks(
    callbacks: Annotated[int, typer.Option(help="How many arrive")] = 100_000,
    as_json: Json = False,
) -> None:
    """Callbacks repeated, shuffled, days late, lost and forged: whether every payment ends once."""
    from meterai.proving.callbacks_bench import measure

    _tell(uvloop.run(measure(callbacks)), as_json=as_json)


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
