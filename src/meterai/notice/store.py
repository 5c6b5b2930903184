"""The SQL of messages. Takes a connection; never commits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.db.connection import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person; ``recipient`` and ``secret`` are encrypted."""

    id: UUID
    medium: str
    template: str
    recipient: bytes
    shown: str
    text: str
    secret: bytes | None
    about: UUID | None
    created_at: datetime | None = None
    sent_at: datetime | None = None


async def put(connection: Connection, message: Message) -> None:
    """The message will be sent; a repetition with the same id is harmless."""
    await connection.execute(
        """insert into message (id, medium, template, recipient, shown, text, secret, about)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        message.id,
        message.medium,
        message.template,
        message.recipient,
        message.shown,
        message.text,
        message.secret,
        message.about,
    )


async def newest(connection: Connection, *, size: int = 100) -> list[Message]:
    """The newest messages first."""
    rows = await connection.fetch(
        """select id, medium, template, recipient, shown, text, secret, about, created_at, sent_at
           from message order by created_at desc limit $1""",
        size,
    )
    return [Message(**dict(row.items())) for row in rows]
