"""The transactional outbox: what happened, for whoever must hear of it, written in the same commit."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from meterai.db.connection import Connection


async def put(
    connection: Connection, topic: str, events: Sequence[tuple[UUID, dict[str, object]]]
) -> None:
    """Each event (what it is about, and facts) is committed or rolled back with the rest."""
    if events:
        await connection.execute(
            """insert into outbox (topic, about, payload)
               select $1, about, payload::jsonb from unnest($2::uuid[], $3::text[]) as e (about, payload)""",
            topic,
            [about for about, _ in events],
            [msgspec.json.encode(facts).decode() for _, facts in events],
        )
