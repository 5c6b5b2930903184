"""What a stamp costs: our engine, pyHanko alone, and what no program can beat, in one run on the same papers.

Everything happens on one core, in turns: a round of one contender, a round of the next. The figures are medians
of the processor time of this process for one document in memory; a time-stamp authority is another process.
"""

import asyncio
import hashlib
import io
import itertools
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypedDict

import httpx
import pikepdf
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.cli.ports import free_port
from meterai.clock import monotonic
from meterai.pdf.increment import Mark, Request, prepare, prepare_carefully
from meterai.pdf.inspection import inspect
from meterai.pdf.mark import SERIAL_SIGNS
from meterai.pdf.model import Place
from meterai.pdf.road import Road
from meterai.proving.engine_peers import Asking, Contender, documented, make_p12, tuned
from meterai.proving.paperwork import contract
from meterai.proving.pki import SEAL, issue, make_pki, read_issued
from meterai.proving.simulators.time_stamps import main as serve_time_stamps
from meterai.proving.turns import medians_ms, on_one_core, turns, warm_ups
from meterai.signing.keys import FileKey, algorithm_of, read_chain
from meterai.signing.seal import Sealer
from meterai.signing.time_stamps import TimeStamps

DOCUMENTS: dict[str, Callable[[int], bytes]] = {
    "100kb-table": partial(contract, kilobytes=100, pages=8),
    "100kb-stream": partial(contract, kilobytes=100, pages=8, stream=True),
    "1mb-table": partial(contract, kilobytes=1000, pages=20),
    "5mb-table": partial(contract, kilobytes=5000, pages=60),
}
KEYS = ("rsa-2048", "p-256")
LEVELS = ("B-B", "B-T")
DISTINCT = 24
"""How many different documents a case has."""
_SIGNED_AT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
_WARM_UP = 40
_CAREFUL_ON = ("100kb-table", "100kb-stream")
_PATIENCE_S = 20


class Figures(TypedDict):
    """What was measured."""

    cases: list[dict[str, object]]
    """One object a case."""
    documents_a_case: int
    rounds: int
    cores: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured together."""

    document: str
    key: str
    level: str
    road: Road


@dataclass(frozen=True, slots=True)
class Tools:
    """A key in every form that the contenders want, and the authority."""

    key: FileKey
    p12: Path
    stamps: TimeStamps
    asking: Asking


def cases(documents: Iterable[str]) -> list[Case]:
    """Every document with every key and level on the fast road, and small ones on the careful one."""
    found = [
        Case(document, key, level, Road.FAST)
        for document, key, level in itertools.product(documents, KEYS, LEVELS)
    ]
    careful = [c for c in found if c.document in _CAREFUL_ON and c.level == "B-B"]
    return found + [replace(case, road=Road.CAREFUL) for case in careful]


def measure(
    documents: Sequence[str],
    *,
    rounds: int,
    keys: Sequence[str] = KEYS,
    levels: Sequence[str] = LEVELS,
) -> Figures:
    """The figures of all cases, on one core."""
    wanted = [case for case in cases(documents) if case.key in keys and case.level in levels]
    with tempfile.TemporaryDirectory(prefix="engine-") as kept:
        folder = Path(kept)
        make_pki(folder)
        with _authority(folder) as url, on_one_core():
            return asyncio.run(_measured(folder, url, wanted, rounds))


@contextmanager
def _authority(folder: Path) -> Iterator[str]:
    """An authority answers at the address, in a process of its own."""
    port = free_port()
    child = multiprocessing.get_context("fork").Process(
        target=serve_time_stamps, args=(folder, port), daemon=True
    )
    child.start()
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        child.terminate()
        child.join()


def _wait_for(port: int) -> None:
    until = monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


async def _measured(folder: Path, url: str, wanted: Sequence[Case], rounds: int) -> Figures:
    told = []
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        TimeStamps.connect([url], folder / "trust") as stamps,
    ):
        keys = {kind: Tools(*_new_key(folder, kind), stamps, Asking(client, url)) for kind in KEYS}
        for name in dict.fromkeys(case.document for case in wanted):
            papers = [DOCUMENTS[name](number) for number in range(DISTINCT)]
            told += [
                await _case(case, papers, keys[case.key], rounds)
                for case in wanted
                if case.document == name
            ]
    return {"cases": told, "documents_a_case": DISTINCT, "rounds": rounds, "cores": 1}


async def _case(
    case: Case, papers: Sequence[bytes], tools: Tools, rounds: int
) -> dict[str, object]:
    ours = _ours(case, tools)
    contenders: dict[str, tuple[Callable[[bytes], Awaitable[object]], int]] = {
        "limit_ms": (_limit(tools.key), DISTINCT),
        "ours_ms": (_numbered(ours), DISTINCT),
        "gate_ms": (_gate, DISTINCT),
        "inspection_ms": (_inspection, 4),
        "pyhanko_tuned_ms": (
            _numbered(tuned(tools.p12, tools.key, case.level, tools.asking)),
            8,
        ),
        "pyhanko_documented_ms": (_numbered(documented(tools.p12, case.level, tools.asking)), 1),
    }
    for run, paper in warm_ups(contenders, papers, _WARM_UP):
        await run(paper)
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for name, run, paper in turns(contenders, papers, rounds):
        began = time.process_time()
        await run(paper)
        spent[name].append(time.process_time() - began)
    return _told(case, papers, medians_ms(spent))


def _told(case: Case, papers: Sequence[bytes], ms: dict[str, float]) -> dict[str, object]:
    figures = {name: round(value, 4) for name, value in ms.items()}
    return {
        "document": case.document,
        "key": case.key,
        "level": case.level,
        "road": case.road.value,
        **figures,
        "bytes": round(statistics.median(map(len, papers))),
        "of_limit": round(ms["limit_ms"] / ms["ours_ms"], 3),
        "times_tuned": round(ms["pyhanko_tuned_ms"] / ms["ours_ms"], 1),
        "times_documented": round(ms["pyhanko_documented_ms"] / ms["ours_ms"], 1),
    }


def _ours(case: Case, tools: Tools) -> Contender:
    """The whole way from document to stamped file."""
    sealer = Sealer(tools.key, tools.stamps if case.level == "B-T" else None)
    make = prepare if case.road is Road.FAST else prepare_carefully

    async def stamp(document: bytes, serial: str, address: str) -> bytes:
        mark = Mark(serial, address, Place(-1, 150, 230))
        prepared = make(document, Request((mark,), _SIGNED_AT, sealer.gap_bytes))
        assert prepared.road is case.road
        return prepared.sealed_with(await sealer.seal(prepared.digest))

    return stamp


_numbers = itertools.count(1)


def _numbered(contender: Contender) -> Callable[[bytes], Awaitable[object]]:
    """With a serial that was never used."""
    signs = sorted(SERIAL_SIGNS)

    def stamp(document: bytes) -> Awaitable[object]:
        number, serial = next(_numbers) * 7919 + 10**30, ""
        for _ in range(22):
            number, digit = divmod(number, len(signs))
            serial += signs[digit]
        return contender(document, serial, f"HTTPS://METERAI.EXAMPLE.ID/C/{serial}")

    return stamp


def _limit(key: FileKey) -> Callable[[bytes], Awaitable[object]]:
    """One signature, one digest of the document, one copy of it: less is no stamp."""
    increment = bytes(44 * 1024)

    async def least(document: bytes) -> object:
        return key.sign_now(hashlib.sha256(document).digest()), b"".join((document, increment))

    return least


async def _gate(document: bytes) -> object:
    """A strict opening by an independent program, which everything else stands behind."""
    with pikepdf.open(io.BytesIO(document), suppress_warnings=True) as pdf:
        assert not pdf.get_warnings()
        return len(pdf.pages)


async def _inspection(document: bytes) -> object:
    """All that the intake looks at, once, when a document comes in."""
    found = inspect(document)
    assert found.refusal() is None
    return found


def keep_p12(folder: Path, kind: str) -> None:
    """A new key of this kind stands in ``folder``, for programs that are not ours."""
    make_pki(folder)
    _new_key(folder, kind)


def _new_key(folder: Path, kind: str) -> tuple[FileKey, Path]:
    """A new key of this kind, under the demo's authority, and the PKCS #12 file in which it stands too."""
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    curve = ec.SECP256R1() if kind == "p-256" else None
    seal = issue(replace(SEAL, curve=curve), issuing)
    above = (folder / "seal-chain.pem").read_bytes()
    chain = (seal.certificate.public_bytes(Encoding.DER), *read_chain(above)[1:])
    p12 = folder / f"{kind}.p12"
    make_p12(seal, chain, p12)
    return FileKey(chain, algorithm_of(chain[0]), seal.key), p12


def table(found: Figures) -> str:
    """Markdown: a line a case."""
    lines = [
        f"| {' | '.join(_TOLD)} |",
        "|---" * len(_TOLD) + "|",
    ]
    for case in found["cases"]:
        figures = (case[name] for name in _TOLD)
        lines.append(f"| {' | '.join(str(figure) for figure in figures)} |")
    return "\n".join(lines)


_TOLD = (
    "document key level road limit_ms ours_ms gate_ms inspection_ms pyhanko_tuned_ms pyhanko_documented_ms "
    "of_limit times_tuned"
).split()
