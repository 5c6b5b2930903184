"""``meterai bench affix``: the whole road of a stamp under load, and what its steps cost."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from meterai.affixing.model import AffixingState, Lane
from meterai.affixing.reservation import AffixingWish
from meterai.clock import monotonic
from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.proving.laboratory import CHANNEL, Here, Load, audited, cpu_by_part, installation
from meterai.proving.stages import cost_of_stages

DRAIN_S = 60.0
"""How long after the measurement what is under way may take to its end."""
_LOOK_S = 0.03


@dataclass(slots=True)
class Tally:
    """What the callers saw."""

    accepted: dict[UUID, float] = field(default_factory=dict)
    """Under way, with the moment of acceptance."""
    latencies: list[float] = field(default_factory=list)
    """From acceptance to settled, both as seen by the caller."""
    settled: int = 0
    granted: set[UUID] = field(default_factory=set)
    waiting: dict[UUID, asyncio.Future[None]] = field(default_factory=dict)

    def begin(self) -> None:
        """The measurement begins; what is under way goes on."""
        self.latencies.clear()
        self.settled = 0


async def measure(folder: Path, load: Load) -> dict[str, object]:
    """An installation in ``folder`` carried this load; what it did, and what its audit says."""
    async with installation(folder, load) as here:
        stages = await cost_of_stages(here)
        here.start_workers()
        found = await _carry(here, load)
        report = await audited(here.app, load)
    return found | {
        "ms_by_stage": stages,
        "audit_clean": report.clean,
        "contradictions": [f"{d.about}: {d.detail}" for d in report.discrepancies][:20],
    }


async def _carry(here: Here, load: Load) -> dict[str, object]:
    tally = Tally()
    free = asyncio.Queue[UUID]()
    for id in here.held:
        free.put_nowait(id)
    stop, quit_ = asyncio.Event(), asyncio.Event()
    watching = asyncio.create_task(_watch(here.app.database, tally, quit_))
    callers = [asyncio.create_task(_call(here, tally, free, stop)) for _ in range(load.in_flight)]
    await asyncio.sleep(load.warm_up_s)
    tally.begin()
    before, began = cpu_by_part(here), monotonic()
    await asyncio.sleep(load.seconds)
    elapsed, settled, latencies = monotonic() - began, tally.settled, sorted(tally.latencies)
    spent = {name: s - before.get(name, 0.0) for name, s in cpu_by_part(here).items()}
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


async def _call(here: Here, tally: Tally, free: "asyncio.Queue[UUID]", stop: asyncio.Event) -> None:
    """Accepted, settled, and again, as a caller who waits for each."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        document = await free.get()
        wish = AffixingWish(new_id(), document, here.buyer, CHANNEL, Lane.BULK, repeat_wanted=True)
        done = tally.waiting[wish.id] = loop.create_future()
        await here.app.reservations.submit(wish)
        accepted = monotonic()
        tally.granted.add(wish.id)
        await done
        tally.latencies.append(monotonic() - accepted)
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
    """What became of everything that was accepted; lost is what reached neither end."""
    async with database.reading() as connection:
        rows = await connection.fetch(
            "select state, count(*) from affixing where id = any($1::uuid[]) group by state",
            list(tally.granted),
        )
    counted = {row[0]: row[1] for row in rows}
    affixed = counted.get(AffixingState.AFFIXED.value, 0)
    restored = counted.get(AffixingState.RESTORED.value, 0)
    return {
        "accepted": len(tally.granted),
        "affixed": affixed,
        "restored": restored,
        "lost": len(tally.granted) - affixed - restored,
    }
