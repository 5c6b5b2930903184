"""The record of a batch (*berita acara*): one table, its digest signed, and a page for people. Pure.

A server that keeps no file and no verdict hands every verdict out as a *line* with its own mark. Whoever
collected lines brings them back to have the record of them signed: what was not said here is not signed here.
"""

import base64
import binascii
import csv
import hashlib
import hmac
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from meterai.clock import moment_said
from meterai.errors import Invalid, Text
from meterai.signing.paper import Row, Table, Wording
from meterai.verification.batch import Checked, cross_check
from meterai.verification.model import WORDS, Finding, Verdict
from meterai.verification.reasons import SENTENCES

KIND = "verification_record"
"""The kind of signed statement that a *berita acara* is."""
LINES_MAX = 10_000
NAME_MAX = 300
CHECKER_MAX = 120

Mark = Callable[[bytes], bytes]
"""What only this installation can put under a line."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """One file as it was judged: its name, when, and the verdict."""

    name: str
    checked_at: datetime
    finding: Finding


def line_of(seen: Seen, mark: Mark) -> str:
    """The verdict as a line that can be brought back; only what stands in a record is in it."""
    finding = replace(
        seen.finding, checked=(), not_checked=(), failed=(), signer=None, last_good_bytes=None
    )
    content = msgspec.json.encode(Seen(seen.name[:NAME_MAX], seen.checked_at, finding))
    return f"{_text(content)}.{_text(mark(content))}"


def read_lines(text: str, mark: Mark) -> list[Seen]:
    """What was said, in order. Raises :class:`Invalid` where a line was not written here."""
    lines = text.split()
    if not 0 < len(lines) <= LINES_MAX:
        raise Invalid
    return [_read(line, mark) for line in lines]


def _read(line: str, mark: Mark) -> Seen:
    content, _, marked = line.partition(".")
    try:
        plain = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
        given = base64.urlsafe_b64decode(marked + "=" * (-len(marked) % 4))
        if not hmac.compare_digest(mark(plain), given):
            raise Invalid
        return msgspec.json.decode(plain, type=Seen)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise Invalid from error


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Record(msgspec.Struct, frozen=True):
    """A batch told once: its rows cross-checked, its table, and what is signed of it."""

    rows: tuple[Checked, ...]
    times: tuple[datetime, ...]
    """When each was checked."""
    table: bytes
    """CSV, one row a file."""

    @property
    def counts(self) -> dict[str, int]:
        """Files by verdict, in the order of the list of verdicts."""
        found = Counter(row.finding.verdict for row in self.rows)
        return {verdict.value: found[verdict] for verdict in Verdict if found[verdict]}

    def facts(self, checker: str, where: str) -> dict[str, object]:
        """What is signed; ``where`` the files were opened is ``server`` or ``checker`` (their own machine)."""
        return {
            "checker": checker,
            "opened_by": where,
            "files": len(self.rows),
            "verdicts": self.counts,
            "first_checked_at": min(self.times).isoformat(),
            "last_checked_at": max(self.times).isoformat(),
            "table_sha256": hashlib.sha256(self.table).hexdigest(),
        }


def record_of(seen: Sequence[Seen]) -> Record:
    """The record of these files, checked against one another."""
    rows = cross_check([(one.name, one.finding) for one in seen])
    times = [one.checked_at for one in seen]
    return Record(tuple(rows), tuple(times), table_of(rows, times))


_COLUMNS = (
    "file", "sha256", "verdict", "reason", "serials", "sealed_at", "true_file_affixed_at",
    "true_file_pages", "twins", "copies", "checked_at",
)  # fmt: skip


def fields_of(one: Checked) -> dict[str, object]:
    """One file as data."""
    found = one.finding
    true_file = found.true_file
    return {
        "file": one.name,
        "verdict": found.verdict.value,
        "reason": found.reason,
        "serial": found.serials[0] if found.serials else None,
        "serials": list(found.serials),
        "sha256": found.sha256.hex(),
        "sealed_at": found.sealed_at,
        "true_file_affixed_at": None if true_file is None else true_file.affixed_at,
        "true_file_pages": None if true_file is None else true_file.pages,
        "change": found.change,
        "last_good_bytes": found.last_good_bytes,
        "twins": list(one.twins),
        "copies": list(one.copies),
    }


def table_of(rows: Sequence[Checked], times: Sequence[datetime]) -> bytes:
    """CSV (RFC 4180, UTF-8), one row a file."""
    stream = io.StringIO(newline="")
    out = csv.writer(stream)
    out.writerow(_COLUMNS)
    for one, at in zip(rows, times, strict=True):
        fields: Mapping[str, object] = fields_of(one) | {"checked_at": at}
        out.writerow([_cell(fields[name]) for name in _COLUMNS])
    return stream.getvalue().encode()


def _cell(value: object) -> str:
    """As text that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    text = " | ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


_OPENED = {
    "server": Text(
        "Berkas dibuka oleh layanan ini, tidak disimpan.",
        "The files were opened by this service and not kept.",
    ),
    "checker": Text(
        "Berkas dibuka di komputer pemeriksa; layanan ini tidak melihat isinya.",
        "The files were opened on the checker's computer; this service did not see them.",
    ),
}


def wording_of(record: Record, facts: Mapping[str, object], verify_at: str) -> Wording:
    """What stands on the pages of the record."""
    where = _OPENED[str(facts["opened_by"])]
    told = tuple(
        Row(WORDS[Verdict(verdict)], f"{count} berkas") for verdict, count in record.counts.items()
    )
    return Wording(
        title=Text("Berita Acara Pemeriksaan Meterai", "Record of stamp verification"),
        opening=Text(
            f"{len(record.rows)} berkas diperiksa satu per satu dan dibandingkan satu sama lain. {where.id}",
            f"{len(record.rows)} files were checked one by one and against one another. {where.en}",
        ),
        rows=(
            Row(Text("Pemeriksa (menurut isian)", "Checker (as entered)"), str(facts["checker"])),
            Row(Text("Mulai", "From"), moment_said(min(record.times))),
            Row(Text("Selesai", "To"), moment_said(max(record.times))),
            *told,
            Row(
                Text("SHA-256 tabel terlampir", "SHA-256 of the table attached"),
                str(facts["table_sha256"]),
            ),
        ),
        verify_at=verify_at,
        table=Table(
            heads=(
                Text("No.", "No."),
                Text("Berkas", "File"),
                Text("SHA-256", "SHA-256"),
                Text("Putusan", "Verdict"),
                Text("Alasan", "Reason"),
                Text("Waktu", "Time"),
            ),
            shares=(0.05, 0.24, 0.24, 0.13, 0.22, 0.12),
            rows=tuple(
                (
                    str(number),
                    row.name,
                    row.finding.sha256.hex(),
                    WORDS[row.finding.verdict].id,
                    _why(row),
                    moment_said(at),
                )
                for number, (row, at) in enumerate(
                    zip(record.rows, record.times, strict=True), start=1
                )
            ),
            content=record.table,
        ),
    )


def _why(row: Checked) -> str:
    said = SENTENCES[row.finding.reason].id
    twins = f" Nomor seri yang sama: {row.twins[0]}." if row.twins else ""
    return f"{said}{twins} [{row.finding.reason}]"
