"""``meterai run``: everything of one installation on this machine, watched over, stopped in order."""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass

import httpx
import structlog

from meterai.affixing import store as affixings
from meterai.cli.instance import announce, anybody_joined, exclusively
from meterai.cli.ports import free_port
from meterai.cli.speech import say
from meterai.cli.stage import Partner, Stage
from meterai.clock import monotonic
from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable
from meterai.db.migration import migrate
from meterai.errors import Refused, Text
from meterai.settings import Settings
from meterai.signing.vault import Vault
from meterai.worker.supervisor import Child, Supervisor

_log = structlog.get_logger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "localhost")
READY_PATIENCE_S = 60


class DemoOnLoopbackOnly(Refused):
    """A demo gives quota away; it must not be reachable from outside."""

    code = "demo_on_loopback_only"
    says = Text("Demo hanya boleh berjalan di 127.0.0.1.", "A demo may only run on 127.0.0.1.")
    next_step = Text("Pakai --no-demo untuk alamat lain.", "Use --no-demo for another address.")


async def run(settings: Settings, stage: Stage, *, until_idle: bool = False) -> None:
    """Serves until it is told to stop (Ctrl-C, SIGTERM) or, with ``until_idle``, nobody needs it."""
    if settings.demo and settings.host not in LOOPBACK:
        raise DemoOnLoopbackOnly
    with exclusively(settings):
        settings = settings.with_(port=settings.port or free_port(settings.host))
        _make_folders(settings, stage)
        settings, partners = stage.with_partners(settings)
        cluster = None if settings.database_url else settings.cluster()
        if cluster is not None:
            await cluster.start()
        try:
            database = await Database.connect(settings.dsn, size_max=2, name="run")
            await _prepare(database, settings, stage)
            ground = _Ground(settings, database, cluster)
            await _serve(ground, stage, partners, until_idle=until_idle)
            await database.close()
        finally:
            if cluster is not None:
                await cluster.stop()


def _make_folders(settings: Settings, stage: Stage) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    Vault.make_secret(settings.keys / "secret")
    stage.make_keys(settings.keys)


async def _prepare(database: Database, settings: Settings, stage: Stage) -> None:
    for migration in await migrate(database):
        _log.info("migrated", number=migration.number, name=migration.name)
    if settings.demo and not await stage.is_seeded(database):
        await asyncio.to_thread(stage.seed, settings)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything stands on: settings, books, and the embedded server where there is one."""

    settings: Settings
    database: Database
    cluster: Cluster | None

    async def hold(self) -> None:
        """The embedded server runs, also after somebody or something killed it."""
        if self.cluster is not None and self.cluster.pid is None:
            _log.error("database_died")
            await self.cluster.start()

    async def bury(self, incarnation: str) -> None:
        """What a dead worker had claimed waits again at once; the leases cover what this misses."""
        try:
            async with self.database.transaction() as connection:
                freed = await affixings.free_rows_of(connection, incarnation)
        except DatabaseUnavailable:
            _log.warning("rows_not_freed", incarnation=incarnation)
            return
        if freed:
            _log.warning("rows_freed", incarnation=incarnation, affixings=freed)


async def _serve(
    ground: _Ground, stage: Stage, partners: list[Partner], *, until_idle: bool
) -> None:
    settings = ground.settings
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    supervisor = Supervisor(settings.data_dir / "log", ground.bury)
    first, then = _children(settings, partners)
    try:
        for child in first:
            supervisor.start(child)
        if await _ready(settings, stop):
            for child in then:
                supervisor.start(child)
            announce(settings)
            _greet(settings, stage)
            await _until_stopped(ground, stop, until_idle=until_idle)
        elif not stop.is_set():
            say(f"meterai: belum siap setelah {READY_PATIENCE_S} s; lihat {settings.data_dir}/log")
    finally:
        say("meterai: berhenti …")
        await supervisor.stop()


def _children(settings: Settings, partners: list[Partner]) -> tuple[list[Child], list[Child]]:
    """Those a visitor needs for a first page, and those that work behind it a moment later."""
    env = settings.environment()
    this = (sys.executable, "-m", "meterai", "process")
    first = [Child("web", (*this, "web"), env), Child("intake", (*this, "intake"), env)]
    then = [Child(partner.name, (*this, *partner.command), env) for partner in partners]
    then += [
        Child(f"worker-{number}", (*this, "worker"), env)
        for number in range(1, settings.workers + 1)
    ]
    then.append(Child("clock", (*this, "clock"), env))
    return first, then


async def _ready(settings: Settings, stop: asyncio.Event) -> bool:
    started = monotonic()
    async with httpx.AsyncClient(timeout=2) as http:
        while monotonic() - started < READY_PATIENCE_S and not stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                answer = await http.get(f"{settings.base_url_local}/readyz")
                if answer.status_code == 200:
                    return True
            await asyncio.sleep(0.05)
    return False


async def _until_stopped(ground: _Ground, stop: asyncio.Event, *, until_idle: bool) -> None:
    idle = 0
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), 0.5)
        except TimeoutError:
            await ground.hold()
            idle = 0 if not until_idle or anybody_joined(ground.settings) else idle + 1
            if idle >= 3:
                return


def _greet(settings: Settings, stage: Stage) -> None:
    say(f"\n  meterai siap di  {settings.base_url_local}\n")
    if settings.demo:
        say("  Demo: semua meterai adalah CONTOH. Masuk sekali ketuk:")
        for role in stage.roles(settings):
            say(f"    {role.label:<24} {settings.base_url_local}{role.path}")
        say("")
    say("  Ctrl-C untuk berhenti.\n")
