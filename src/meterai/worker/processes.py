"""What each child process of ``meterai run`` does from its start to its end."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import uvloop

from meterai.affixing.affix import Watch
from meterai.intake.limits import die_with_parent
from meterai.intake.server import Server
from meterai.logs import configure
from meterai.settings import Settings
from meterai.wiring import App, open_app, open_workbench, trust_of
from meterai.worker.clock import Keeper, keep
from meterai.worker.stamping import work


def run_worker(settings: Settings, watch: Callable[[App], Watch]) -> None:
    """Stamps and seals until SIGTERM."""
    _begin(settings)
    uvloop.run(_work(settings, watch))


async def _work(settings: Settings, watch: Callable[[App], Watch]) -> None:
    stop = _stop_event()
    async with open_app(settings, settings.incarnation) as app:
        bench = replace(open_workbench(app), at=watch(app))
        await work(bench, settings.incarnation, stop)


def run_clock(settings: Settings) -> None:
    """Keeps the clock until SIGTERM."""
    _begin(settings)
    uvloop.run(_keep(settings))


async def _keep(settings: Settings) -> None:
    stop = _stop_event()
    async with open_app(settings, settings.incarnation) as app:
        keeper = Keeper(
            app.database,
            app.objects,
            app.statements,
            app.provider,
            settings.incarnation,
            settings.public_dir,
        )
        await keep(keeper, stop)


def run_intake(settings: Settings) -> None:
    """Opens strangers' files until SIGTERM."""
    _begin(settings)
    children = max(2, os.cpu_count() or 1)
    Server(settings.intake_socket, lambda: trust_of(settings), children=children).serve()


def _begin(settings: Settings) -> None:
    configure(settings.log_level)
    die_with_parent(settings.watcher)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    return stop
