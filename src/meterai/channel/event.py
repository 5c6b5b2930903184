"""Event sites (*situs acara*): what an intake asks for, until when, and on which channel one buys for it.

The rules are dated: a deadline that is moved stays visible as moved.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from meterai.channel.errors import NoSuchEvent
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection
from meterai.errors import Text


@dataclass(frozen=True, slots=True)
class Paper:
    """One document that the intake asks for."""

    name: Text
    kind: str
    """As for the advice on duty: ``statement``, ``agreement`` …"""
    units: int


@dataclass(frozen=True, slots=True)
class EventRules:
    """What the intake asks for from ``valid_from`` on."""

    valid_from: datetime
    deadline: datetime
    file_bytes_max: int
    papers: tuple[Paper, ...]
    rules: tuple[Text, ...]

    @property
    def units(self) -> int:
        """How many units one applicant needs."""
        return sum(paper.units for paper in self.papers)

    def left(self, now: datetime) -> timedelta | None:
        """How long until the deadline; None when it is over."""
        return self.deadline - now if now < self.deadline else None


@dataclass(frozen=True, slots=True)
class Event:
    """One intake and the channel that sells for it."""

    code: str
    channel: ChannelId
    name: str
    organiser: str


async def open_event(connection: Connection, event: Event) -> None:
    """The event exists; a repetition changes nothing."""
    await connection.execute(
        """insert into event (code, channel, name, organiser) values ($1, $2, $3, $4)
           on conflict (code) do nothing""",
        event.code,
        event.channel,
        event.name,
        event.organiser,
    )


async def set_rules(connection: Connection, code: str, rules: EventRules) -> None:
    """These rules hold from their moment on; earlier ones stay readable."""
    await connection.execute(
        """insert into event_rules (event, valid_from, deadline, file_bytes_max, papers, rules)
           values ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb) on conflict do nothing""",
        code,
        rules.valid_from,
        rules.deadline,
        rules.file_bytes_max,
        msgspec.json.encode(rules.papers).decode(),
        msgspec.json.encode(rules.rules).decode(),
    )


async def find(connection: Connection, code: str) -> Event:
    """The event of this code. Raises :class:`NoSuchEvent`."""
    row = await connection.fetchrow(
        "select code, channel, name, organiser from event where code = $1", code
    )
    if row is None:
        raise NoSuchEvent
    return Event(**dict(row.items()))


async def rules_of(connection: Connection, code: str, now: datetime) -> list[EventRules]:
    """The rules that hold now and all before them, newest first; never empty.

    Raises :class:`NoSuchEvent`.
    """
    rows = await connection.fetch(
        """select valid_from, deadline, file_bytes_max, papers::text as papers, rules::text as rules
           from event_rules where event = $1 and valid_from <= $2 order by valid_from desc""",
        code,
        now,
    )
    if not rows:
        raise NoSuchEvent
    return [
        EventRules(
            row["valid_from"],
            row["deadline"],
            row["file_bytes_max"],
            msgspec.json.decode(row["papers"], type=tuple[Paper, ...]),
            msgspec.json.decode(row["rules"], type=tuple[Text, ...]),
        )
        for row in rows
    ]


async def events(connection: Connection) -> list[Event]:
    """All events, newest first."""
    rows = await connection.fetch(
        "select code, channel, name, organiser from event order by opened_at desc, code"
    )
    return [Event(**dict(row.items())) for row in rows]
