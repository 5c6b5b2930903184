"""``meterai verify``: one verdict for each file of a folder; only serials and digests leave this machine."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from meterai.cli.record import write_record
from meterai.cli.registry import age_said, read_snapshot
from meterai.cli.speech import Progress, record, say
from meterai.client.calls import Client
from meterai.clock import now
from meterai.errors import Broken, Text
from meterai.settings import Settings
from meterai.signing.report import SignatureReport
from meterai.verification.batch import Checked, Pair, pairs_of, with_answers
from meterai.verification.crew import Crew
from meterai.verification.model import WORDS, Finding, Registered, TrueFile, Verdict
from meterai.verification.reasons import CHANGES, SENTENCES
from meterai.verification.record import Seen, fields_of, record_of
from meterai.verification.snapshot import Snapshot
from meterai.wiring import trust_of

GOOD = frozenset({Verdict.GENUINE, Verdict.GENUINE_OFFLINE})
ASK_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a batch is checked and told."""

    jobs: int
    as_json: bool
    csv: Path | None = None
    resume: bool = False
    report: Path | None = None
    checker: str = ""
    """Whose name stands in the report."""


class CannotWrite(Broken):
    """What was found could not be written down."""

    code = "report_not_written"
    says = Text("Hasil tidak bisa ditulis ke {file}.", "The result could not be written to {file}.")
    next_step = Text(
        "Periksa folder dan ruang disk, lalu jalankan lagi dengan --resume.",
        "Check the folder and the space on disk, then run again with --resume.",
    )


def find_files(paths: list[Path]) -> list[Path]:
    """The PDF files among files and folders, in order."""
    files = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.suffix.lower() == ".pdf")
        else:
            files.append(path)
    return files


def verify_all(
    files: list[Path], client: Client | None, settings: Settings, wanted: Wanted
) -> bool:
    """Whether every file is genuine; each verdict is said."""
    examined = _examine(files, settings, wanted)
    reports = [found for found in examined if isinstance(found, SignatureReport)]
    answers = {} if client is None else _ask(client, pairs_of(reports))
    copy = read_snapshot(settings, trust_of(settings)) if client is None else None
    if copy is not None:
        say(age_said(copy))
    named = [
        (
            str(file),
            _judge(found, answers, copy) if isinstance(found, SignatureReport) else found,
        )
        for file, found in zip(files, examined, strict=True)
    ]
    at = now()
    found = record_of([Seen(name, at, finding) for name, finding in named])
    for one in found.rows:
        _say(one, as_json=wanted.as_json)
    if wanted.csv is not None:
        _write(wanted.csv, found.table)
    if wanted.report is not None:
        _write(wanted.report, write_record(found, wanted.checker, settings))
    _sum_up(found.rows)
    return all(one.finding.verdict in GOOD for one in found.rows)


def _judge(
    report: SignatureReport, answers: Mapping[Pair, Registered], copy: Snapshot | None
) -> Finding:
    return with_answers(report, answers) if copy is None else copy.judge(report)


def _examine(
    files: Sequence[Path], settings: Settings, wanted: Wanted
) -> list[SignatureReport | Finding]:
    """What cryptography says of each file, in order; what was known before is taken from the journal."""
    journal = _journal(settings)
    known = _read(journal) if wanted.resume else {}
    found: list[SignatureReport | Finding | None] = [None] * len(files)
    progress = Progress(len(files), quiet=wanted.as_json)
    crew = Crew(trust_of(settings), now(), jobs=wanted.jobs, known=known)
    with _writing(journal, afresh=not wanted.resume) as write:
        for one in crew.examine(files):
            if one.failed is not None:
                found[one.place] = Finding(
                    Verdict.UNREADABLE, one.failed, (), one.sha256 or bytes(32)
                )
            elif one.report is None:
                assert one.sha256 is not None
                found[one.place] = known[one.sha256]
            else:
                found[one.place] = one.report
                write(one.report)
            progress.step(failed=False)
    progress.end()
    return [one for one in found if one is not None]


def _journal(settings: Settings) -> Path:
    return settings.data_dir / "verify" / "examined.jsonl"


def _read(journal: Path) -> dict[bytes, SignatureReport]:
    """What an earlier run found, by the digest of the file; a line that was cut off is left out."""
    known = {}
    try:
        lines = journal.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            report = msgspec.json.decode(line, type=SignatureReport)
        except msgspec.DecodeError:
            continue
        known[report.file_sha256] = report
    return known


@contextmanager
def _writing(journal: Path, *, afresh: bool) -> Iterator[Callable[[SignatureReport], None]]:
    try:
        for folder in (journal.parent.parent, journal.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with journal.open("wb" if afresh else "ab") as stream:
            if stream.tell():
                stream.write(b"\n")  # the last line may have been cut off
            yield lambda report: _note(stream, report)
    except OSError as error:
        raise CannotWrite(file=str(journal)) from error


def _note(stream: IO[bytes], report: SignatureReport) -> None:
    stream.write(msgspec.json.encode(report) + b"\n")


def _ask(client: Client, pairs: Sequence[Pair]) -> Mapping[Pair, Registered]:
    answers: dict[Pair, Registered] = {}
    for start in range(0, len(pairs), ASK_AT_ONCE):
        for said in client.ask_registry(pairs[start : start + ASK_AT_ONCE]):
            true_file = said.true_file
            answers[(said.serial, bytes.fromhex(said.signed_sha256))] = Registered(
                Verdict(said.verdict),
                said.reason,
                None if true_file is None else TrueFile(true_file.affixed_at, true_file.pages),
            )
    return answers


def _say(one: Checked, *, as_json: bool) -> None:
    if as_json:
        record(fields_of(one))
        return
    found = one.finding
    say(f"{WORDS[found.verdict].id:<28} {one.name}  {found.serials[0] if found.serials else ''}")
    if found.verdict not in GOOD or one.twins:
        say(f"    {SENTENCES[found.reason].id} [{found.reason}]")
        if found.change is not None:
            say(f"    {CHANGES[found.change].id} [{found.change}]")
    if one.twins:
        say(f"    Nomor seri yang sama: {', '.join(one.twins)}")


def _sum_up(checked: Sequence[Checked]) -> None:
    counted = dict.fromkeys(Verdict, 0)
    for one in checked:
        counted[one.finding.verdict] += 1
    told = ", ".join(f"{WORDS[v].id} {count}" for v, count in counted.items() if count)
    say(f"{len(checked)} berkas: {told or '-'}")


def _write(path: Path, content: bytes) -> None:
    """The file is there, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise CannotWrite(file=str(path)) from error
