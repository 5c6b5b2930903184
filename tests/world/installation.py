"""A whole installation to break: data folder, keys, books, files, a time-stamp authority, real workers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from meterai.affixing import documents, store
from meterai.affixing.model import Affixing, Document, Lane, MarkPlace
from meterai.affixing.reception import Keeping, fresh_document
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.affixing.restoration import restore_due
from meterai.audit.model import Report
from meterai.audit.reconciler import audit
from meterai.clock import monotonic
from meterai.db.connection import Database
from meterai.db.errors import DatabaseUnavailable
from meterai.ids import new_id, new_token
from meterai.pdf.inspection import inspect
from meterai.people.model import Party
from meterai.proving.pki import make_pki
from meterai.proving.sample import sample_letter
from meterai.proving.simulators.time_stamps import TimeStampServer
from meterai.settings import Settings
from meterai.signing.messages import make_pair
from meterai.wiring import App, open_app
from world.trade import CHANNEL, add_buyer, open_channel

LETTER = sample_letter()
SRC = Path(__file__).parents[2] / "src"


@dataclass(slots=True)
class Worker:
    """A real worker process."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def died_by_kill(self) -> bool:
        """Whether it is gone, and gone by SIGKILL."""
        return self.process.poll() == -signal.SIGKILL

    def kill(self) -> None:
        """As if its power were cut."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Asked to stop; gone."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(slots=True)
class Installation:
    """What a test holds of it."""

    settings: Settings
    app: App
    stamps: TimeStampServer
    buyer: Party
    workers: list[Worker] = field(default_factory=list)
    born: int = 0

    @property
    def database(self) -> Database:
        """Its books."""
        return self.app.database

    def start_worker(self, crash_at: str | None = None) -> Worker:
        """A worker process, which ends itself at a point if one is named."""
        self.born += 1
        name = f"worker-{self.born}"
        settings = self.settings.with_(incarnation=name, crash_at=crash_at)
        env = settings.environment() | {"METERAI_INCARNATION": name, "PYTHONPATH": str(SRC)}
        log = self.settings.data_dir / "worker.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "meterai", "process", "worker"],
                env=env,
                stdout=out,
                stderr=out,
                cwd=self.settings.data_dir,
            )
        worker = Worker(name, process)
        self.workers.append(worker)
        return worker

    async def bury(self, worker: Worker) -> None:
        """What the supervisor does when a child died: its rows wait again at once."""
        async with self.database.transaction() as connection:
            await store.free_rows_of(connection, worker.name)

    async def add_document(self, content: bytes = LETTER) -> Document:
        """A document that is ready to be affixed."""
        inspection = inspect(content)
        assert inspection.refusal() is None
        async with self.database.transaction() as connection:
            moment = await store.moment(connection)
            keeping = Keeping(self.buyer.id, CHANNEL, "surat.pdf", moment)
            document = fresh_document(content, inspection, keeping)
            await self.app.objects.put(document.object, content)
            await documents.add(connection, document, new_token())
            place = MarkPlace(1, 98.0, 178.0)
            await documents.set_place(connection, document.id, place, still_to_sign=False)
        return document

    async def reserve(self, count: int = 1, *, lane: Lane = Lane.PEOPLE) -> list[Affixing]:
        """Affixings of fresh documents that wait for a worker."""
        held = [await self.add_document() for _ in range(count)]
        wishes = [
            AffixingWish(new_id(), d.id, self.buyer.id, CHANNEL, lane, repeat_wanted=True)
            for d in held
        ]
        async with self.database.transaction() as connection:
            granted = await reserve_all(connection, wishes)
        found = [g for g in granted if isinstance(g, Affixing)]
        assert len(found) == count, granted
        return found

    async def look(self, id: UUID) -> Affixing:
        """The affixing as it is now."""
        async with self.database.reading() as connection:
            found = await store.find(connection, id)
        assert found is not None
        return found

    async def restore_due(self) -> list[UUID]:
        """What the clock does every half second."""
        async with self.database.transaction() as connection:
            return await restore_due(connection, self.app.statements)

    async def until_final(self, ids: list[UUID], *, patience_s: float = 60) -> list[Affixing]:
        """Waits, restoring like the clock, until each has ended."""
        stop = monotonic() + patience_s
        while monotonic() < stop:
            try:
                await self.restore_due()
                found = [await self.look(id) for id in ids]
            except DatabaseUnavailable:
                await asyncio.sleep(0.2)
                continue
            if all(a.state.final for a in found):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError([(a.id, a.state, a.reason) for a in found if not a.state.final])

    async def audit(self) -> Report:
        """Every invariant, with files, seals and certificates."""
        return await audit(
            self.database,
            objects=self.app.objects,
            examine=self.app.examine_here,
            read_statement=self.app.read_statement,
        )


@asynccontextmanager
async def an_installation(
    folder: Path, dsn: str, *, units: int = 200, **terms: int
) -> AsyncIterator[Installation]:
    """An installation over this database, with a buyer who has units."""
    keys = folder / "keys"
    keys.mkdir(parents=True)
    (keys / "secret").write_bytes(os.urandom(32))
    make_pki(keys)
    make_pair(keys / "payment.key", keys / "payment.pub")
    make_pair(keys / "provider.key", keys / "provider.pub")
    settings = Settings(
        data_dir=folder,
        database_url=dsn,
        log_level="warning",
    )
    with TimeStampServer(keys) as stamps:
        settings = settings.with_(time_stamp_urls=(stamps.url,))
        async with _opened(settings, stamps, units=units, **terms) as here:
            yield here


@asynccontextmanager
async def _opened(
    settings: Settings, stamps: TimeStampServer, *, units: int, **terms: int
) -> AsyncIterator[Installation]:
    async with open_app(settings, "test") as app:
        async with app.database.transaction() as connection:
            await open_channel(connection, stock=10_000, **terms)
            buyer = await add_buyer(connection, units=units)
        here = Installation(settings, app, stamps, buyer)
        try:
            yield here
        finally:
            for worker in here.workers:
                if worker.process.poll() is None:
                    worker.stop()
