"""The auditor's package: books, orders and payments of one moment as CSV in a ZIP, signed.

It carries no person's name, number or code: parties are bare ids. :mod:`meterai.audit.recomputation` computes
everything in it anew, anywhere, without this installation.
"""

import asyncio
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from meterai.audit.reconciler import PATIENCE_S
from meterai.db.connection import Database

PACKAGE = "audit_package"
"""The kind of signed statement in it."""
MANIFEST, STATEMENT = "manifest.json", "statement.jws"

TABLES = {
    "account.csv": """select id, ledger, code, owner, scope, flags, debits_pending, debits_posted,
                             credits_pending, credits_posted from account order by id""",
    "link.csv": """select seq, encode(previous, 'hex') as previous, encode(digest, 'hex') as digest,
                          (extract(epoch from at) * 1000000)::bigint as microseconds
                   from journal_link order by seq""",
    "transfer.csv": """select link, id, kind, code, debit, credit, amount, pending_id, ref
                       from transfer order by link, id""",
    "order.csv": """select id, reference, channel, units, duty, service_fee, state from purchase order by id""",
    "payment.csv": """select id, provider, external_id, reference, amount, state, coalesce(reason, '') as reason
                      from payment_notice order by id""",
    "refund.csv": """select id, reference, kind, purchase, notice, units, amount, state
                     from refund order by id""",
    "voucher.csv": """select id, channel, units, state, giver is not null as sold
                      from voucher order by id""",
}
"""What is in it, by file."""


class StatementWriter(Protocol):
    """Signs statements; handed in by wiring."""

    def sign(self, kind: str, facts: Mapping[str, object], at: datetime | None = None) -> str:
        """One signed statement."""


async def write_package(
    database: Database, signer: StatementWriter, file: Path, at: datetime
) -> dict[str, object]:
    """``file`` is the package; returns what its statement says."""
    with tempfile.TemporaryDirectory(prefix="meterai-audit-") as name:
        folder = Path(name)
        async with database.reading() as connection:
            await connection.execute("begin transaction isolation level repeatable read, read only")
            try:
                await connection.execute(f"set local statement_timeout = '{PATIENCE_S}s'")
                for table, query in TABLES.items():
                    await connection.copy_from_query(
                        query,
                        output=folder / table,
                        format="csv",
                        header=True,
                        timeout=PATIENCE_S,
                    )
                head = await connection.fetchrow(
                    "select seq, encode(digest, 'hex') as digest from journal_head"
                )
            finally:
                await connection.execute("rollback")
        assert head is not None
        return await asyncio.to_thread(_pack, folder, file, dict(head.items()), signer, at)


def _pack(
    folder: Path, file: Path, head: dict[str, object], signer: StatementWriter, at: datetime
) -> dict[str, object]:
    digests = {name: _digest(folder / name) for name in TABLES}
    manifest = {"made_at": at.isoformat(), "journal_head": head, "sha256": digests}
    written = json.dumps(manifest, indent=1, sort_keys=True).encode()
    facts: dict[str, object] = {
        "manifest_sha256": hashlib.sha256(written).hexdigest(),
        "journal_seq": head["seq"],
        "journal_digest": head["digest"],
    }
    draft = file.with_suffix(".new")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name in TABLES:
            package.write(folder / name, name)
        package.writestr(MANIFEST, written)
        package.writestr(STATEMENT, signer.sign(PACKAGE, facts, at))
    draft.replace(file)
    return facts


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
