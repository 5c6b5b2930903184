"""The whole road of a stamp under load: books, files, time stamps and workers as they run in an installation.

Everything is real: the embedded PostgreSQL with every commit durable, the folder of encrypted files, worker
processes, a time-stamp authority of its own over HTTP. Only the documents are made up; they were brought
before the measurement begins. All of it shares this machine's cores, the authority and the callers too.
"""

import asyncio
import hashlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from meterai.affixing import documents, store
from meterai.affixing.model import AffixingState, Document, Lane, MarkPlace
from meterai.affixing.reservation import AffixingWish
from meterai.audit.model import Invariant, Report
from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.model import Channel, ChannelId, Terms
from meterai.clock import monotonic, now
from meterai.db.connection import Database
from meterai.db.migration import migrate
from meterai.ids import new_code, new_id, new_token
from meterai.ledger import journal
from meterai.money import Rupiah
from meterai.pdf.inspection import inspect
from meterai.people import store as people
from meterai.people.model import Party, PartyKind
from meterai.proving.letters import long_letter
from meterai.proving.pki import make_pki
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import issue, sell_late, stock_account
from meterai.settings import Settings
from meterai.signing.vault import Vault
from meterai.wiring import App, open_app
from meterai.worker.supervisor import Child, Supervisor

CHANNEL = ChannelId("langsung")
UNITS = 50_000_000
DRAIN_S = 60.0
"""How long after the measurement what is under way may take to its end."""
_LOOK_S = 0.02


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
    examine: int = 200
    """How many of the files the audit opens and verifies; all are read and compared with the registry."""


@dataclass(slots=True)
class Tally:
    """What the callers saw."""

    accepted: dict[UUID, float] = field(default_factory=dict)
    """Under way, with the moment of acceptance."""
    latencies: list[float] = field(default_factory=list)
    """From acceptance to settled, both as seen by the caller."""
    settled: int = 0
    granted: int = 0
    waiting: dict[UUID, asyncio.Future[None]] = field(default_factory=dict)

    def begin(self) -> None:
        """The measurement begins; what is under way goes on."""
        self.latencies.clear()
        self.settled = 0


async def measure(folder: Path, load: Load) -> dict[str, object]:
    """An installation in ``folder`` carried this load; what it did, and what its audit says."""
    async with _installation(folder, load) as here:
        found = await _carry(here, load)
        report = await _audited(here.app, load)
    return found | {
        "audit_clean": report.clean,
        "contradictions": [f"{d.about}: {d.detail}" for d in report.discrepancies][:20],
    }


@dataclass(frozen=True, slots=True)
class _Here:
    app: App
    supervisor: Supervisor
    buyer: UUID
    held: tuple[UUID, ...]
    postmaster: int


@asynccontextmanager
async def _installation(folder: Path, load: Load) -> AsyncIterator[_Here]:
    port = _free_port()
    settings = Settings(
        data_dir=folder,
        log_level="warning",
        workers=load.workers,
        time_stamp_urls=(f"http://127.0.0.1:{port}/",),
    )
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    Vault.make_secret(settings.keys / "secret")
    make_pki(settings.keys)
    cluster = settings.cluster()
    await cluster.start()
    try:
        async with open_app(settings, "bench") as app:
            await migrate(app.database)
            buyer = await _open_shop(app.database)
            held = await _bring(app, buyer, load)
            supervisor = Supervisor(folder / "log", _buried(app.database))
            _start(supervisor, settings, port, load)
            try:
                assert cluster.pid is not None
                yield _Here(app, supervisor, buyer, held, cluster.pid)
            finally:
                await supervisor.stop()
    finally:
        await cluster.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(supervisor: Supervisor, settings: Settings, port: int, load: Load) -> None:
    env = settings.environment()
    this = (sys.executable, "-m", "meterai", "process")
    supervisor.start(Child("time-stamps", (*this, "time-stamps", str(port)), env))
    for number in range(1, load.workers + 1):
        supervisor.start(Child(f"worker-{number}", (*this, "worker"), env))
    supervisor.start(Child("clock", (*this, "clock"), env))


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
    inspection = inspect(long_letter(0, kilobytes=load.kilobytes))
    assert inspection.refusal() is None
    findings = msgspec.json.encode(inspection)
    moment = now()
    ids = []
    for number in range(load.documents):
        content = long_letter(number, kilobytes=load.kilobytes)
        id = new_id()
        name = documents.object_name(id)
        await app.objects.put(name, content)
        document = Document(
            id=id,
            code=new_code(),
            party=buyer,
            channel=CHANNEL,
            file_name=f"surat-{number}.pdf",
            sha256=hashlib.sha256(content).digest(),
            size=len(content),
            pages=inspection.pages,
            inspection=findings,
            object=name,
            kind=None,
            number=None,
            dated=None,
            place=None,
            still_to_sign=False,
            received_at=moment,
            keep_until=moment + timedelta(days=30),
            deleted_at=None,
        )
        async with app.database.transaction() as connection:
            await documents.add(connection, document, new_token())
            place = MarkPlace(inspection.pages, 98.0, 178.0)
            await documents.set_place(connection, id, place, still_to_sign=False)
        ids.append(id)
    return tuple(ids)


async def _carry(here: _Here, load: Load) -> dict[str, object]:
    tally = Tally()
    free = asyncio.Queue[UUID]()
    for id in here.held:
        free.put_nowait(id)
    stop, quit_ = asyncio.Event(), asyncio.Event()
    watching = asyncio.create_task(_watch(here.app.database, tally, quit_))
    callers = [asyncio.create_task(_call(here, tally, free, stop)) for _ in range(load.in_flight)]
    await asyncio.sleep(load.warm_up_s)
    tally.begin()
    before, began = _cpu(here), monotonic()
    await asyncio.sleep(load.seconds)
    elapsed, settled, latencies = monotonic() - began, tally.settled, sorted(tally.latencies)
    spent = {name: s - before.get(name, 0.0) for name, s in _cpu(here).items()}
    stop.set()
    _, hanging = await asyncio.wait(callers, timeout=DRAIN_S)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*callers)
    quit_.set()
    await watching
    return await _ended(here.app.database, tally) | {
        "affixings_per_s": round(settled / elapsed, 1),
        "p50_s": round(latencies[len(latencies) // 2], 3) if latencies else None,
        "p99_s": round(latencies[int(len(latencies) * 0.99)], 3) if latencies else None,
        "seconds": round(elapsed, 2),
        "in_flight": load.in_flight,
        "document_kb": load.kilobytes,
        "cores": os.cpu_count(),
        "cpu_ms_per_affixing": {n: round(s * 1000 / max(settled, 1), 3) for n, s in spent.items()},
        "busy_cores": round(sum(spent.values()) / elapsed, 2),
    }


async def _call(
    here: _Here, tally: Tally, free: "asyncio.Queue[UUID]", stop: asyncio.Event
) -> None:
    """Accepted, settled, and again, as a caller who waits for each."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        document = await free.get()
        wish = AffixingWish(new_id(), document, here.buyer, CHANNEL, Lane.BULK, repeat_wanted=True)
        done = tally.waiting[wish.id] = loop.create_future()
        await here.app.reservations.submit(wish)
        accepted = time.perf_counter()
        tally.granted += 1
        await done
        tally.latencies.append(time.perf_counter() - accepted)
        tally.settled += 1
        free.put_nowait(document)


async def _watch(database: Database, tally: Tally, stop: asyncio.Event) -> None:
    """Whoever waits is told when it is over: settled, or given back."""
    while not stop.is_set():
        async with database.reading() as connection:
            rows = await connection.fetch(
                "select id from affixing where id = any($1::uuid[]) and ended_at is not null",
                list(tally.waiting),
            )
        for row in rows:
            done = tally.waiting.pop(row["id"], None)
            if done is not None and not done.done():
                done.set_result(None)
        await asyncio.sleep(_LOOK_S)


async def _ended(database: Database, tally: Tally) -> dict[str, object]:
    async with database.reading() as connection:
        rows = await connection.fetch("select state, count(*) from affixing group by state")
    counted = {row[0]: row[1] for row in rows}
    affixed = counted.get(AffixingState.AFFIXED.value, 0)
    restored = counted.get(AffixingState.RESTORED.value, 0)
    return {
        "accepted": tally.granted,
        "affixed": affixed,
        "restored": restored,
        "lost": tally.granted - affixed - restored,
    }


def _cpu(here: _Here) -> dict[str, float]:
    """Seconds of processor time by now: user and system, of each part."""
    spent = {"callers and reservations": sum(os.times()[:2])}
    for name, pid in here.supervisor.pids().items():
        part = "workers" if name.startswith("worker") else name
        spent[part] = spent.get(part, 0.0) + _seconds(pid)
    spent["postgres"] = sum(_seconds(pid, reaped=True) for pid in _family(here.postmaster))
    return spent


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _seconds(pid: int, *, reaped: bool = False) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    ticks = sum(map(int, fields[11 : 15 if reaped else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def _audited(app: App, load: Load) -> Report:
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
