"""Receiving a document: in one piece or in many, opened by the intake, kept only if it can be stamped.

A piece is durable before it is acknowledged, so that a cut connection goes on from there, on any host.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from meterai.affixing import documents
from meterai.affixing.errors import NoSuchUpload, PieceOutOfPlace
from meterai.affixing.model import Document
from meterai.channel import store as channels
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection, Database
from meterai.ids import new_code, new_id, new_token
from meterai.objects.store import Objects
from meterai.pdf.errors import RepairNeeded, TooLarge
from meterai.pdf.inspection import Inspection, Verdict
from meterai.people import store as people
from meterai.people.model import Party, PartyKind

NAME_MAX = 120


class Opener(Protocol):
    """Opens strangers' files under limits; handed in by wiring."""

    async def inspect(self, document: bytes, bytes_max: int) -> Inspection:
        """What the document is like."""

    async def repair(self, document: bytes, bytes_max: int) -> bytes:
        """The document written anew, if that is what it needs."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole file that somebody brought."""

    channel: ChannelId
    file_name: str
    content: bytes
    party: Party | None
    """Who is signed in; None: a guest, who gets a secret link."""
    repair: bool = True
    """A broken document may be repaired. Whoever says so shows the finding before anything is paid."""


@dataclass(frozen=True, slots=True)
class Received:
    """A document, and the secret link behind which it is; shown this once, never stored."""

    document: Document
    inspection: Inspection
    link: str
    content: bytes
    """What is kept and will be stamped: repaired, if need be."""


async def receive(
    database: Database, objects: Objects, opener: Opener, arrival: Arrival, link: str | None = None
) -> Received:
    """The document is kept and known. Raises a typed refusal when it cannot be stamped; nothing is
    kept then. A broken document is kept repaired, if that is allowed, and never as it came.
    """
    async with database.reading() as connection:
        terms = await channels.terms_at(connection, arrival.channel)
        moment = await connection.fetchval("select now()")
    refuse_size(len(arrival.content), terms.file_bytes_max)
    inspection = await opener.inspect(arrival.content, terms.file_bytes_max)
    refused = inspection.refusal()
    if refused is not None:
        raise refused
    content = arrival.content
    if inspection.verdict is Verdict.REPAIR:
        if not arrival.repair:
            raise RepairNeeded
        content = await opener.repair(content, terms.file_bytes_max)
    link = link or new_token()
    guest = Party(new_id(), PartyKind.GUEST, None, "id")
    owner = arrival.party or guest
    document = fresh_document(
        content,
        inspection,
        Keeping(owner.id, arrival.channel, arrival.file_name, moment, terms.keep_days),
    )
    # The row would promise a file: the file comes first. Without its row it is swept after a day.
    await objects.put(document.object, content)
    async with database.transaction() as connection:
        if arrival.party is None:
            await people.add_party(connection, guest)
        await documents.add(connection, document, link)
    return Received(document, inspection, link, content)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whose document it is, on which channel and under which name it came, and for how long it is kept."""

    party: UUID
    channel: str
    file_name: str
    received_at: datetime
    days: int = 30


def fresh_document(content: bytes, inspection: Inspection, keeping: Keeping) -> Document:
    """A document that just came: nothing is known of it yet but what the intake found."""
    id = new_id()
    return Document(
        id=id,
        code=new_code(),
        party=keeping.party,
        channel=keeping.channel,
        file_name=tidy_name(keeping.file_name),
        sha256=hashlib.sha256(content).digest(),
        size=len(content),
        pages=inspection.pages,
        inspection=msgspec.json.encode(inspection),
        object=documents.object_name(id),
        kind=None,
        number=None,
        dated=None,
        place=None,
        still_to_sign=False,
        received_at=keeping.received_at,
        keep_until=keeping.received_at + timedelta(days=keeping.days),
        deleted_at=None,
    )


def refuse_size(size: int, most: int) -> None:
    """Nothing, when the size is within the channel's terms. Raises :class:`TooLarge`."""
    if size > most:
        raise TooLarge(size_kb=-(-size // 1000), limit_kb=most // 1000)


def tidy_name(name: str) -> str:
    """A file name to show: no path, no control signs, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(sign for sign in last if sign.isprintable()).strip()
    if len(plain) > NAME_MAX:
        plain = plain[: NAME_MAX - 5] + "….pdf"
    return plain or "dokumen.pdf"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is still coming in."""

    id: UUID
    party: UUID | None
    channel: ChannelId
    file_name: str
    size: int
    received: int
    pieces: int
    document: UUID | None


async def begin_upload(
    connection: Connection, *, channel: ChannelId, file_name: str, size: int, party: UUID | None
) -> str:
    """An upload waits for its pieces; returns its secret link. Raises :class:`TooLarge`."""
    terms = await channels.terms_at(connection, channel)
    refuse_size(size, terms.file_bytes_max)
    link = new_token()
    await connection.execute(
        """insert into upload (id, link_hash, party, channel, file_name, size)
           values ($1, $2, $3, $4, $5, $6)""",
        new_id(),
        documents.link_hash(link),
        party,
        channel,
        tidy_name(file_name),
        size,
    )
    return link


async def upload_behind(connection: Connection, link: str, *, lock: bool = False) -> Upload:
    """The upload behind a link. Raises :class:`NoSuchUpload`."""
    row = await connection.fetchrow(
        f"""select id, party, channel, file_name, size, received, pieces, document
            from upload where link_hash = $1 {"for update" if lock else ""}""",
        documents.link_hash(link),
    )
    if row is None:
        raise NoSuchUpload
    return Upload(**dict(row.items()))


async def add_piece(
    database: Database, objects: Objects, link: str, *, offset: int, piece: bytes
) -> Upload:
    """The piece is durable and counted. A piece that was counted before changes nothing.

    Raises :class:`PieceOutOfPlace` when bytes before it are missing.
    """
    async with database.transaction() as connection:
        upload = await upload_behind(connection, link, lock=True)
        if offset + len(piece) <= upload.received:
            return upload
        if offset != upload.received or offset + len(piece) > upload.size:
            raise PieceOutOfPlace(expected=upload.received)
        await objects.put(_piece_name(upload.id, upload.pieces), piece)
        await connection.execute(
            "update upload set received = received + $2, pieces = pieces + 1 where id = $1",
            upload.id,
            len(piece),
        )
        return await upload_behind(connection, link)


async def finish_upload(
    database: Database, objects: Objects, opener: Opener, link: str
) -> Received | None:
    """The whole file is received as a document behind the same link; None if that was done before.

    Raises what :func:`receive` raises, and :class:`PieceOutOfPlace` while bytes are missing.
    """
    async with database.reading() as connection:
        upload = await upload_behind(connection, link)
        party = None if upload.party is None else await people.party(connection, upload.party)
    if upload.document is not None:
        return None
    if upload.received != upload.size:
        raise PieceOutOfPlace(expected=upload.received)
    names = [_piece_name(upload.id, number) for number in range(upload.pieces)]
    content = b"".join([await objects.get(name) for name in names])
    arrival = Arrival(upload.channel, upload.file_name, content, party)
    received = await receive(database, objects, opener, arrival, link)
    async with database.transaction() as connection:
        await connection.execute(
            "update upload set document = $2 where id = $1", upload.id, received.document.id
        )
    for name in names:
        await objects.delete(name)
    return received


def _piece_name(upload: UUID, number: int) -> str:
    return f"piece/{upload}-{number}"
