"""The registry as a file (*salinan daftar*): signed, for checking without a server, void serials included.

Behind a head line and a signed statement stand two sorted lists: for each affixed serial 8 bytes of the SHA-256
of its number and 8 bytes of the digest of its signed range; for each void serial 8 bytes of its number's. A
number that was never issued is taken for a known one once in 2^64 divided by the serials known: below 2^-32
up to four thousand million serials. It can be looked up without being read, and tells nobody any number.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Self

from meterai.errors import Invalid, Text
from meterai.signing.errors import StatementNotGenuine
from meterai.signing.report import SignatureReport
from meterai.signing.statement import Statement, verify
from meterai.verification.batch import Pair, with_answers
from meterai.verification.model import Finding, Registered, Verdict

KIND = "registry_snapshot"
HEAD = b"meterai-registry-snapshot-1\n"
KEY_BYTES = 8
ROW_BYTES = 16
SETTLING = timedelta(days=1)
"""A stamp is sealed before it is settled: what was sealed so shortly before a snapshot may be missing in it."""


class SnapshotNotUsable(Invalid):
    """A copy of the registry is damaged, or not signed by the issuer."""

    code = "snapshot_not_usable"
    says = Text(
        "Salinan daftar nomor seri rusak atau bukan dari penerbit: {why}.",
        "The copy of the registry is damaged or not by the issuer: {why}.",
    )
    next_step = Text(
        "Ambil lagi dengan `meterai registry fetch`.", "Get it again with `meterai registry fetch`."
    )


class Known(Enum):
    """What a snapshot knows of a serial in a document."""

    REGISTERED = "registered"
    OTHER_DOCUMENT = "other_document"
    VOID = "void"
    ABSENT = "absent"


def body_of(affixed: bytes, void: bytes) -> bytes:
    """The two lists, each sorted already; the first says how long it is."""
    return len(affixed).to_bytes(8) + affixed + void


def facts_of(affixed: bytes, void: bytes, taken_at: datetime) -> dict[str, object]:
    """What is signed of it."""
    return {
        "affixed": len(affixed) // ROW_BYTES,
        "void": len(void) // KEY_BYTES,
        "taken_at": taken_at.isoformat(),
        "sha256": hashlib.sha256(body_of(affixed, void)).hexdigest(),
    }


def written(statement: str, body: bytes) -> bytes:
    """The whole file."""
    return b"".join((HEAD, statement.encode(), b"\n", body))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the registry whose signature was checked."""

    statement: Statement
    taken_at: datetime
    _affixed: memoryview
    _void: memoryview

    @classmethod
    def read(cls, content: bytes, keys: Mapping[str, Any]) -> Self:
        """The copy in these bytes, signed by one of ``keys`` (JWKS). Raises :class:`SnapshotNotUsable`."""
        if not content.startswith(HEAD):
            raise SnapshotNotUsable(why="another kind of file")
        end = content.find(b"\n", len(HEAD), len(HEAD) + 8192)
        body = memoryview(content)[end + 1 :]
        try:
            statement = verify(content[len(HEAD) : max(end, 0)], keys)
            taken_at = datetime.fromisoformat(str(statement.facts["taken_at"]))
        except (StatementNotGenuine, KeyError, ValueError) as error:
            raise SnapshotNotUsable(why="signature") from error
        if statement.kind != KIND or statement.facts.get("sha256") != _digest(body):
            raise SnapshotNotUsable(why="content")
        size = int.from_bytes(body[:8])
        return cls(statement, taken_at, body[8 : 8 + size], body[8 + size :])

    def look_up(self, serial: str, signed_sha256: bytes) -> Known:
        """What is known of this serial over this signed range."""
        key = hashlib.sha256(serial.encode()).digest()[:KEY_BYTES]
        row = _found(self._affixed, ROW_BYTES, key)
        if row is not None:
            same = bytes(row[KEY_BYTES:]) == signed_sha256[: ROW_BYTES - KEY_BYTES]
            return Known.REGISTERED if same else Known.OTHER_DOCUMENT
        return Known.ABSENT if _found(self._void, KEY_BYTES, key) is None else Known.VOID

    def judge(self, report: SignatureReport) -> Finding:
        """The verdict with what this copy knew when it was taken; never plainly *genuine*."""
        answers: dict[Pair, Registered] = {}
        for serial in report.serials if report.signed_sha256 is not None else ():
            assert report.signed_sha256 is not None
            answers[(serial, report.signed_sha256)] = self._answer(serial, report)
        return with_answers(report, answers, live=False)

    def _answer(self, serial: str, report: SignatureReport) -> Registered:
        assert report.signed_sha256 is not None
        known = self.look_up(serial, report.signed_sha256)
        if known is Known.REGISTERED:
            return Registered(Verdict.GENUINE_OFFLINE, "registered_in_snapshot")
        if known is Known.OTHER_DOCUMENT:
            return Registered(Verdict.REUSED, "other_document")
        if known is Known.VOID:
            return Registered(Verdict.VOID, "serial_void")
        if report.time_stamp is not None and report.time_stamp > self.taken_at - SETTLING:
            return Registered(Verdict.GENUINE_OFFLINE, "newer_than_snapshot")
        return Registered(Verdict.NEEDS_REVIEW, "serial_unknown")


def _digest(body: memoryview) -> str:
    return hashlib.sha256(body).hexdigest()


def _found(rows: memoryview, width: int, key: bytes) -> memoryview | None:
    """The row that begins with ``key``, by halves."""
    low, high = 0, len(rows) // width
    while low < high:
        middle = (low + high) // 2
        at = middle * width
        here = bytes(rows[at : at + KEY_BYTES])
        if here == key:
            return rows[at : at + width]
        if here < key:
            low = middle + 1
        else:
            high = middle
    return None
