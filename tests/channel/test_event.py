from datetime import UTC, datetime, timedelta

import pytest

from meterai.channel import event as events
from meterai.channel.errors import NoSuchEvent
from meterai.channel.event import Event, EventRules, Paper
from meterai.channel.model import Channel
from meterai.channel.store import open_channel
from meterai.db.connection import Database
from meterai.errors import Text
from world.trade import CHANNEL

START = datetime(2026, 9, 1, tzinfo=UTC)
FIRST = EventRules(
    START,
    START + timedelta(days=5),
    800_000,
    (
        Paper(Text("Lamaran", "Application"), "statement", 1),
        Paper(Text("Pernyataan", "Statement"), "statement", 2),
    ),
    (Text("Tanda tangani dahulu.", "Sign first."),),
)


async def test_a_moved_deadline_holds_from_its_moment_and_the_old_one_stays_readable(
    database: Database,
) -> None:
    moved = EventRules(
        START + timedelta(days=3), START + timedelta(days=9), 800_000, FIRST.papers, FIRST.rules
    )
    async with database.transaction() as connection:
        await open_channel(connection, Channel(CHANNEL, "Acara", "event", None))
        await events.open_event(connection, Event("cpns", CHANNEL, "CPNS", "Panitia"))
        for rules in (FIRST, moved):
            await events.set_rules(connection, "cpns", rules)
        assert await events.rules_of(connection, "cpns", START + timedelta(days=1)) == [FIRST]
        assert await events.rules_of(connection, "cpns", START + timedelta(days=4)) == [
            moved,
            FIRST,
        ]


def test_an_applicant_needs_the_units_of_all_papers_and_time_runs_out() -> None:
    assert FIRST.units == 3
    assert FIRST.left(FIRST.deadline - timedelta(minutes=1)) == timedelta(minutes=1)
    assert FIRST.left(FIRST.deadline) is None


async def test_an_unknown_event_is_said_so(database: Database) -> None:
    async with database.reading() as connection:
        with pytest.raises(NoSuchEvent):
            await events.find(connection, "nobody")
        with pytest.raises(NoSuchEvent):
            await events.rules_of(connection, "nobody", START)
