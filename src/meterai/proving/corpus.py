"""Every file of a corpus through the whole engine: looked over, stamped, sealed, and judged by five programs.

``python -m meterai.proving.corpus FOLDER`` prints a table by class of file. Each file has a process of its
own, under limits, because some of them are hostile. The keys are made for the run, the time-stamp authority is
inside.
"""

import asyncio
import csv
import itertools
import json
import multiprocessing
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

import httpx

from meterai.clock import monotonic, now
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Mark, Request, prepare
from meterai.pdf.inspection import Inspection, Limits, SealAs, inspect
from meterai.pdf.mark import MARK_MM
from meterai.pdf.suggestion import suggest
from meterai.proving.judges import judge, missing_programs, source_code
from meterai.proving.pki import make_pki
from meterai.proving.simulators.time_stamps import Stamper
from meterai.signing.keys import FileKey
from meterai.signing.report import Outcome
from meterai.signing.seal import Sealer
from meterai.signing.survival import lost_signatures
from meterai.signing.time_stamps import Authority, TimeStamps
from meterai.signing.trust import Trust
from meterai.signing.validation import examine

MEMORY_MAX = 2 * 1024**3
CPU_SECONDS = 40
SERIAL = "7K4P2M9QAB0O1I5S8BZ2XY"
ADDRESS = f"https://meterai.example.id/c/{SERIAL}?m=ABCD2345"
SIGNED_AT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
GOOD = "stamped, all agree"

# Which trait of the manifest explains which refusal. A refusal that nothing explains is a fault of ours.
EXPLAINED_BY: dict[str, set[str]] = {
    "not_a_pdf": {"no-header", "damaged"},
    "junk_before_header": {"header-offset", "no-header"},
    "password_needed": {"user-password", "damaged"},
    "encryption_not_supported": {"encrypted", "user-password"},
    "pdf_unreadable": {"warnings", "damaged", "unopenable"},
    "signature_damaged": {"signed:1", "signed:2", "signed:3", "warnings"},
    "certified": {"docmdp"},
    "dynamic_form": {"xfa"},
    "polyglot": {"warnings", "damaged"},
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file."""

    file: str
    kind: str
    """``clean``, ``warnings``, ``damaged`` or ``attack``, as the manifest says."""
    outcome: str
    """``GOOD``, ``stamped, but …`` or the code of a refusal."""
    explained: bool
    """Stamped and good, or refused for a reason that the manifest bears out."""
    said: str = ""
    seconds: float = 0.0


def run(folder: Path, *, jobs: int = 2, timeout_s: float = 90) -> list[Verdict]:
    """What became of every file that ``folder/manifest.csv`` lists, in its order."""
    missing = missing_programs()
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    with (folder / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with tempfile.TemporaryDirectory(prefix="corpus-") as kept:
        keys = Path(kept)
        make_pki(keys)
        found = dict(_in_processes(folder, rows, keys, jobs=jobs, timeout_s=timeout_s))
    return [found[row["file"]] for row in rows]


def _in_processes(
    folder: Path, rows: Sequence[dict[str, str]], keys: Path, *, jobs: int, timeout_s: float
) -> Iterable[tuple[str, Verdict]]:
    """One forked process a file, ``jobs`` at a time; what overstays is killed."""
    context = multiprocessing.get_context("fork")
    waiting = iter(rows)
    busy: dict[Connection, tuple[dict[str, str], ForkProcess, float]] = {}
    while True:
        for row in itertools.islice(waiting, jobs - len(busy)):
            here, there = context.Pipe(duplex=False)
            child = context.Process(target=_work, args=(folder, row, keys, there))
            child.start()
            there.close()
            busy[here] = (row, child, monotonic())
        if not busy:
            return
        ready = set(wait(list(busy), timeout=1.0))
        for pipe, (row, child, began) in list(busy.items()):
            took = monotonic() - began
            if pipe not in ready and took < timeout_s:
                continue
            verdict = _received(pipe, row, took) if pipe in ready else None
            if verdict is None:
                child.kill()
                fate = "died of its limits" if pipe in ready else "timed out"
                verdict = Verdict(row["file"], kind_of(row), fate, explained=False, seconds=took)
            child.join()
            pipe.close()
            del busy[pipe]
            yield row["file"], verdict


def _received(pipe: Connection, row: dict[str, str], took: float) -> Verdict | None:
    try:
        said = json.loads(pipe.recv_bytes())
    except EOFError:
        return None
    return Verdict(row["file"], kind_of(row), **said, seconds=took)


def _work(folder: Path, row: dict[str, str], keys: Path, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    document = (folder / row["file"]).read_bytes()
    outcome, said = _through(document, keys)
    explained = outcome == GOOD or bool(EXPLAINED_BY.get(outcome, set()) & traits_of(row))
    explained = explained or _explained_by_pages(outcome, document)
    answer.send_bytes(
        json.dumps({"outcome": outcome, "explained": explained, "said": said[:400]}).encode()
    )


def _explained_by_pages(outcome: str, document: bytes) -> bool:
    """No page, or none with room: what the inspection itself measured bears that out."""
    found = inspect(document)
    if outcome == "no_pages":
        return found.pages == 0
    small = all(min(shape.width_mm, shape.height_mm) < MARK_MM for shape in found.shapes)
    return outcome == "no_room_for_mark" and (small or bool(found.signature_boxes))


def _through(document: bytes, keys: Path) -> tuple[str, str]:
    """The outcome for one document, and what there is to say about it."""
    found = inspect(document, Limits())
    refused = found.refusal()
    if refused is not None:
        return refused.code, repr(refused.__cause__ or "")
    try:
        whole = asyncio.run(_stamped(document, found, keys))
    except CannotStamp as error:
        return f"accepted, then {error.code}", repr(error.__cause__ or "")
    against = [
        f"{said.judge}: {said.said}"
        for said in judge(
            whole,
            f"Meterai-{SERIAL}",
            keys / "trust",
            source_code=source_code(document),
        )
        if not said.good
    ]
    report = examine(whole, Trust.load(keys / "trust"), now())
    if report.outcome is not Outcome.SOUND:
        against.append(f"ours: {report.outcome.value} {[r.value for r in report.reasons]}")
    lost = lost_signatures(document, whole, now())
    if lost:
        against.append(f"signatures: lost {lost}")
    if against:
        names = ", ".join(text.partition(":")[0] for text in against)
        return f"stamped, but not for {names}", " | ".join(against)
    return GOOD, ""


async def _stamped(document: bytes, found: Inspection, keys: Path) -> bytes:
    page = max(
        (number for number, shape in enumerate(found.shapes, 1)
         if number not in found.unmarkable_pages
         and min(shape.width_mm, shape.height_mm) >= MARK_MM),
        default=1,
    )  # fmt: skip
    request = Request(
        (Mark(SERIAL, ADDRESS, suggest(document, page)),),
        SIGNED_AT,
        16 * 1024,
        certify=1 if found.seal_as is SealAs.CERTIFY else None,
    )
    prepared = prepare(document, request)
    async with _sealing(keys) as client:
        stamper = Stamper.load(keys)
        stamps = TimeStamps(client, [Authority("http://tsa.test/")], [stamper.key.chain[0]])
        key = FileKey.load(keys / "seal.key", keys / "seal-chain.pem")
        return prepared.sealed_with(await Sealer(key, stamps).seal(prepared.digest))


def _sealing(keys: Path) -> httpx.AsyncClient:
    """A client whose other end is the demo authority, inside this process."""
    stamper = Stamper.load(keys)

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=stamper.answer(request.content, now(), 1))

    return httpx.AsyncClient(transport=httpx.MockTransport(respond))


def traits_of(row: dict[str, str]) -> set[str]:
    """The manifest's traits of a file."""
    return set(row["traits"].split(";"))


def kind_of(row: dict[str, str]) -> str:
    """The class of a file by the manifest."""
    if row["set"] == "attack":
        return "attack"
    for kind in ("clean", "warnings", "damaged"):
        if kind in traits_of(row):
            return kind
    return "other"


def table(verdicts: Sequence[Verdict]) -> str:
    """Markdown: a line a class, then the outcomes of each class, then what nothing explains."""
    lines = [
        "| class | files | stamped, all judges agree | stamped, some disagree | refused | borne out |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    kinds = list(dict.fromkeys(verdict.kind for verdict in verdicts))
    for kind in kinds:
        of_kind = [verdict for verdict in verdicts if verdict.kind == kind]
        good = sum(verdict.outcome == GOOD for verdict in of_kind)
        doubtful = sum(verdict.outcome.startswith("stamped, but") for verdict in of_kind)
        right = sum(verdict.explained for verdict in of_kind)
        lines.append(
            f"| {kind} | {len(of_kind)} | {good} | {doubtful} | {len(of_kind) - good - doubtful} "
            f"| {right} = {100 * right / len(of_kind):.1f} % |"
        )
    lines += ["", "| outcome | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for outcome, _ in Counter(verdict.outcome for verdict in verdicts).most_common():
        counts = (sum(v.outcome == outcome and v.kind == kind for v in verdicts) for kind in kinds)
        lines.append(f"| {outcome} | " + " | ".join(str(count or "") for count in counts) + " |")
    open_ = [verdict for verdict in verdicts if not verdict.explained]
    lines += ["", f"Borne out by nothing: {len(open_)}", ""]
    lines += [f"- {v.file} ({v.kind}): {v.outcome} {v.said}" for v in open_]
    times = sorted(verdict.seconds for verdict in verdicts)
    lines.append(
        f"Seconds a file, judges included: median {times[len(times) // 2]:.2f}, longest {times[-1]:.1f}."
    )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Prints the table for the corpus in the folder given; 1 if something is borne out by nothing.

    A second argument names a file for every single verdict, as JSON.
    """
    verdicts = run(Path(arguments[0]))
    print(table(verdicts))
    if len(arguments) > 1:
        Path(arguments[1]).write_text(json.dumps([asdict(v) for v in verdicts], indent=1))
    return int(any(not verdict.explained for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
