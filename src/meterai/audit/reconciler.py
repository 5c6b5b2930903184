"""Running the audit: the queries of one moment, the chain, the files, the certificates."""

import hashlib
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from meterai.affixing import store as affixings
from meterai.affixing.model import Affixing
from meterai.affixing.restoration import CERTIFICATE
from meterai.audit.model import Invariant, Report
from meterai.audit.queries import COUNTS, QUERIES
from meterai.db.connection import Connection, Database
from meterai.errors import MeteraiError
from meterai.ledger import chain
from meterai.ledger import store as ledger
from meterai.objects.store import Objects

PATIENCE_S = 1800
"""Books of a year are long; each question may take its time."""


class Examiner(Protocol):
    """Says whether a stamped file still verifies; handed in by wiring."""

    async def __call__(self, file: bytes) -> tuple[bool, bytes | None, str]:
        """(sound, digest over the signed range, what is wrong)."""


class StatementReader(Protocol):
    """Checks a signed statement; handed in by wiring."""

    def __call__(self, statement: str) -> tuple[str, dict[str, object]]:
        """(kind, facts); raises a :class:`MeteraiError` when the signature is not ours."""


async def audit(
    database: Database,
    *,
    objects: Objects | None = None,
    examine: Examiner | None = None,
    read_statement: StatementReader | None = None,
) -> Report:
    """All invariants checked; files only when ``objects`` (and ``examine``) are given."""
    report = Report()
    async with database.reading() as connection:
        await connection.execute("begin transaction isolation level repeatable read, read only")
        try:
            # Every question reads whole tables: joined by hash they cost what the tables are long, while
            # a nested loop, chosen on old statistics, would cost their product.
            await connection.execute(
                f"set local enable_nestloop = off; set local statement_timeout = '{PATIENCE_S}s'; "
                "set local work_mem = '64MB'; set local jit = off"
            )
            await _ask(connection, report)
            await _check_chain(connection, report)
            if read_statement is not None:
                await _check_certificates(connection, report, read_statement)
            settled = [page async for page in _settled(connection)] if objects else []
        finally:
            await connection.execute("rollback")
    if objects is not None:
        for page in settled:
            for affixing in page:
                await _check_file(report, affixing, objects, examine)
    return report


async def _ask(connection: Connection, report: Report) -> None:
    for invariant, query in QUERIES:
        for about, detail in [
            tuple(row.values()) for row in await connection.fetch(query, timeout=PATIENCE_S)
        ]:
            report.add(invariant, about, detail)
    counted = await connection.fetchrow(COUNTS)
    assert counted is not None
    report.counted = dict(counted.items())


async def _check_chain(connection: Connection, report: Report) -> None:
    previous, expected = chain.GENESIS, 0
    async for page in ledger.links(connection):
        for link in page:
            expected += 1
            digest = chain.link(previous, link.seq, link.at, chain.body(link.transfers))
            if link.seq != expected:
                report.add(Invariant.BOOKS, f"link {link.seq}", "does not follow the one before")
                expected = link.seq
            elif link.digest != digest or link.previous != previous:
                report.add(Invariant.BOOKS, f"link {link.seq}", "its digest does not fit")
            previous = link.digest
    head = await connection.fetchrow("select seq, digest from journal_head")
    if head is None or (head["seq"], head["digest"]) != (expected, previous):
        report.add(Invariant.BOOKS, "the head of the journal", "is not the last link")


async def _check_certificates(
    connection: Connection, report: Report, read: StatementReader
) -> None:
    rows = await connection.fetch(
        "select id, units, certificate from affixing where state in ('restored', 'cancelled')"
    )
    for row in rows:
        about = f"affixing {row['id']}"
        if row["certificate"] is None:
            report.add(Invariant.DEADLINES, about, "gave units back without a certificate")
            continue
        try:
            kind, facts = read(row["certificate"])
        except MeteraiError as error:
            report.add(Invariant.DEADLINES, about, f"its certificate is not valid: {error}")
            continue
        if (kind, facts.get("affixing"), facts.get("units")) != (
            CERTIFICATE,
            str(row["id"]),
            row["units"],
        ):
            report.add(Invariant.DEADLINES, about, "its certificate speaks of something else")


async def _settled(connection: Connection, size: int = 500) -> AsyncIterator[list[Affixing]]:
    after = UUID(int=0)
    while True:
        rows = await connection.fetch(
            """select a.id from affixing a join document d on d.id = a.document
               where a.state = 'affixed' and d.deleted_at is null and a.id > $1
               order by a.id limit $2""",
            after,
            size,
        )
        if not rows:
            return
        after = rows[-1]["id"]
        found = await affixings.find_all(connection, [row["id"] for row in rows])
        yield list(found.values())


async def _check_file(
    report: Report, affixing: Affixing, objects: Objects, examine: Examiner | None
) -> None:
    about = f"affixing {affixing.id}"
    assert affixing.object is not None
    try:
        file = await objects.get(affixing.object)
    except MeteraiError as error:
        report.add(Invariant.FILES, about, f"its file cannot be read: {error.code}")
        return
    if hashlib.sha256(file).digest() != affixing.file_sha256:
        report.add(Invariant.FILES, about, "its file is not the one that was registered")
    if examine is None:
        return
    sound, digest, wrong = await examine(file)
    if not sound:
        report.add(Invariant.FILES, about, f"its file does not verify: {wrong}")
    elif digest != affixing.signed_sha256:
        report.add(Invariant.FILES, about, "its signed digest is not the registry's")
