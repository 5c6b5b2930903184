"""A running demo, started as anybody starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from meterai.cli.ports import free_port
from meterai.db.connection import Connection, Database
from meterai.proving import faults
from meterai.settings import Settings

SRC = Path(__file__).parents[2] / "src"


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that serves."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def environment(self) -> dict[str, str]:
        """For commands that shall find this demo."""
        return environment(self.data_dir)


def environment(data_dir: Path) -> dict[str, str]:
    """Of a machine on which only this data folder is known."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("METERAI_")}  # noqa: TID251
    return kept | {"METERAI_DATA_DIR": str(data_dir), "PYTHONPATH": str(SRC)}


def start_demo(data_dir: Path, *more: str) -> Demo:
    """A demo on a free port; ready when this returns."""
    port = free_port()
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "meterai", "run", "--port", str(port), *more],
            env=environment(data_dir),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return Demo(url, data_dir, process)
        except httpx.HTTPError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def stop_demo(demo: Demo) -> None:
    """Stopped as by Ctrl-C."""
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(30)


def meterai(
    data_dir: Path, *words: str, timeout_s: float = 110
) -> subprocess.CompletedProcess[str]:
    """The command, run to its end on a machine on which only this data folder is known."""
    return subprocess.run(
        [sys.executable, "-m", "meterai", *words],
        env=environment(data_dir),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@asynccontextmanager
async def books(demo: Demo) -> AsyncIterator[Connection]:
    """A transaction in the database of this demo."""
    database = await Database.connect(Settings(data_dir=demo.data_dir).dsn, size_max=1)
    try:
        async with database.transaction() as connection:
            yield connection
    finally:
        await database.close()


async def break_next(demo: Demo, kind: str) -> None:
    """As the button *rusakkan sekarang* does: the next affixing of this demo fails."""
    async with books(demo) as connection:
        await faults.arm(connection, kind)
