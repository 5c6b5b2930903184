"""Connections: a pool, transactions, and the narrow typed view of a connection that stores take."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import asyncpg

from meterai.db.errors import DatabaseUnavailable


class Row(Protocol):
    """One row: by name or by position, and unpackable as keywords."""

    def __getitem__(self, key: str | int, /) -> Any:
        """The value of a column."""

    def keys(self) -> Iterator[str]:
        """The names of the columns."""

    def values(self) -> Iterator[Any]:
        """The values in order."""

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and values in order."""


LOST_CONNECTION = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # what a driver says that is cut off between two messages
)
"""The server went away: whether a COMMIT under way took effect is unknown."""


NO_ROOM = (asyncpg.InsufficientResourcesError, asyncpg.PostgresIOError)
"""The server is there and has no room: disk, memory or connections (SQLSTATE classes 53 and 58030)."""


class Connection(Protocol):
    """What a store may do: run SQL. It never commits; whoever opened the transaction does."""

    async def fetch(self, query: str, *args: object, timeout: float | None = None) -> Sequence[Row]:
        """All rows; ``timeout`` in seconds where the usual patience is too short."""

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """The first row, or None."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """The first value of the first row, or None."""

    async def execute(self, query: str, *args: object) -> str:
        """The command tag, such as ``UPDATE 3``."""

    async def executemany(self, query: str, args: Iterable[Sequence[object]]) -> None:
        """Nothing; the command ran once for each row of arguments."""

    async def copy_from_query(
        self,
        query: str,
        *args: object,
        output: Path,
        format: str,
        header: bool,
        timeout: float | None = None,
    ) -> str:
        """The rows are in the file ``output``, however many they are."""

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A transaction, or a savepoint within one."""


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str, *, size_max: int = 8, name: str = "meterai") -> Self:
        """A pool of at most ``size_max`` connections, opened as they are needed, none yet."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size_max,
            command_timeout=30,
            reset=_as_it_is,
            server_settings={
                "application_name": name,
                # Arrays of a whole batch come as parameters: a plan made for an empty table or for a
                # batch of one would be kept and cost a factor of three.
                "plan_cache_mode": "force_custom_plan",
                # Solid-state storage: fetching a few hundred rows by key beats reading the table.
                "random_page_cost": "1.1",
                "statement_timeout": "30s",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "60s",
                "timezone": "UTC",
            },
        )
        return cls(pool)

    async def close(self) -> None:
        """All connections are closed; those in use are waited for, at most five seconds."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One READ COMMITTED transaction: committed on leaving, rolled back on an exception.

        Raises :class:`DatabaseUnavailable` when the server is lost or has no room. Whether a commit
        under way took effect is then unknown: ask again by the id of what was written.
        """
        async with self.reading() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction: each statement sees the newest committed state."""
        try:
            connection = await self._pool.acquire(timeout=10)
        except (*LOST_CONNECTION, *NO_ROOM, asyncpg.InterfaceError, OSError) as error:
            raise DatabaseUnavailable from error
        try:
            yield connection
        except LOST_CONNECTION as error:
            _give_up(connection)
            raise DatabaseUnavailable from error
        except NO_ROOM as error:
            raise DatabaseUnavailable from error
        except (asyncpg.InterfaceError, ConnectionError) as error:
            if _is_gone(connection):
                raise DatabaseUnavailable from error
            raise
        finally:
            await self._pool.release(connection)


async def _as_it_is(_connection: Any) -> None:
    """Nothing is asked of the server when a connection goes back (the driver rolls back what is open).

    A statement of ours changes its transaction only (``set local``), never its session; the usual
    ``reset all`` would be a journey to the server and back for every page.
    """


def _give_up(connection: Any) -> None:
    """The connection is never used again, whatever state the driver believes it to be in."""
    if not _is_gone(connection):
        connection.terminate()


def _is_gone(connection: Any) -> bool:
    """Whether the connection was lost under our hands (the pool takes a lost one back at once)."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True
