"""The SQL of documents that people brought. Takes a connection; never commits."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from meterai.affixing import store
from meterai.affixing.errors import DocumentDeleted, NoSuchDocument
from meterai.affixing.model import Affixing, Document, MarkPlace
from meterai.db.connection import Connection, Row

_COLUMNS = """d.id, d.code, d.party, d.channel, d.file_name, d.sha256, d.size, d.pages,
    d.inspection, d.object, d.kind, d.number, d.dated, d.place, d.still_to_sign, d.received_at,
    d.keep_until, d.deleted_at"""


def _document(row: Row) -> Document:
    place = row["place"]
    return Document(
        **dict(row.items())
        | {
            "inspection": row["inspection"].encode(),
            "place": None if place is None else msgspec.json.decode(place, type=MarkPlace),
        }
    )


def link_hash(link: str) -> bytes:
    """What is stored of a secret link."""
    return hashlib.sha256(link.encode()).digest()


def object_name(document: UUID) -> str:
    """``source/<id>.pdf``."""
    return f"source/{document}.pdf"


async def add(connection: Connection, document: Document, link: str) -> None:
    """The document is known and can be reached by its link."""
    await connection.execute(
        """insert into document (id, link_hash, code, party, channel, file_name, sha256, size, pages,
               inspection, object, keep_until)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)""",
        document.id,
        link_hash(link),
        document.code,
        document.party,
        document.channel,
        document.file_name,
        document.sha256,
        document.size,
        document.pages,
        document.inspection.decode(),
        document.object,
        document.keep_until,
    )


async def find(connection: Connection, id: UUID) -> Document:
    """The document with this id. Raises :class:`NoSuchDocument`."""
    row = await connection.fetchrow(f"select {_COLUMNS} from document d where id = $1", id)
    if row is None:
        raise NoSuchDocument
    return _document(row)


async def behind_link(connection: Connection, link: str) -> Document:
    """The document behind a secret link. Raises :class:`NoSuchDocument`."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from document d where link_hash = $1", link_hash(link)
    )
    if row is None:
        raise NoSuchDocument
    return _document(row)


async def with_code(connection: Connection, code: str) -> Document:
    """The document with a short code, of which only the status may be shown.

    Raises :class:`NoSuchDocument`.
    """
    row = await connection.fetchrow(f"select {_COLUMNS} from document d where code = $1", code)
    if row is None:
        raise NoSuchDocument
    return _document(row)


async def find_all(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Document]:
    """The existing ones among these."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from document d where id = any($1::uuid[])", ids
    )
    return {row["id"]: _document(row) for row in rows}


async def lock_all(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Document]:
    """The existing ones among these, locked in order of id until the transaction ends."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from document d where id = any($1::uuid[])
            order by id for no key update""",
        list(ids),
    )
    return {row["id"]: _document(row) for row in rows}


@dataclass(frozen=True, slots=True)
class Details:
    """What the person says about the document; all of it may be left out."""

    kind: str | None
    number: str | None
    dated: date | None


async def set_details(connection: Connection, id: UUID, details: Details) -> None:
    """Kind, number and date of the document are these."""
    await connection.execute(
        "update document set kind = $2, number = $3, dated = $4 where id = $1",
        id,
        details.kind,
        details.number,
        details.dated,
    )


async def set_place(
    connection: Connection, id: UUID, place: MarkPlace, *, still_to_sign: bool
) -> None:
    """The mark shall stand there."""
    await connection.execute(
        "update document set place = $2::jsonb, still_to_sign = $3 where id = $1",
        id,
        msgspec.json.encode(place).decode(),
        still_to_sign,
    )


async def delete(connection: Connection, id: UUID) -> list[str]:
    """The document and its stamped files are deleted; returns the objects to take away.

    Rows, digests and certificates stay: the registry must go on answering.
    Raises :class:`DocumentDeleted` when it was deleted before.
    """
    row = await connection.fetchrow(
        """update document set deleted_at = now() where id = $1 and deleted_at is null
           returning object""",
        id,
    )
    if row is None:
        raise DocumentDeleted
    stamped = await connection.fetch(
        "select object from affixing where document = $1 and object is not null", id
    )
    return [row["object"], *(r["object"] for r in stamped)]


async def due_for_deletion(connection: Connection, *, size: int) -> list[UUID]:
    """Documents whose day has come and that have nothing under way."""
    rows = await connection.fetch(
        """select id from document d where deleted_at is null and keep_until < now()
               and not exists (select 1 from affixing a where a.document = d.id
                               and a.state in ('waiting', 'working'))
           order by keep_until limit $1""",
        size,
    )
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history (*riwayat pembubuhan*)."""

    document: Document
    affixing: Affixing
    serials: tuple[str, ...]


async def history(
    connection: Connection, parties: Sequence[UUID], *, size: int = 100, state: str | None = None
) -> list[Entry]:
    """The affixings of these parties with their documents, newest first."""
    rows = await connection.fetch(
        """select a.id, a.document,
                  array(select number from serial s where s.affixing = a.id order by position) as serials
           from affixing a where a.party = any($1::uuid[]) and ($3::text is null or a.state = $3)
           order by a.reserved_at desc limit $2""",
        parties,
        size,
        state,
    )
    affixings = await store.find_all(connection, [row["id"] for row in rows])
    documents = await find_all(connection, [row["document"] for row in rows])
    return [
        Entry(documents[row["document"]], affixings[row["id"]], tuple(row["serials"]))
        for row in rows
    ]


async def newest_restored(connection: Connection, *, size: int) -> list[Affixing]:
    """The affixings that gave their units back last, newest first."""
    rows = await connection.fetch(
        """select id from affixing where state in ('restored', 'cancelled')
           order by ended_at desc limit $1""",
        size,
    )
    found = await store.find_all(connection, [row["id"] for row in rows])
    return [found[row["id"]] for row in rows]
