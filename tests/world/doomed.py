"""A process that does one movement of money or stock and is killed after its n-th statement.

One program loads everything once and forks for every life, so that a movement can be killed after each of its
statements in seconds. It reads a line of JSON for each life and answers ``killed`` or ``done``.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg

from meterai.channel import allocation
from meterai.channel.model import ChannelId, Move
from meterai.clock import now
from meterai.db.connection import Connection, Database
from meterai.errors import MeteraiError
from meterai.money import Rupiah, Units
from meterai.payment.provider import PaidBack, Payback
from meterai.refund.payout import pay_out
from meterai.refund.void import decide_void
from meterai.sale import counter
from meterai.sale.counter import Opening, Sale
from meterai.signing.vault import Vault

VAULT = Vault(bytes(range(32)))
HERE = Path(__file__)


class Doom:
    """Counts statements; the process ends at once after the last one it may send."""

    def __init__(self, lives: int) -> None:
        self.left = lives

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch_the_driver(self) -> None:
        """Every way in which a statement reaches the server, BEGIN and COMMIT among them, is counted."""
        kind: Any = asyncpg.Connection
        for name in ("execute", "fetch", "fetchrow", "fetchval", "executemany"):
            setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, real: Any) -> Any:
        async def counted(*args: Any, **named: Any) -> Any:
            answer = await real(*args, **named)
            self.tick()
            return answer

        return counted


class FileBank:
    """A provider that outlives us: what it paid stands in a file, one line for each time money moved."""

    name = "snap"

    def __init__(self, file: Path, doom: Doom) -> None:
        self.file = file
        self.doom = doom

    async def pay_back(self, wish: Payback) -> PaidBack:
        paid = self.file.read_text().split() if self.file.exists() else []
        if wish.refund not in paid:
            with self.file.open("a") as out:
                out.write(f"{wish.refund}\n")
        self.doom.tick()
        return PaidBack(f"N-{wish.refund}")


async def _move(connection: Connection, order: dict[str, Any]) -> None:
    if order["what"] == "open":
        wish = Opening(
            UUID(order["shift"]),
            ChannelId(order["channel"]),
            "pasar",
            UUID(order["by"]),
            Rupiah(0),
            4,
        )
        await counter.open_shift(connection, VAULT, wish)
    elif order["what"] == "sync":
        sales = [Sale(UUID(id), now()) for id in order["vouchers"]]
        await counter.take_sales(connection, UUID(order["shift"]), sales, now())
    elif order["what"] == "redeem":
        said = await counter.redeem_code(connection, VAULT, order["code"], UUID(order["by"]), now())
        if isinstance(said, MeteraiError):
            raise said
    elif order["what"] == "close":
        cash = Rupiah(order["cash"])
        await counter.close_shift(connection, UUID(order["shift"]), cash, "uang kurang")
    elif order["what"] == "void":
        moment = datetime.fromisoformat(order["at"])
        await decide_void(connection, UUID(order["voucher"]), UUID(order["by"]), moment, grant=True)
    elif order["what"] == "stock":
        giver, taker = ChannelId(order["giver"]), ChannelId(order["taker"])
        await allocation.move(connection, Move(UUID(order["id"]), giver, taker, Units(4)))
    else:
        raise ValueError(order["what"])


async def _live(order: dict[str, Any]) -> None:
    doom = Doom(order["lives"])
    database = await Database.connect(order["dsn"], size_max=1)
    async with database.reading() as connection:
        await connection.execute("select 1")  # what opening a connection takes is no point of ours
    doom.watch_the_driver()
    if order["what"] == "pay_out":
        await pay_out(database, FileBank(Path(order["bank"]), doom))  # type: ignore[arg-type]
    else:
        async with database.transaction() as connection:
            await _move(connection, order)
    await database.close()


def _serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(_live(json.loads(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        said = "killed" if killed else "done" if status == 0 else "failed"
        print(said, flush=True)


class Doomed:
    """The program, from outside."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def __enter__(self) -> Self:
        folders = os.pathsep.join(str(HERE.parents[n] / name) for n, name in ((2, "src"), (1, "")))
        self.process = subprocess.Popen(
            [sys.executable, str(HERE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ) | {"PYTHONPATH": folders},  # noqa: TID251
        )
        return self

    def __exit__(
        self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def live(self, lives: int, **order: Any) -> str:
        """What became of a process that may send so many statements."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps(order | {"lives": lives, "dsn": self.dsn})
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


if __name__ == "__main__":
    _serve()
