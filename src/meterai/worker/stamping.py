"""A worker: takes waiting affixings and brings them to their end, until it is told to stop."""

import asyncio

import structlog

from meterai.affixing.affix import Workbench, affix_waiting
from meterai.db.errors import DatabaseUnavailable
from meterai.worker.metrics import AFFIXED

_log = structlog.get_logger(__name__)

IDLE_S = 0.1
"""How long to wait when nothing waits: what a lone person notices of the queue."""


async def work(bench: Workbench, name: str, stop: asyncio.Event) -> None:
    """Works until ``stop`` is set; what is under way is finished first."""
    _log.info("worker_started", worker=name)
    while not stop.is_set():
        try:
            claimed = await affix_waiting(bench, name)
        except DatabaseUnavailable:
            _log.warning("database_unavailable", worker=name)
            claimed = 0
            await asyncio.sleep(1)
        AFFIXED.inc(claimed)
        if claimed == 0:
            try:
                await asyncio.wait_for(stop.wait(), IDLE_S)
            except TimeoutError:
                continue
    _log.info("worker_stopped", worker=name)
