"""Many callers, one transaction: whole happenings are gathered while an earlier batch is being committed.

One hot row in PostgreSQL carries about one commit's worth of work per commit; gathered, a commit carries
hundreds of happenings. Every item brings the id that makes repeating it harmless, which is what allows the
two recoveries here: a batch whose COMMIT is in doubt is simply done again, and a batch spoiled by one item is
halved until the spoiler stands alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from meterai.clock import monotonic
from meterai.db.connection import Connection, Database
from meterai.db.errors import DatabaseUnavailable, TooManyWaiting
from meterai.errors import Busy, MeteraiError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Work = Callable[[Connection, Sequence[Item]], Awaitable[Sequence[Answer | MeteraiError]]]
"""Does a batch inside an open transaction: an answer, or the error to raise, for each item in order."""

_log = structlog.get_logger(__name__)
_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
    DatabaseUnavailable,
    Busy,
)


class Batcher(Generic[Item, Answer]):
    """Gathers items and does them in batches of at most ``largest``, ``flushers`` at a time."""

    def __init__(
        self,
        database: Database,
        work: Work[Item, Answer],
        *,
        largest: int = 500,
        waiting_max: int = 20_000,
        flushers: int = 2,
        patience_s: float = 20,
    ) -> None:
        self._database = database
        self._work = work
        self._largest = largest
        self._waiting_max = waiting_max
        self._flushers = flushers
        self._patience_s = patience_s
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> "Batcher[Item, Answer]":
        self._tasks = [asyncio.create_task(self._flush()) for _ in range(self._flushers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever was submitted is done before the flushers stop."""
        self._closing = True
        while not all(task.done() for task in self._tasks):
            self._woken.set()  # each flusher that wakes to an empty queue ends
            await asyncio.sleep(0.005)

    async def submit(self, item: Item) -> Answer:
        """The item is committed; returns its answer or raises its error.

        Raises :class:`TooManyWaiting` at once when the queue is full, and
        :class:`DatabaseUnavailable` when the database stayed away for ``patience_s``: what became of
        the item is then unknown until it is submitted again.
        """
        if len(self._waiting) >= self._waiting_max:
            raise TooManyWaiting
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._woken.set()
        return await answer

    async def _flush(self) -> None:
        while not self._closing or self._waiting:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                size = min(len(self._waiting), self._largest)
                batch = [self._waiting.popleft() for _ in range(size)]
                try:
                    await self._do(batch)
                except BaseException as error:
                    _fail(batch, error)
                    if not isinstance(error, Exception):
                        raise

    async def _do(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._commit([item for item, _ in batch])
        except DatabaseUnavailable as error:
            _fail(batch, error)
            return
        except Exception as error:  # noqa: BLE001 - it goes to whoever submitted the spoiler
            if len(batch) == 1:
                _fail(batch, error)
                return
            _log.warning("batch_halved", size=len(batch), error=repr(error))
            middle = len(batch) // 2
            await self._do(batch[:middle])
            await self._do(batch[middle:])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # the caller went away; the item is committed all the same
                continue
            if isinstance(answer, MeteraiError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _commit(self, items: list[Item]) -> Sequence[Answer | MeteraiError]:
        started = monotonic()
        pause = 0.02
        while True:
            try:
                async with self._database.transaction() as connection:
                    return await self._work(connection, items)
            except _AGAIN as error:
                if monotonic() - started > self._patience_s:
                    raise
                _log.info("batch_again", size=len(items), error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)


def _fail(batch: list[tuple[Item, "asyncio.Future[Answer]"]], error: BaseException) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
