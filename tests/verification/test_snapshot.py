"""A copy of the registry: signed, small, knows void serials, says its age, and never more than it knows."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.serial import store
from meterai.signing.report import Outcome, Reason, SignatureReport
from meterai.signing.statement import StatementKey
from meterai.verification.model import Verdict
from meterai.verification.snapshot import (
    KEY_BYTES,
    KIND,
    ROW_BYTES,
    Known,
    Snapshot,
    SnapshotNotUsable,
    body_of,
    facts_of,
    written,
)
from world import pki

AT = datetime(2026, 11, 25, 8, tzinfo=UTC)
KEY = StatementKey.load(pki.keys_folder())


def key_of(serial: str) -> bytes:
    return hashlib.sha256(serial.encode()).digest()[:KEY_BYTES]


def taken(affixed: dict[str, bytes], void: list[str]) -> bytes:
    rows = b"".join(sorted(key_of(s) + d[: ROW_BYTES - KEY_BYTES] for s, d in affixed.items()))
    keys = b"".join(sorted(key_of(s) for s in void))
    return written(KEY.sign(KIND, facts_of(rows, keys, AT), AT), body_of(rows, keys))


def read(content: bytes) -> Snapshot:
    return Snapshot.read(content, KEY.public_keys())


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@given(st.sets(st.integers(0, 10**6), max_size=60), st.sets(st.integers(0, 10**6), max_size=60))
def test_it_knows_exactly_what_was_put_in(affixed: set[int], void: set[int]) -> None:
    void -= affixed
    copy = read(taken({str(n): digest(f"d{n}") for n in affixed}, [str(n) for n in void]))
    for number in affixed:
        assert copy.look_up(str(number), digest(f"d{number}")) is Known.REGISTERED
        assert copy.look_up(str(number), digest("other")) is Known.OTHER_DOCUMENT
    for number in void:
        assert copy.look_up(str(number), digest("any")) is Known.VOID
    for number in range(10**6 + 1, 10**6 + 40):
        assert copy.look_up(str(number), digest("any")) is Known.ABSENT


@given(st.integers(0, 4000), st.integers(0, 7))
def test_no_changed_bit_is_read(place: int, bit: int) -> None:
    content = bytearray(taken({"A": digest("a"), "B": digest("b")}, ["C"]))
    content[place % len(content)] ^= 1 << bit
    with pytest.raises(SnapshotNotUsable):
        read(bytes(content))


def test_nobody_elses_copy_is_read_and_no_cut_one() -> None:
    content = taken({"A": digest("a")}, ["C"])
    with pytest.raises(SnapshotNotUsable):
        Snapshot.read(content, {"keys": []})
    for short in (b"", content[:40], content[:-1], content + b"\0"):
        with pytest.raises(SnapshotNotUsable):
            read(short)
    other = written(KEY.sign("receipt", facts_of(b"", b"", AT), AT), body_of(b"", b""))
    with pytest.raises(SnapshotNotUsable):
        read(other)


def sound(serial: str, text: str, sealed: datetime = AT - timedelta(days=9)) -> SignatureReport:
    return SignatureReport(
        Outcome.SOUND, (), (), digest("file"), 1,
        serials=(serial,), signed_sha256=digest(text), time_stamp=sealed,
    )  # fmt: skip


def test_a_verdict_with_a_copy_is_never_plainly_genuine() -> None:
    copy = read(taken({"A": digest("a")}, ["C"]))
    for report, wanted in (
        (sound("A", "a"), (Verdict.GENUINE_OFFLINE, "registered_in_snapshot")),
        (sound("A", "b"), (Verdict.REUSED, "other_document")),
        (sound("C", "c"), (Verdict.VOID, "serial_void")),
        (sound("D", "d"), (Verdict.NEEDS_REVIEW, "serial_unknown")),
        (sound("D", "d", AT + timedelta(days=2)), (Verdict.GENUINE_OFFLINE, "newer_than_snapshot")),
    ):
        found = copy.judge(report)
        assert (found.verdict, found.reason) == wanted
        assert "registry" not in found.checked
    changed = replace(
        sound("C", "c"), outcome=Outcome.ALTERED, reasons=(Reason.CHANGED_AFTER_SEAL,)
    )
    assert copy.judge(changed).verdict is Verdict.VOID


async def test_the_registry_itself_is_what_is_copied(database: Database) -> None:
    numbers = {f"{n:022}": digest(f"d{n}") for n in range(50)}
    async with database.transaction() as connection:
        await connection.executemany(
            """insert into serial (number, state, channel, affixing, source_sha256, signed_sha256,
                                   pages, affixed_at)
               values ($1, 'affixed', 'langsung', $2, $3, $3, 1, now())""",
            [(number, new_id(), signed) for number, signed in numbers.items()],
        )
        await connection.execute(
            """insert into serial (number, state, channel, voided_at)
               values ('V' || repeat('0', 21), 'void', 'langsung', now())"""
        )
        await connection.execute(
            "insert into serial (number, state, channel) values (repeat('Z', 22), 'allotted', 'langsung')"
        )
        affixed, void, at = await store.hashed(connection)
    assert (len(affixed), len(void)) == (50 * ROW_BYTES, KEY_BYTES)
    facts = facts_of(affixed, void, at)
    copy = read(written(KEY.sign(KIND, facts, at), body_of(affixed, void)))
    for number, signed in numbers.items():
        assert copy.look_up(number, signed) is Known.REGISTERED
    assert copy.look_up("V" + "0" * 21, digest("x")) is Known.VOID
    assert copy.look_up("Z" * 22, digest("x")) is Known.ABSENT
