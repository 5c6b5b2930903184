"""A line to PostgreSQL that is cut at a COMMIT: before it arrives, or when only its answer is still to come."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from pathlib import Path

_COMMIT = b"COMMIT;\x00"
_NAME = ".s.PGSQL.5432"


class Cut(Enum):
    """Where the line is cut."""

    BEFORE = "before"
    """The server never hears of the COMMIT, and rolls back."""
    AFTER = "after"
    """It is committed; nobody is told."""


class CuttingLine:
    """Stands between driver and server; cuts once each time it was armed."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self.armed: Cut | None = None
        self.cuts = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side closes it or it is cut."""
        there, back = await asyncio.open_unix_connection(str(self._server / _NAME))
        down = asyncio.create_task(_pour(there, writer))
        try:
            while said := await reader.read(65_536):
                if self.armed is not None and _COMMIT in said:
                    cut, self.armed = self.armed, None
                    self.cuts += 1
                    down.cancel()
                    if cut is Cut.AFTER:
                        await asyncio.wait([down])
                        back.write(said)
                        await there.read(1)  # it has answered, so it has committed
                    return
                back.write(said)
                await back.drain()
        except ConnectionError:
            return
        finally:
            down.cancel()
            back.close()
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65_536):
            writer.write(said)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def a_cutting_line(dsn: str) -> AsyncIterator[tuple[CuttingLine, str]]:
    """The line, and the address by which a database is reached over it."""
    address, _, folder = dsn.partition("?host=")
    line = CuttingLine(Path(folder))
    with tempfile.TemporaryDirectory(prefix="cut-", dir="/tmp") as own:  # socket paths are short
        server = await asyncio.start_unix_server(line.carry, str(Path(own) / _NAME))
        try:
            yield line, f"{address}?host={own}"
        finally:
            server.close()
