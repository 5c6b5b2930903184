"""The commands and their options."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from meterai import __version__
from meterai.cli.speech import (
    NOT_POSSIBLE,
    SOME_FAILED,
    USAGE,
    give_up,
    record,
    say,
    speaking_of_failures,
)
from meterai.cli.stage import Stage
from meterai.errors import Invalid
from meterai.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where everything is kept", file_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output")]
Server = Annotated[
    str | None,
    typer.Option("--server", envvar="METERAI_SERVER", help="Address of a running server"),
]
Key = Annotated[str | None, typer.Option("--key", envvar="METERAI_API_KEY", help="API key")]

HELP = """Meterai elektronik: beli, bubuhkan, lihat kembali, periksa.

Electronic stamps: buy, affix, look back, verify. Exit codes: 0 all good, 1 not possible, 2 usage,
3 some files failed.
"""


def build(stage: Stage) -> typer.Typer:
    """The whole command line; ``stage`` brings what stands behind a demo."""
    app = typer.Typer(
        name="meterai", help=HELP, no_args_is_help=True, pretty_exceptions_enable=False
    )
    _add_running(app, stage)
    _add_work(app)
    _add_checks(app)
    app.add_typer(_proof(), name="proof")
    app.add_typer(_registry(), name="registry")
    app.add_typer(stage.commands(), name="bench")
    return app


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def _settings(data_dir: Path | None, **changes: object) -> Settings:
    settings = Settings.from_env()
    if data_dir is not None:
        changes["data_dir"] = data_dir.absolute()
    return settings.with_(**{k: v for k, v in changes.items() if v is not None})


def _add_running(app: typer.Typer, stage: Stage) -> None:
    @app.command()
    def run(
        data_dir: DataDir = None,
        port: Annotated[
            int | None, typer.Option(help="Where to listen; 0 takes a free one")
        ] = None,
        host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
        demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Demo roles and data")] = True,
        until_idle: Annotated[bool, typer.Option(hidden=True)] = False,
    ) -> None:
        """Serve: database, workers, pages and API, until Ctrl-C."""
        from meterai.cli.run import run as serve
        from meterai.logs import configure

        with speaking_of_failures():
            settings = _settings(data_dir, port=port, host=host, demo=demo)
            configure("warning")
            asyncio.run(serve(settings, stage, until_idle=until_idle))

    @app.command(hidden=True)
    def process(name: str, arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        """Be one of the processes that `run` watches over."""
        settings = Settings.from_env()
        if name == "web":
            from meterai.worker.web_process import run_web

            run_web(settings, stage.application(settings))
        elif name in ("worker", "clock", "intake"):
            from meterai.worker import processes

            run = {"clock": processes.run_clock, "intake": processes.run_intake}.get(name)
            if run is None:
                processes.run_worker(settings, stage.watch)
            else:
                run(settings)
        else:
            stage.play(name, arguments or [])

    @app.command()
    def version() -> None:
        """Say which version this is."""
        typer.echo(f"meterai {__version__}")


def _add_work(app: typer.Typer) -> None:
    @app.command()
    def stamp(
        paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", exists=True)],
        out: Annotated[Path, typer.Option("--out", help="Folder for the stamped files")],
        page: Annotated[str, typer.Option(help="Page number, or 'last'")] = "last",
        position: Annotated[
            str, typer.Option(help="suggested, bottom-right, …, or 'X,Y mm' from the top left")
        ] = "suggested",
        repeat: Annotated[
            bool, typer.Option("--repeat", help="Stamp once more what was stamped before")
        ] = False,
        server: Server = None,
        key: Key = None,
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        """Stamp PDF files; a unit that could not be used comes back by itself."""
        from meterai.cli.connection import connected
        from meterai.cli.stamp import fields_for, find_jobs, stamp_all

        try:
            jobs, fields = find_jobs(paths, out), fields_for(page, position)
        except Invalid as error:
            give_up(error, USAGE)
        with speaking_of_failures(), connected(_settings(data_dir), server, key) as client:
            outcomes = stamp_all(client, jobs, fields, repeat=repeat, as_json=as_json)
        if not all(outcome.good for outcome in outcomes):
            raise typer.Exit(SOME_FAILED)

    @app.command()
    def verify(
        paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", exists=True)],
        server: Server = None,
        offline: Annotated[
            bool,
            typer.Option(
                "--offline",
                help="Ask no server; use the copy of the registry, if any",
            ),
        ] = False,
        csv: Annotated[
            Path | None, typer.Option("--csv", help="Write a table here", dir_okay=False)
        ] = None,
        report: Annotated[
            Path | None,
            typer.Option("--report", help="Write a signed record (PDF) here", dir_okay=False),
        ] = None,
        checker: Annotated[
            str, typer.Option("--checker", help="Whose name stands in the record")
        ] = "",
        jobs: Annotated[
            int, typer.Option("--jobs", min=1, help="Processes; as many as cores if not given")
        ] = cores(),
        resume: Annotated[
            bool, typer.Option("--resume", help="Go on where the last run was cut off")
        ] = False,
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        """Check stamped PDF files: one verdict with its reason for each."""
        from meterai.cli.connection import reachable
        from meterai.cli.verify import Wanted, find_files, verify_all

        settings = _settings(data_dir)
        wanted = Wanted(jobs, as_json, csv, resume, report, checker)
        with speaking_of_failures():
            files = find_files(paths)
            if offline:
                good = verify_all(files, None, settings, wanted)
            else:
                with reachable(settings, server) as client:
                    good = verify_all(files, client, settings, wanted)
        if not good:
            raise typer.Exit(SOME_FAILED)


def _add_checks(app: typer.Typer) -> None:
    @app.command()
    def doctor(data_dir: DataDir = None, as_json: Json = False) -> None:
        """Look at this machine; each failure comes with its cure."""
        from meterai.cli.doctor import examine_machine

        with speaking_of_failures():
            checks = examine_machine(_settings(data_dir))
        for check in checks:
            if as_json:
                record(
                    {
                        "check": check.name,
                        "good": check.good,
                        "found": check.found,
                        "cure": None if check.good else check.cure,
                    }
                )
            else:
                say(f"{'✓' if check.good else '✗'} {check.name:<14} {check.found}")
                if not check.good:
                    say(f"    → {check.cure}")
        if not all(check.good for check in checks):
            raise typer.Exit(NOT_POSSIBLE)

    @app.command()
    def audit(
        package: Annotated[
            Path | None,
            typer.Argument(exists=True, dir_okay=False, help="Compute this package anew instead"),
        ] = None,
        write: Annotated[
            Path | None,
            typer.Option("--write", dir_okay=False, help="Write a package, check nothing"),
        ] = None,
        keys: Annotated[
            str | None, typer.Option(help="File or address of the issuer's meterai-keys.json")
        ] = None,
        server: Server = None,
        key: Key = None,
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        """Check all invariants and the journal's hash chain; exit 0 only when clean."""
        from meterai.cli import audit as auditing
        from meterai.cli.connection import connected
        from meterai.cli.proof import trust_from

        with speaking_of_failures():
            settings = _settings(data_dir)
            if write is not None:
                asyncio.run(auditing.pack_folder(settings, write))
                return
            if package is not None:
                found = auditing.read_package(package, trust_from(keys, settings))
            elif server is not None:
                with connected(settings, server, key) as client:
                    found = auditing.ask_server(client)
            else:
                found = asyncio.run(auditing.read_folder(settings))
        auditing.report(found, as_json=as_json)
        if not found.clean:
            raise typer.Exit(NOT_POSSIBLE)

    @app.command()
    def login(server: Server = None, data_dir: DataDir = None) -> None:
        """Keep an API key for a server, so that commands need no --key."""
        from meterai.cli.connection import keep_key

        with speaking_of_failures():
            keep_key(
                _settings(data_dir), server, typer.prompt("API key", hide_input=True, err=True)
            )


def _registry() -> typer.Typer:
    registry = typer.Typer(help="A copy of the registry, for checking without any server.")

    @registry.command()
    def fetch(server: Server = None, data_dir: DataDir = None, as_json: Json = False) -> None:
        """Get trust bundle and copy of the registry, both signed by the issuer."""
        from meterai.cli import registry as copying
        from meterai.cli.connection import reachable
        from meterai.client.errors import ServerUnreachable

        with speaking_of_failures():
            settings = _settings(data_dir)
            with reachable(settings, server) as client:
                if client is None:
                    raise ServerUnreachable(url=settings.base_url_local)
                copying.show(copying.fetch(client, settings), as_json=as_json)

    @registry.command()
    def show(data_dir: DataDir = None, as_json: Json = False) -> None:
        """Say how old the copy is."""
        from meterai.cli import registry as copying
        from meterai.errors import NotFound
        from meterai.wiring import trust_of

        with speaking_of_failures():
            settings = _settings(data_dir)
            found = copying.read_snapshot(settings, trust_of(settings))
            if found is None:
                raise NotFound
            copying.show(found, as_json=as_json)

    return registry


def _proof() -> typer.Typer:
    proof = typer.Typer(help="Signed statements: restoration certificates, receipts and others.")

    @proof.callback()
    def _callback() -> None:
        """Signed statements."""

    @proof.command("verify")
    def verify_proof(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
        keys: Annotated[
            str | None, typer.Option(help="File or address of the issuer's meterai-keys.json")
        ] = None,
        table: Annotated[
            Path | None,
            typer.Option(
                help="The table (CSV) that must belong to it", exists=True, dir_okay=False
            ),
        ] = None,
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        """Check a signed statement (PDF or JWS), offline."""
        from meterai.cli import proof as proving

        with speaking_of_failures():
            settings = _settings(data_dir)
            proving.verify(file, proving.trust_from(keys, settings), table, as_json=as_json)

    return proof
