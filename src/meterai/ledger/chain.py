"""The chain over the journal: what the bytes are, and how a link follows from the one before.

A link's digest is SHA-256 of: the previous digest (32 bytes), the link's number, its moment in
microseconds since 1970 UTC (each a big-endian 64-bit integer), and the body: SHA-256 over the batch's
transfers in order of id, each as :func:`canonical`. The writer computes the same in SQL (store.py), so that
the newest link is locked only by the very last statement of a transaction.
"""

import hashlib
import struct
from collections.abc import Iterable
from datetime import datetime

from meterai.ledger.model import Transfer

GENESIS = bytes(32)
"""What the first link follows."""

_FIELDS = struct.Struct(">16scHqqq16s16s")
_NOBODY = bytes(16)


def canonical(transfer: Transfer) -> bytes:
    """75 bytes: id, kind, code, debit, credit, amount, pending id, ref; absent ids are zeros."""
    return _FIELDS.pack(
        transfer.id.bytes,
        transfer.kind.value.encode(),
        transfer.code,
        transfer.debit,
        transfer.credit,
        transfer.amount,
        _NOBODY if transfer.pending_id is None else transfer.pending_id.bytes,
        _NOBODY if transfer.ref is None else transfer.ref.bytes,
    )


def body(transfers: Iterable[Transfer]) -> bytes:
    """SHA-256 over a batch, in order of id whatever the order given."""
    return hashlib.sha256(b"".join(sorted(map(canonical, transfers)))).digest()


def link(previous: bytes, seq: int, at: datetime, body: bytes) -> bytes:
    """The digest of link number ``seq`` written at ``at``."""
    microseconds = int(at.timestamp()) * 1_000_000 + at.microsecond
    return hashlib.sha256(previous + struct.pack(">qq", seq, microseconds) + body).digest()
