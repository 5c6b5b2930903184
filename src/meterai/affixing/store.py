"""The SQL of affixings. Takes a connection; never commits."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from meterai.affixing.model import (
    LANE_WEIGHTS,
    Affixing,
    AffixingState,
    Claim,
    Lane,
    MarkPlace,
    Reason,
)
from meterai.db.connection import Connection, Row
from meterai.pdf.road import Road

_COLUMNS = """a.id, a.document, a.party, a.channel, a.lane, a.units, a.marks, a.certify, a.recipe,
    a.source_sha256, a.reserved_at, a.deadline, a.attempts, a.attempts_max, a.state, a.fence,
    a.seal_until, a.reason, a.object, a.signed_sha256, a.file_sha256, a.size, a.ended_at,
    a.certificate, a.road"""


_BESIDE = ("source_object", "source_size", "pages", "numbers", "repaired", "left_s", "request_key")
"""What some queries give beside the affixing itself."""


def _affixing(row: Row) -> Affixing:
    fields = dict(row.items())
    for extra in _BESIDE:
        fields.pop(extra, None)
    return Affixing(
        **fields
        | {
            "lane": Lane(row["lane"]),
            "marks": msgspec.json.decode(row["marks"], type=tuple[MarkPlace, ...]),
            "state": AffixingState(row["state"]),
            "reason": None if row["reason"] is None else Reason(row["reason"]),
            "road": None if row["road"] is None else Road(row["road"]),
        }
    )


async def add(connection: Connection, affixings: Sequence[tuple[Affixing, str | None]]) -> None:
    """These affixings wait for a worker; each comes with its request key, if it has one."""
    await connection.execute(
        """insert into affixing (id, document, party, channel, lane, units, marks, certify, recipe,
               source_sha256, reserved_at, deadline, attempts_max, state, request_key)
           select id, document, party, channel, lane, units, marks::jsonb, certify, recipe,
                  source, reserved_at, deadline, attempts_max, 'waiting', request_key
           from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::smallint[],
                       $6::smallint[], $7::text[], $8::smallint[], $9::smallint[], $10::bytea[],
                       $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::text[])
                as a (id, document, party, channel, lane, units, marks, certify, recipe, source,
                      reserved_at, deadline, attempts_max, request_key)""",
        [a.id for a, _ in affixings],
        [a.document for a, _ in affixings],
        [a.party for a, _ in affixings],
        [a.channel for a, _ in affixings],
        [a.lane for a, _ in affixings],
        [a.units for a, _ in affixings],
        [msgspec.json.encode(a.marks).decode() for a, _ in affixings],
        [a.certify for a, _ in affixings],
        [a.recipe for a, _ in affixings],
        [a.source_sha256 for a, _ in affixings],
        [a.reserved_at for a, _ in affixings],
        [a.deadline for a, _ in affixings],
        [a.attempts_max for a, _ in affixings],
        [key for _, key in affixings],
    )


async def find(connection: Connection, id: UUID) -> Affixing | None:
    """The affixing with this id."""
    row = await connection.fetchrow(f"select {_COLUMNS} from affixing a where id = $1", id)
    return None if row is None else _affixing(row)


async def find_all(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Affixing]:
    """The existing ones among these."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from affixing a where id = any($1::uuid[])", ids
    )
    return {row["id"]: _affixing(row) for row in rows}


async def take_turns(connection: Connection, names: Sequence[bytes]) -> None:
    """Whoever names one of these waits until this transaction has ended. Take them all at once."""
    numbers = {
        int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True) for name in names
    }
    await connection.execute(
        "select pg_advisory_xact_lock(number) from unnest($1::bigint[]) as turn (number)",
        sorted(numbers),
    )


async def with_request_key(connection: Connection, party: UUID, key: str) -> Affixing | None:
    """What an earlier request with the same Idempotency-Key made."""
    return (await with_request_keys(connection, [(party, key)])).get((party, key))


async def with_request_keys(
    connection: Connection, keys: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Affixing]:
    """What earlier requests with the same Idempotency-Keys made."""
    if not keys:
        return {}
    rows = await connection.fetch(
        f"""select {_COLUMNS}, request_key from affixing a
            where (party, request_key) in (select * from unnest($1::uuid[], $2::text[]))""",
        [party for party, _ in keys],
        [key for _, key in keys],
    )
    return {(row["party"], row["request_key"]): _affixing(row) for row in rows}


async def newest_of_document(connection: Connection, document: UUID) -> Affixing | None:
    """The newest affixing of a document."""
    row = await connection.fetchrow(
        f"""select {_COLUMNS} from affixing a where document = $1
            order by reserved_at desc, id desc limit 1""",
        document,
    )
    return None if row is None else _affixing(row)


async def documents_under_way(connection: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these documents that are being affixed."""
    rows = await connection.fetch(
        """select document from affixing
           where document = any($1::uuid[]) and state in ('waiting', 'working')""",
        list(ids),
    )
    return {row["document"] for row in rows}


async def live_sources(
    connection: Connection, sources: Sequence[tuple[UUID, bytes]]
) -> set[tuple[UUID, bytes]]:
    """Those of these parties and documents that have an affixing under way or done."""
    rows = await connection.fetch(
        """select distinct party, source_sha256 from affixing
           where (party, source_sha256) in (select * from unnest($1::uuid[], $2::bytea[]))
             and state in ('waiting', 'working', 'affixed')""",
        [party for party, _ in sources],
        [sha256 for _, sha256 in sources],
    )
    return {(row["party"], row["source_sha256"]) for row in rows}


async def claim(connection: Connection, worker: str, *, size: int, lease: timedelta) -> list[Claim]:
    """At most ``size`` waiting affixings are this worker's, each under a new fence.

    People and bulk work take turns by weight; those another worker is taking at this moment are left
    out. The time to stop is written down in the database's clock.
    """
    rows = await connection.fetch(
        f"""with candidate as (
                select c.id, c.turn from unnest($3::smallint[], $4::int[]) as l (lane, weight)
                cross join lateral (
                    select id, (row_number() over (order by reserved_at) - 1) / l.weight as turn
                    from affixing
                    where state = 'waiting' and lane = l.lane and attempts < attempts_max
                      and not_before <= now() and deadline > now()
                    order by reserved_at limit $2 * 2) c),
            taken as (
                select a.id from affixing a join candidate c on c.id = a.id
                where a.state = 'waiting'
                order by c.turn, a.reserved_at limit $2 for update of a skip locked)
            update affixing a set
                state = 'working', fence = fence + 1, attempts = attempts + 1, worker = $1,
                seal_until = least(clock_timestamp() + $5::interval, deadline)
            from document d
            where a.id in (select id from taken) and d.id = a.document
            returning {_COLUMNS}, d.object as source_object, d.size as source_size, d.pages,
                array(select number from serial s where s.affixing = a.id order by s.position) as numbers,
                d.inspection->>'verdict' = 'repair' as repaired,
                extract(epoch from a.seal_until - clock_timestamp())::float8 as left_s""",
        worker,
        size,
        [int(lane) for lane in LANE_WEIGHTS],
        list(LANE_WEIGHTS.values()),
        lease,
    )
    claims = []
    for row in rows:
        affixing = _affixing(row)
        assert affixing.seal_until is not None
        claims.append(
            Claim(
                affixing,
                affixing.fence,
                affixing.seal_until,
                row["source_object"],
                row["source_size"],
                row["pages"],
                tuple(row["numbers"]),
                row["repaired"],
                row["left_s"],
            )
        )
    return sorted(claims, key=lambda c: c.affixing.reserved_at)


async def still_mine(connection: Connection, claims: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Those of these claims (affixing, fence) that may still seal, by the database's clock."""
    rows = await connection.fetch(
        """select a.id from affixing a
           join unnest($1::uuid[], $2::int[]) as c (id, fence) on c.id = a.id and c.fence = a.fence
           where a.state = 'working' and a.seal_until > clock_timestamp()""",
        [id for id, _ in claims],
        [fence for _, fence in claims],
    )
    return {row["id"] for row in rows}


async def lock_fenced(
    connection: Connection, claims: Sequence[tuple[UUID, int]]
) -> dict[UUID, Affixing]:
    """Those whose claim is still the newest, locked in order of id; the losers are not in it."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from affixing a
            join unnest($1::uuid[], $2::int[]) as c (id, fence) on c.id = a.id and c.fence = a.fence
            where a.state = 'working' order by a.id for no key update of a""",
        [id for id, _ in claims],
        [fence for _, fence in claims],
    )
    return {row["id"]: _affixing(row) for row in rows}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stored file that may win."""

    id: UUID
    fence: int
    object: str
    signed_sha256: bytes
    file_sha256: bytes
    size: int
    pages: int
    road: Road


async def settled_already(connection: Connection, files: Sequence[Sealed]) -> set[UUID]:
    """Those that have won with this very file: a COMMIT whose answer was lost had taken effect."""
    rows = await connection.fetch(
        """select a.id from affixing a join unnest($1::uuid[], $2::text[]) as f (id, object)
           on a.id = f.id and a.object = f.object where a.state = 'affixed'""",
        [f.id for f in files],
        [f.object for f in files],
    )
    return {row["id"] for row in rows}


async def mark_affixed(connection: Connection, files: Sequence[Sealed]) -> None:
    """These affixings are settled; only now can their files be downloaded."""
    await connection.execute(
        """update affixing a set state = 'affixed', object = f.object, signed_sha256 = f.signed,
                  file_sha256 = f.file, size = f.size, road = f.road, ended_at = now(), seal_until = null,
                  reason = null
           from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::int[], $6::text[])
                as f (id, object, signed, file, size, road)
           where a.id = f.id""",
        [f.id for f in files],
        [f.object for f in files],
        [f.signed_sha256 for f in files],
        [f.file_sha256 for f in files],
        [f.size for f in files],
        [f.road.value for f in files],
    )


async def roads(connection: Connection) -> dict[Road, int]:
    """How many affixings of the last day went which road."""
    rows = await connection.fetch(
        """select road, count(*) as n from affixing
           where state = 'affixed' and ended_at > now() - interval '24 hours' and road is not null
           group by road"""
    )
    return dict.fromkeys(Road, 0) | {Road(row["road"]): row["n"] for row in rows}


async def mark_waiting(connection: Connection, id: UUID, reason: Reason, pause: timedelta) -> None:
    """The affixing waits for another attempt with the same serials, after a pause."""
    await connection.execute(
        """update affixing set state = 'waiting', reason = $2, not_before = now() + $3::interval,
                  seal_until = null, worker = null where id = $1""",
        id,
        reason.value,
        pause,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """An affixing that gave its units back."""

    id: UUID
    state: AffixingState
    reason: Reason
    certificate: str


async def mark_given_back(connection: Connection, ended: Sequence[Ended]) -> None:
    """These affixings are over without a stamp; a late worker finds its fence gone."""
    await connection.execute(
        """update affixing a set state = e.state, reason = e.reason, certificate = e.certificate,
                  ended_at = now(), seal_until = null, fence = fence + 1
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                as e (id, state, reason, certificate)
           where a.id = e.id""",
        [e.id for e in ended],
        [e.state.value for e in ended],
        [e.reason.value for e in ended],
        [e.certificate for e in ended],
    )


async def lock_overdue(connection: Connection, *, size: int) -> list[Affixing]:
    """Affixings whose deadline and last permission to seal are both past, locked in order of id."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from affixing a where id in (
                select id from affixing
                where state in ('waiting', 'working') and deadline < clock_timestamp()
                  and (seal_until is null or seal_until < clock_timestamp())
                order by deadline limit $1 for update skip locked)
            order by id""",
        size,
    )
    return [_affixing(row) for row in rows]


async def lock_exhausted(connection: Connection, *, size: int) -> list[Affixing]:
    """Affixings that wait but have no attempt left, locked in order of id."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from affixing a where id in (
                select id from affixing where state = 'waiting' and attempts >= attempts_max
                order by deadline limit $1 for update skip locked)
            order by id""",
        size,
    )
    return [_affixing(row) for row in rows]


async def lock_one(connection: Connection, id: UUID) -> Affixing | None:
    """The affixing, locked until the transaction ends."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from affixing a where id = $1 for no key update", id
    )
    return None if row is None else _affixing(row)


async def free_rows_of(connection: Connection, worker: str) -> int:
    """What a worker that is known to be dead had claimed waits again, at once."""
    done = await connection.execute(
        """update affixing set state = 'waiting', reason = $2, seal_until = null, worker = null
           where state = 'working' and worker = $1""",
        worker,
        Reason.WORKER_DIED.value,
    )
    return int(done.rsplit(" ", 1)[1])


async def free_lost_rows(connection: Connection, *, grace: timedelta) -> int:
    """What was claimed on a lost host waits again, some time after its permission to seal ended."""
    done = await connection.execute(
        """update affixing set state = 'waiting', reason = $2, seal_until = null, worker = null
           where state = 'working' and seal_until < clock_timestamp() - $1::interval and deadline > now()""",
        grace,
        Reason.WORKER_DIED.value,
    )
    return int(done.rsplit(" ", 1)[1])


async def ahead_of(connection: Connection, affixing: Affixing) -> int:
    """How many in the same lane were reserved before this one and still wait."""
    found = await connection.fetchval(
        """select count(*) from affixing
           where state = 'waiting' and lane = $1 and reserved_at < $2""",
        affixing.lane,
        affixing.reserved_at,
    )
    assert isinstance(found, int)
    return found


async def objects_named(connection: Connection, names: Sequence[str]) -> set[str]:
    """Those among these object names that a row still needs."""
    rows = await connection.fetch(
        """select object from affixing where object = any($1::text[])
           union all select object from document
           where object = any($1::text[]) and deleted_at is null""",
        names,
    )
    return {row["object"] for row in rows}


async def moment(connection: Connection) -> datetime:
    """The moment at which this transaction began, by the database's clock."""
    found = await connection.fetchval("select now()")
    assert isinstance(found, datetime)
    return found
