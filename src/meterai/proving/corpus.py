"""Every file of a corpus through the whole engine: looked over, stamped, sealed, and judged by five programs.

``meterai bench corpus FOLDER`` prints what became of it (:mod:`meterai.proving.corpus_report`). Each file has a
process of its own, under limits, because some of them are hostile. The keys are made for the run, the
time-stamp authority is inside.
"""

import asyncio
import csv
import itertools
import json
import multiprocessing
import resource
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import httpx

from meterai.clock import monotonic, now
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Mark, Prepared, Request, prepare
from meterai.pdf.inspection import Inspection, Limits, SealAs, inspect, repair
from meterai.pdf.inspection import Verdict as Looked
from meterai.pdf.mark import MARK_MM
from meterai.pdf.model import Box
from meterai.pdf.road import Road
from meterai.pdf.suggestion import suggest
from meterai.proving.judges import judge, missing_programs, source_code
from meterai.proving.likeness import differing_pages
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
JUDGES = (
    "pyhanko", "pdfsig", "mutool", "qpdf", "openssl",
    "ours", "signatures", "prefix", "pdfium", "mupdf",
)  # fmt: skip
"""Who judges a stamped file: programs that judge seals; our own reading; whether earlier signatures hold and
the output begins with the input; and programs that draw the pages, which may differ only in the mark."""

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
    traits: tuple[str, ...] = ()
    pages: int = 0
    """As the manifest says."""
    road: str = ""
    """How it was stamped; empty when it was refused."""
    oddity: str = ""
    """Why not on the fast road."""
    judged: dict[str, bool] = field(default_factory=dict)
    """What each judge says, by name: five programs, ours, earlier signatures, and the look of the pages."""
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
                verdict = _verdict(row, took, outcome=fate, explained=False)
            child.join()
            pipe.close()
            del busy[pipe]
            yield row["file"], verdict


def _received(pipe: Connection, row: dict[str, str], took: float) -> Verdict | None:
    try:
        said = json.loads(pipe.recv_bytes())
    except EOFError:
        return None
    return _verdict(row, took, **said)


def _verdict(row: dict[str, str], took: float, **said: Any) -> Verdict:
    pages = int(row.get("pages") or 0)
    traits = tuple(sorted(traits_of(row)))
    return Verdict(row["file"], kind_of(row), traits=traits, pages=pages, seconds=took, **said)


def _work(folder: Path, row: dict[str, str], keys: Path, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    document = (folder / row["file"]).read_bytes()
    fate = _through(document, keys)
    outcome = fate.outcome
    explained = outcome == GOOD or bool(EXPLAINED_BY.get(outcome, set()) & traits_of(row))
    explained = explained or _explained_by_pages(outcome, document)
    said = asdict(fate) | {"explained": explained, "said": fate.said[:400]}
    answer.send_bytes(json.dumps(said).encode())


@dataclass(frozen=True, slots=True)
class _Fate:
    """What a process found out about its file."""

    outcome: str
    said: str = ""
    road: str = ""
    oddity: str = ""
    judged: dict[str, bool] = field(default_factory=dict)


def _explained_by_pages(outcome: str, document: bytes) -> bool:
    """No page, or none with room: what the inspection itself measured bears that out."""
    found = inspect(document)
    if outcome == "no_pages":
        return found.pages == 0
    small = all(min(shape.width_mm, shape.height_mm) < MARK_MM for shape in found.shapes)
    return outcome == "no_room_for_mark" and (small or bool(found.signature_boxes))


def _through(document: bytes, keys: Path) -> _Fate:
    """What became of one document."""
    found = inspect(document, Limits())
    refused = found.refusal()
    if refused is not None:
        return _Fate(refused.code, repr(refused.__cause__ or ""))
    original, road = document, None
    if found.verdict is Looked.REPAIR:
        document, road = repair(document), Road.REPAIR
    try:
        prepared, mark = _prepared(document, found)
    except CannotStamp as error:
        return _Fate(f"accepted, then {error.code}", repr(error.__cause__ or ""))
    whole = asyncio.run(_sealed(prepared, keys))
    against = dict(_against(document, whole, keys)) | dict(
        _changes(document, original, whole, found, mark)
    )
    odd = prepared.oddity.value if prepared.oddity is not None else ""
    judged = dict.fromkeys(JUDGES, True) | dict.fromkeys(against, False)
    said = " | ".join(f"{judge}: {why}" for judge, why in against.items())
    outcome = f"stamped, but not for {', '.join(against)}" if against else GOOD
    return _Fate(outcome, said, (road or prepared.road).value, odd or found.cured, judged)


def _against(document: bytes, whole: bytes, keys: Path) -> Iterator[tuple[str, str]]:
    """Who says what against the seal."""
    trust = keys / "trust"
    for said in judge(whole, f"Meterai-{SERIAL}", trust, source_code=source_code(document)):
        if not said.good:
            yield said.judge, said.said
    report = examine(whole, Trust.load(trust), now())
    if report.outcome is not Outcome.SOUND:
        yield "ours", f"{report.outcome.value} {[r.value for r in report.reasons]}"
    lost = lost_signatures(document, whole, now())
    if lost:
        yield "signatures", f"lost {lost}"


def _changes(
    document: bytes, original: bytes, whole: bytes, found: Inspection, mark: Mark
) -> Iterator[tuple[str, str]]:
    """Who sees a difference outside the mark, to what was brought as well as to what was stamped."""
    if not whole.startswith(document):
        yield "prefix", "the output does not begin with the input"
    place = mark.place
    box = Box(place.left_mm, place.top_mm, MARK_MM, MARK_MM)
    shape = found.shapes[place.page - 1]
    for source in dict.fromkeys((document, original)):
        for program, pages in differing_pages(source, whole, box, place.page, shape).items():
            if pages:
                yield program, f"pages {pages[:20]} look different"


def _prepared(document: bytes, found: Inspection) -> tuple[Prepared, Mark]:
    page = max(
        (number for number, shape in enumerate(found.shapes, 1)
         if number not in found.unmarkable_pages
         and min(shape.width_mm, shape.height_mm) >= MARK_MM),
        default=1,
    )  # fmt: skip
    mark = Mark(SERIAL, ADDRESS, suggest(document, page))
    certify = 1 if found.seal_as is SealAs.CERTIFY else None
    return prepare(document, Request((mark,), SIGNED_AT, 16 * 1024, certify=certify)), mark


async def _sealed(prepared: Prepared, keys: Path) -> bytes:
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
