"""Breaking things on purpose: at a named point of an affixing this very process ends, or a partner is away.

In the demo a fault is armed in a table of its own and taken by the worker that claims the next affixing; it
then stays with that affixing, whatever worker tries it, so that its unit really comes back. Fault tests name a
point by ``METERAI_CRASH_AT`` instead: every worker that reaches it is killed there.
"""

import os
import signal
from uuid import UUID

import asyncpg

from meterai.affixing.affix import Watch
from meterai.db.connection import Connection
from meterai.signing.errors import SignerUnavailable, TimeStampUnavailable
from meterai.wiring import App

KINDS = ("worker", "signer", "time_stamp")
"""A worker is killed; the sealing key or the time-stamp authority does not answer."""

_SCHEMA = """
create table if not exists demo_fault (
    id        bigint generated always as identity primary key,
    kind      text not null check (kind in ('worker', 'signer', 'time_stamp')),
    armed_at  timestamptz not null default now(),
    affixing  uuid
)
"""


async def prepare(connection: Connection) -> None:
    """Faults can be armed."""
    await connection.execute(_SCHEMA)


async def arm(connection: Connection, kind: str) -> None:
    """The next affixing will break in this way."""
    await connection.execute("delete from demo_fault where affixing is null")
    await connection.execute("insert into demo_fault (kind) values ($1)", kind)


async def disarm(connection: Connection) -> None:
    """Nothing will break that is not broken already."""
    await connection.execute("delete from demo_fault where affixing is null")


async def armed(connection: Connection) -> str | None:
    """What will break next, if anything."""
    found = await connection.fetchval(
        "select kind from demo_fault where affixing is null order by id desc limit 1"
    )
    return None if found is None else str(found)


async def _fault_of(connection: Connection, affixing: UUID) -> str | None:
    found = await connection.fetchval("select kind from demo_fault where affixing = $1", affixing)
    if found is None:
        found = await connection.fetchval(
            """update demo_fault set affixing = $1 where id = (
                   select id from demo_fault where affixing is null
                   order by id limit 1 for update skip locked) returning kind""",
            affixing,
        )
    return None if found is None else str(found)


def crash() -> None:
    """This process ends at once, as if the power were cut for it alone."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(app: App) -> Watch:
    """What a worker tells its points to, by the settings of this installation."""
    named = app.settings.crash_at
    if named is not None:
        return _crash_at(named)
    if app.settings.demo:
        return _armed_faults(app)
    return _nothing


async def _nothing(_point: str, _affixing: UUID) -> None:
    """No point means anything outside demo and tests."""


def _crash_at(named: str) -> Watch:
    async def told(point: str, _affixing: UUID) -> None:
        if point == named:
            crash()

    return told


def _armed_faults(app: App) -> Watch:
    async def told(point: str, affixing: UUID) -> None:
        if point != "stamped":
            return
        try:
            async with app.database.reading() as connection:
                kind = await _fault_of(connection, affixing)
        except asyncpg.UndefinedTableError:
            return  # a data folder that has never been a demo
        if kind == "worker":
            crash()
        if kind == "signer":
            raise SignerUnavailable
        if kind == "time_stamp":
            raise TimeStampUnavailable

    return told
