"""The whole road of a stamp under load: books, files, time stamps and workers as they run in an installation.

Everything is real: the embedded PostgreSQL with every commit durable, the folder of encrypted files, worker
processes, a time-stamp authority of its own over HTTP. Only the documents are made up; they were brought
before the measurement begins. All of it shares this machine's cores, the authority and the callers too.
"""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from meterai.affixing import documents, store
from meterai.affixing.model import MarkPlace
from meterai.affixing.reception import Keeping, fresh_document
from meterai.audit.model import Invariant, Report
from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.model import Channel, ChannelId, Terms
from meterai.cli.ports import free_port
from meterai.clock import now
from meterai.db.connection import Database
from meterai.db.migration import migrate
from meterai.ids import new_id, new_token
from meterai.ledger import journal
from meterai.money import Rupiah
from meterai.pdf.inspection import inspect
from meterai.people import store as people
from meterai.people.model import Party, PartyKind
from meterai.proving.paperwork import contract
from meterai.proving.pki import SEALS, make_pki
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import issue, sell_late, stock_account
from meterai.settings import Settings
from meterai.signing.vault import Vault
from meterai.wiring import App, open_app
from meterai.worker.supervisor import Child, Supervisor

CHANNEL = ChannelId("langsung")
OURS = "callers and reservations"
"""The part that is this very process."""
UNITS = 50_000_000
_PAGES = 8
_DRAFTS = 24
_NO_TITLE = b"(untitled)"
"""What the maker of the drafts writes where nobody gave a title."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the installation."""

    seconds: float = 60.0
    warm_up_s: float = 10.0
    in_flight: int = 160
    """Affixings that are accepted and not settled yet, at every moment."""
    documents: int = 640
    """Distinct documents; each is stamped again only when its stamp before was settled."""
    kilobytes: int = 100
    workers: int = 2
    key: str = "rsa-2048"
    """One of :data:`meterai.proving.pki.SEALS`."""
    examine: int = 200
    """How many of the files the audit opens and verifies; all are read and compared with the registry."""


@dataclass(frozen=True, slots=True)
class Here:
    """The installation under load."""

    app: App
    supervisor: Supervisor
    buyer: UUID
    held: tuple[UUID, ...]
    postmaster: int
    children: tuple[Child, ...]

    def start_workers(self) -> None:
        """Workers and the clock run."""
        for child in self.children:
            self.supervisor.start(child)


@asynccontextmanager
async def installation(folder: Path, load: Load) -> AsyncIterator[Here]:
    """All of it but the workers, with documents that wait to be stamped; gone at the end."""
    port = free_port()
    settings = Settings(
        data_dir=folder,
        log_level="warning",
        workers=load.workers,
        time_stamp_urls=(f"http://127.0.0.1:{port}/",),
    )
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    Vault.make_secret(settings.keys / "secret")
    make_pki(settings.keys, SEALS[load.key])
    cluster = settings.cluster()
    await cluster.start()
    try:
        async with open_app(settings, "bench") as app:
            await migrate(app.database)
            buyer = await _open_shop(app.database)
            held = await _bring(app, buyer, load)
            supervisor = Supervisor(folder / "log", _buried(app.database))
            authority, *others = _children(settings, port, load)
            supervisor.start(authority)
            try:
                assert cluster.pid is not None
                yield Here(app, supervisor, buyer, held, cluster.pid, tuple(others))
            finally:
                await supervisor.stop()
    finally:
        await cluster.stop()


def _children(settings: Settings, port: int, load: Load) -> tuple[Child, ...]:
    env = settings.environment()
    this = (sys.executable, "-m", "meterai", "process")
    return (
        Child("time-stamps", (*this, "time-stamps", str(port)), env),
        *(Child(f"worker-{n}", (*this, "worker"), env) for n in range(1, load.workers + 1)),
        Child("clock", (*this, "clock"), env),
    )


def _buried(database: Database) -> Callable[[str], Awaitable[None]]:
    async def bury(incarnation: str) -> None:
        async with database.transaction() as connection:
            await store.free_rows_of(connection, incarnation)

    return bury


async def _open_shop(database: Database) -> UUID:
    """A channel that sells, and a buyer who bought enough."""
    terms = Terms(
        channel=CHANNEL,
        valid_from=now() - timedelta(days=1),
        duty=Rupiah(10_000),
        service_fee=Rupiah(0),
        units_per_order=500,
        order_seconds=900,
        file_bytes_max=10_000_000,
        attempts_max=4,
        deadline_seconds=30,
        keep_days=30,
    )
    buyer = Party(new_id(), PartyKind.GUEST, None, "id")
    async with database.transaction() as connection:
        await channels.open_channel(connection, Channel(CHANNEL, "Langsung", "issuer", None))
        await channels.set_terms(connection, terms)
        await issue(connection, new_id(), CHANNEL, UNITS)
        await people.add_party(connection, buyer)
        stock = await stock_account(connection, CHANNEL)
        available, _ = await open_accounts(connection, buyer.id, CHANNEL)
        bought = sell_late(new_id(), stock=stock, available=available, units=UNITS)
        await journal.record(connection, bought)
    return buyer.id


async def _bring(app: App, buyer: UUID, load: Load) -> tuple[UUID, ...]:
    """Documents that were uploaded before; they differ in what they say, not in how they are built."""
    drafts = [contract(n, kilobytes=load.kilobytes, pages=_PAGES) for n in range(_DRAFTS)]
    inspection = inspect(drafts[0])
    assert inspection.refusal() is None
    held = []
    for number in range(load.documents):
        content = _titled(drafts[number % _DRAFTS], number)
        keeping = Keeping(buyer, CHANNEL, f"surat-{number}.pdf", now())
        held.append((fresh_document(content, inspection, keeping), content))
    for start in range(0, len(held), 64):
        part = held[start : start + 64]
        await app.objects.put_all({document.object: content for document, content in part})
        async with app.database.transaction() as connection:
            for document, _ in part:
                await documents.add(connection, document, new_token())
                place = MarkPlace(inspection.pages, 98.0, 178.0)
                await documents.set_place(connection, document.id, place, still_to_sign=False)
    return tuple(document.id for document, _ in held)


def _titled(draft: bytes, number: int) -> bytes:
    """The draft with a title of its own, at the same length."""
    assert draft.count(_NO_TITLE) == 1
    return draft.replace(_NO_TITLE, b"(%08d)" % number)


def cpu_by_part(here: Here) -> dict[str, float]:
    """Seconds of processor time by now, of each part of the installation."""
    spent = {OURS: time.process_time()}
    for name, pid in here.supervisor.pids().items():
        part = "workers" if name.startswith("worker") else name
        spent[part] = spent.get(part, 0.0) + _seconds(pid)
    spent["postgres"] = sum(map(_seconds, _family(here.postmaster)))
    return spent


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _seconds(pid: int) -> float:
    """Of all its threads, to the nanosecond."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


async def audited(app: App, load: Load) -> Report:
    """Every invariant, every file against the registry, and some of the files by their seals."""
    report = await audit(app.database, objects=app.objects, read_statement=app.read_statement)
    async with app.database.reading() as connection:
        some = await connection.fetch(
            """select id, object, signed_sha256 from affixing where state = 'affixed'
               order by md5(id::text) limit $1""",
            load.examine,
        )
    for row in some:
        sound, digest, wrong = await app.examine_here(await app.objects.get(row["object"]))
        if not sound or digest != row["signed_sha256"]:
            report.add(Invariant.FILES, f"affixing {row['id']}", f"does not verify: {wrong}")
    return report
