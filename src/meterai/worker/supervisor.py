"""Watching over child processes: started in order, started again when they die, stopped in reverse.

A child is a program line with a name. When the watcher itself is killed, the kernel ends its children (they ask
for that themselves at their start), and PostgreSQL, which outlives it, is adopted at the next start.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from meterai.clock import monotonic

_log = structlog.get_logger(__name__)

PAUSE_MAX_S = 5.0
STOP_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """What to run, under which name, in which environment."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]


Died = Callable[[str], Awaitable[None]]
"""Told the incarnation of a child that is certainly dead, before it is started again."""


class Supervisor:
    """Keeps its children alive."""

    def __init__(self, log_folder: Path, died: Died) -> None:
        self._log_folder = log_folder
        self._died = died
        self._watchers: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = False

    def start(self, child: Child) -> None:
        """The child runs, and runs again a moment after it died."""
        self._watchers.append(asyncio.create_task(self._watch(child), name=child.name))

    def pids(self) -> dict[str, int]:
        """The process ids of the living children, by name."""
        return {name: process.pid for name, process in self._running.items()}

    async def stop(self) -> None:
        """All children have ended: the newest first, each asked, then made to."""
        self._stopping = True
        for name in reversed(list(self._running)):
            process = self._running.get(name)
            if process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await self._wait_for_all()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    async def _wait_for_all(self) -> None:
        deadline = monotonic() + STOP_PATIENCE_S
        for process in list(self._running.values()):
            try:
                await asyncio.wait_for(process.wait(), max(0.1, deadline - monotonic()))
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _watch(self, child: Child) -> None:
        pause, births = 0.05, 0
        while True:
            births += 1
            incarnation = f"{child.name}.{os.getpid()}.{births}"
            born = monotonic()
            with self._log(child.name) as log:
                process = await asyncio.create_subprocess_exec(
                    *child.command,
                    env=child.env
                    | {"METERAI_INCARNATION": incarnation, "METERAI_WATCHER": str(os.getpid())},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is ours; children are stopped in order
                )
            self._running[child.name] = process
            code = await process.wait()
            self._running.pop(child.name, None)
            if self._stopping:
                return
            _log.warning("child_died", child=child.name, code=code)
            await self._died(incarnation)
            pause = 0.05 if monotonic() - born > 10 else min(pause * 2, PAUSE_MAX_S)
            await asyncio.sleep(pause)

    def _log(self, name: str) -> IO[bytes]:
        self._log_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return (self._log_folder / f"{name}.log").open("ab")
