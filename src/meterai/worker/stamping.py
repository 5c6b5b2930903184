"""A worker: takes waiting affixings and brings them to their end, until it is told to stop."""

import asyncio

import structlog

from meterai.affixing.affix import Workbench, affix, claim_waiting
from meterai.db.errors import DatabaseUnavailable
from meterai.worker.metrics import AFFIXED

_log = structlog.get_logger(__name__)

IDLE_S = 0.1
"""How long to wait when nothing waits: what a lone person notices of the queue."""
HANDS = 3
"""Batches under way at a time: while one waits for the disk, another is stamped."""


async def work(bench: Workbench, name: str, stop: asyncio.Event) -> None:
    """Works until ``stop`` is set; what is under way is finished first."""
    _log.info("worker_started", worker=name)
    turn = asyncio.Lock()
    await asyncio.gather(*(_work(bench, name, stop, turn) for _ in range(HANDS)))
    _log.info("worker_stopped", worker=name)


async def _work(bench: Workbench, name: str, stop: asyncio.Event, turn: asyncio.Lock) -> None:
    while not stop.is_set():
        try:
            async with turn:  # one hand asks, however many are free
                claimed = await claim_waiting(bench, name)
                if not claimed.claims:
                    await _pause(stop, IDLE_S)
            await affix(bench, claimed)
        except DatabaseUnavailable:
            _log.warning("database_unavailable", worker=name)
            await _pause(stop, 1)
        else:
            AFFIXED.inc(len(claimed.claims))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
