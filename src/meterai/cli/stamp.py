"""``meterai stamp``: files or folders in, stamped files out, one line of JSON each if asked."""

import hashlib
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from meterai.cli.speech import Progress, record, say
from meterai.client.calls import Client, Stamping
from meterai.errors import Invalid, MeteraiError, Text

PRESETS = ("suggested", "bottom-right", "bottom-left", "top-right", "top-left")
AT_ONCE = 4
_XY = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*mm\s*$")


class PositionNotUnderstood(Invalid):
    """Neither a preset nor millimetres."""

    code = "position_not_understood"
    says = Text("Letak '{value}' tidak dimengerti.", "The position '{value}' is not understood.")
    next_step = Text(
        "Pakai bottom-right, bottom-left, top-right, top-left, suggested, atau 'X,Y mm' dari kiri atas.",
        "Use bottom-right, bottom-left, top-right, top-left, suggested, or 'X,Y mm' from the top left.",
    )


class NothingToDo(Invalid):
    """No PDF was found where the command looked."""

    code = "no_pdf_found"
    says = Text("Tidak ada berkas PDF di situ.", "There is no PDF file there.")
    next_step = Text("Periksa nama berkas atau foldernya.", "Check the name of the file or folder.")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to stamp and where its result goes."""

    source: Path
    output: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    job: Job
    status: str
    serial: str | None = None
    sha256: str | None = None
    verdict: str | None = None
    reason: str | None = None
    sentence: str | None = None

    @property
    def good(self) -> bool:
        """Whether the stamped file is there."""
        return self.status == "affixed"


def find_jobs(paths: list[Path], out: Path) -> list[Job]:
    """The PDF files among files and folders (folders with their sub-folders), and their outputs.

    Raises :class:`NothingToDo`.
    """
    jobs = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() == ".pdf" and p.is_file())
            jobs += [Job(p, out / p.relative_to(path)) for p in found if out not in p.parents]
        elif path.is_file():
            jobs.append(Job(path, out / path.name))
    if not jobs:
        raise NothingToDo
    return jobs


def fields_for(page: str, position: str) -> dict[str, str]:
    """The form fields of a place. Raises :class:`PositionNotUnderstood`."""
    number = "-1" if page == "last" else page
    if not re.fullmatch(r"-?\d+", number) or int(number) == 0:
        raise PositionNotUnderstood(value=page)
    if position in PRESETS:
        return {"page": number, "position": position}
    found = _XY.match(position)
    if found is None:
        raise PositionNotUnderstood(value=position)
    return {"page": number, "left_mm": found[1], "top_mm": found[2]}


def stamp_all(
    client: Client, jobs: list[Job], fields: dict[str, str], *, repeat: bool, as_json: bool
) -> list[Outcome]:
    """Every file is stamped, or its unit came back and the reason is said."""
    fields = fields | ({"repeat": "true"} if repeat else {})
    progress = Progress(len(jobs))
    outcomes = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcome in pool.map(lambda job: _stamp(client, job, fields), jobs):
            progress.step(failed=not outcome.good)
            outcomes.append(outcome)
            _report(outcome, as_json=as_json)
    progress.end()
    return outcomes


def _stamp(client: Client, job: Job, fields: dict[str, str]) -> Outcome:
    try:
        content = job.source.read_bytes()
        stamping = client.stamp(
            job.source.name, content, fields, idempotency_key=_key(job, content, fields)
        )
        while not stamping.final:
            stamping = client.stamping(stamping.id, wait_s=20)
        if stamping.state != "affixed":
            return _given_back(job, stamping)
        file = client.stamped_file(stamping.id)
        verdict = client.verify(job.output.name, file)
        _write(job.output, file)
    except MeteraiError as error:
        code = str(getattr(error, "server_code", error.code))
        return Outcome(job, "refused", reason=code, sentence=f"{error.sentence()} {error.advice()}")
    except OSError as error:
        return Outcome(job, "refused", reason="file_error", sentence=str(error))
    return Outcome(
        job,
        "affixed",
        serial=stamping.serials[0],
        sha256=hashlib.sha256(file).hexdigest(),
        verdict=verdict.verdict,
        reason=verdict.reason,
    )


def _given_back(job: Job, stamping: Stamping) -> Outcome:
    return Outcome(
        job,
        stamping.state,
        reason=stamping.reason,
        sentence=f"Gagal dibubuhkan; {stamping.units_restored} keping sudah kembali.",
    )


def _key(job: Job, content: bytes, fields: dict[str, str]) -> str:
    """The same file at the same place in the same run is the same request, however often it is sent."""
    said = f"{os.getpid()} {job.output.absolute()} {sorted(fields.items())}".encode()
    return hashlib.sha256(said + hashlib.sha256(content).digest()).hexdigest()[:40]


def _write(path: Path, content: bytes) -> None:
    """Complete or absent, also when the disk is full or the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as fresh:
        try:
            fresh.write(content)
            fresh.flush()
            os.fsync(fresh.fileno())
            Path(fresh.name).chmod(0o644)
            Path(fresh.name).rename(path)
        except OSError:
            Path(fresh.name).unlink(missing_ok=True)
            raise


def _report(outcome: Outcome, *, as_json: bool) -> None:
    job = outcome.job
    if as_json:
        record(
            {
                "file": str(job.source),
                "status": outcome.status,
                "serial": outcome.serial,
                "output": str(job.output) if outcome.good else None,
                "sha256": outcome.sha256,
                "verdict": outcome.verdict,
                "reason": outcome.reason,
            }
        )
    elif outcome.good:
        say(f"Berhasil  {job.source} → {job.output}  {outcome.serial}")
    else:
        say(f"Gagal     {job.source}: {outcome.sentence} [{outcome.reason}]")
