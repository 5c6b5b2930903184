"""The provider's own account of a day, laid beside our books line by line, to the rupiah.

A payment that only the file knows is recorded as any other and finds its order; what differs or cannot be
explained is listed for a person. CSV with the columns ``kind, external_id, reference, amount, at``.
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from meterai.db.connection import Connection
from meterai.errors import Invalid, Text
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.payment import store
from meterai.payment.errors import NoticeContradicts
from meterai.payment.model import Reported

COLUMNS = ("kind", "external_id", "reference", "amount", "at")
LINES_MAX = 2_000_000


class FileNotUnderstood(Invalid):
    """The file is no settlement file; nothing of it was taken over."""

    code = "settlement_file_not_understood"
    says = Text(
        "Baris {line} berkas penyelesaian tidak bisa dibaca.",
        "Line {line} of the settlement file could not be read.",
    )
    next_step = Text(
        "Tidak ada yang dicatat. Unduh ulang berkasnya dari penyedia.",
        "Nothing was recorded. Download the file from the provider again.",
    )


class Verdict(Enum):
    """What our books say of a line."""

    MATCHED = "matched"
    FOUND = "found"
    """We had not heard of this payment; it is recorded now."""
    AMOUNT_DIFFERS = "amount_differs"
    UNKNOWN = "unknown"
    """A refund that we did not ask for."""
    REPEATED = "repeated"
    """The same number stands in the file before."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file."""

    number: int
    kind: str
    external_id: str
    reference: str
    amount: Rupiah
    at: datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """A line, what our books say of it, and how much they say."""

    line: Line
    verdict: Verdict
    ours: int | None


@dataclass(frozen=True, slots=True)
class Import:
    """One file, laid beside the books."""

    checked: tuple[Checked, ...]
    found: tuple[UUID, ...]
    """Payments recorded because of the file, still to be matched."""
    missing: tuple[tuple[str, Rupiah], ...]
    """Payments of that day in our books that the file does not have."""

    @property
    def differences(self) -> list[Checked]:
        """What a person has to look at."""
        return [c for c in self.checked if c.verdict not in (Verdict.MATCHED, Verdict.FOUND)]

    @property
    def rupiah_apart(self) -> int:
        """How far file and books are apart after what was found is recorded."""
        theirs = sum(
            c.line.amount if c.line.kind == "payment" else -c.line.amount for c in self.checked
        )
        ours = sum(
            (c.ours or 0) if c.line.kind == "payment" else -(c.ours or 0) for c in self.checked
        )
        return theirs - ours - sum(amount for _, amount in self.missing)


def read(content: bytes) -> list[Line]:
    """The lines of a file. Raises :class:`FileNotUnderstood` with the line that is wrong."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileNotUnderstood(line=1) from error
    rows = csv.reader(io.StringIO(text), strict=True)
    lines: list[Line] = []
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            if number == 1:
                if tuple(row) != COLUMNS:
                    raise FileNotUnderstood(line=1)
                continue
            lines.append(_line(number, row))
    except (csv.Error, ValueError) as error:
        raise FileNotUnderstood(line=number + 1) from error
    if not number or len(lines) > LINES_MAX:
        raise FileNotUnderstood(line=max(1, number))
    return lines


def _line(number: int, row: list[str]) -> Line:
    kind, external_id, reference, amount, at = row if len(row) == 5 else ("",) * 5
    moment = datetime.fromisoformat(at) if at else None
    plain = amount.isascii() and amount.isdecimal() and 0 < int(amount) < 2**53
    if kind not in ("payment", "refund") or not external_id or not plain:
        raise FileNotUnderstood(line=number)
    if moment is None or moment.tzinfo is None or "\x00" in external_id + reference:
        raise FileNotUnderstood(line=number)
    return Line(number, kind, external_id[:64], reference[:64], Rupiah(int(amount)), moment)


async def take_in(
    connection: Connection,
    provider: str,
    day: date,
    content: bytes,
    *,
    refunds: Mapping[str, Rupiah],
    by: UUID | None = None,
) -> Import:
    """The file is recorded and laid beside the books; the same file again changes nothing.

    ``refunds`` are ours that were paid, by the reference the provider was told. Raises
    :class:`FileNotUnderstood`.
    """
    lines = read(content)
    known = await _known(connection, provider, [line.external_id for line in lines])
    seen: set[tuple[str, str]] = set()
    checked: list[Checked] = []
    new: list[Line] = []
    for line in lines:
        ours = (known if line.kind == "payment" else refunds).get(line.external_id)
        if (line.kind, line.external_id) in seen:
            checked.append(Checked(line, Verdict.REPEATED, None))
            continue
        seen.add((line.kind, line.external_id))
        if ours is None and line.kind == "payment":
            new.append(line)
            checked.append(Checked(line, Verdict.FOUND, line.amount))
        elif ours is None:
            checked.append(Checked(line, Verdict.UNKNOWN, None))
        else:
            good = ours == line.amount
            checked.append(Checked(line, Verdict.MATCHED if good else Verdict.AMOUNT_DIFFERS, ours))
    found = await _record(connection, provider, new)
    await _keep(connection, provider, day, content, (checked, by))
    missing = await _missing(connection, provider, day, {c.line.external_id for c in checked})
    return Import(tuple(checked), tuple(found), tuple(missing))


async def _known(connection: Connection, provider: str, numbers: list[str]) -> dict[str, Rupiah]:
    rows = await connection.fetch(
        """select external_id, amount from payment_notice
           where provider = $1 and external_id = any($2::text[])""",
        provider,
        numbers,
    )
    return {row["external_id"]: Rupiah(row["amount"]) for row in rows}


async def _record(connection: Connection, provider: str, lines: list[Line]) -> list[UUID]:
    reports = [
        (Reported(provider, line.external_id, line.reference, line.amount, line.at), "settlement")
        for line in lines
    ]
    if not reports:
        return []
    said = await store.record_notices(connection, reports)
    return [one[0].id for one in said if not isinstance(one, NoticeContradicts)]


async def _keep(
    connection: Connection,
    provider: str,
    day: date,
    content: bytes,
    what: tuple[list[Checked], UUID | None],
) -> None:
    checked, by = what
    file = await connection.fetchval(
        """insert into settlement_file (id, provider, day, digest, imported_by)
           values ($1, $2, $3, $4, $5) on conflict (provider, digest) do nothing returning id""",
        new_id(),
        provider,
        day,
        hashlib.sha256(content).digest(),
        by,
    )
    if file is None:
        return
    await connection.executemany(
        """insert into settlement_line (file, line, kind, external_id, reference, amount, verdict, ours)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [
            (
                file,
                c.line.number,
                c.line.kind,
                c.line.external_id,
                c.line.reference,
                c.line.amount,
                c.verdict.value,
                c.ours,
            )
            for c in checked
        ],
    )


async def _missing(
    connection: Connection, provider: str, day: date, numbers: set[str]
) -> list[tuple[str, Rupiah]]:
    rows = await connection.fetch(
        """select external_id, amount from payment_notice
           where provider = $1 and paid_at >= $2::date::timestamp at time zone 'Asia/Jakarta'
             and paid_at < ($2::date + 1)::timestamp at time zone 'Asia/Jakarta'
             and how <> 'settlement' and external_id <> all($3::text[]) order by external_id""",
        provider,
        day,
        sorted(numbers),
    )
    return [(row["external_id"], Rupiah(row["amount"])) for row in rows]
