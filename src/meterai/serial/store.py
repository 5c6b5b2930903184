"""The SQL of the registry. Takes a connection; never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.serial.model import Serial, SerialNumber, SerialState

_COLUMNS = """number, state, channel, affixing, source_sha256, signed_sha256, file_sha256, pages,
              affixed_at, voided_at"""


def _serial(row: Row) -> Serial:
    return Serial(
        **dict(row.items())
        | {"number": SerialNumber(row["number"]), "state": SerialState(row["state"])}
    )


async def find(connection: Connection, number: SerialNumber) -> Serial | None:
    """What the registry knows of this serial; None when it was never given out."""
    row = await connection.fetchrow(f"select {_COLUMNS} from serial where number = $1", number)
    return None if row is None else _serial(row)


async def find_all(
    connection: Connection, numbers: Sequence[SerialNumber]
) -> dict[SerialNumber, Serial]:
    """The known ones among these serials."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from serial where number = any($1::text[])", numbers
    )
    return {row["number"]: _serial(row) for row in rows}


async def of_affixing(connection: Connection, affixing: UUID) -> list[Serial]:
    """The serials of one affixing, in order of their marks."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from serial where affixing = $1 order by position", affixing
    )
    return [_serial(row) for row in rows]


async def of_affixings(
    connection: Connection, affixings: Sequence[UUID]
) -> dict[UUID, list[Serial]]:
    """The serials of several affixings, each in order of its marks."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from serial where affixing = any($1::uuid[])
            order by affixing, position""",
        affixings,
    )
    found: dict[UUID, list[Serial]] = {affixing: [] for affixing in affixings}
    for row in rows:
        found[row["affixing"]].append(_serial(row))
    return found


@dataclass(frozen=True, slots=True)
class Binding:
    """One serial promised to one document."""

    number: SerialNumber
    channel: str
    holder: UUID
    affixing: UUID
    position: int
    source_sha256: bytes


async def bind(connection: Connection, bindings: Sequence[Binding]) -> None:
    """These new serials are bound. A repetition by the same affixing is harmless."""
    await connection.execute(
        """insert into serial (number, state, channel, holder, affixing, position, source_sha256)
           select number, 'bound', channel, holder, affixing, position, source
           from unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::smallint[], $6::bytea[])
                as b (number, channel, holder, affixing, position, source)""",
        [b.number for b in bindings],
        [b.channel for b in bindings],
        [b.holder for b in bindings],
        [b.affixing for b in bindings],
        [b.position for b in bindings],
        [b.source_sha256 for b in bindings],
    )


@dataclass(frozen=True, slots=True)
class Registration:
    """What the registry learns when an affixing settles."""

    affixing: UUID
    signed_sha256: bytes
    file_sha256: bytes
    pages: int


async def mark_affixed(connection: Connection, registrations: Sequence[Registration]) -> int:
    """The bound serials of these affixings are affixed; returns how many serials that were."""
    done = await connection.execute(
        """update serial s set state = 'affixed', affixed_at = now(),
                  signed_sha256 = r.signed, file_sha256 = r.file, pages = r.pages
           from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::int[])
                as r (affixing, signed, file, pages)
           where s.affixing = r.affixing and s.state = 'bound'""",
        [r.affixing for r in registrations],
        [r.signed_sha256 for r in registrations],
        [r.file_sha256 for r in registrations],
        [r.pages for r in registrations],
    )
    return int(done.rsplit(" ", 1)[1])


async def mark_void(connection: Connection, affixings: Sequence[UUID]) -> int:
    """The bound serials of these affixings are void for ever; returns how many that were."""
    done = await connection.execute(
        """update serial set state = 'void', voided_at = now()
           where affixing = any($1::uuid[]) and state = 'bound'""",
        affixings,
    )
    return int(done.rsplit(" ", 1)[1])


async def hashed(connection: Connection) -> tuple[bytes, bytes, datetime]:
    """Affixed serials as sorted rows of 8 bytes of the SHA-256 of the number and 8 of the signed range's; void
    ones as sorted 8 bytes of the number's; and the moment of both.
    """
    row = await connection.fetchrow(
        """select now() as at,
                  (select string_agg(substr(sha256(number::bytea), 1, 8) || substr(signed_sha256, 1, 8), ''
                                     order by substr(sha256(number::bytea), 1, 8))
                   from serial where state = 'affixed') as affixed,
                  (select string_agg(substr(sha256(number::bytea), 1, 8), ''
                                     order by substr(sha256(number::bytea), 1, 8))
                   from serial where state = 'void') as void"""
    )
    assert row is not None
    return bytes(row["affixed"] or b""), bytes(row["void"] or b""), row["at"]
