"""What a verdict costs: our fast road, pyHanko's validator, and what no program can beat, in one run.

Everything happens on one core, in turns: a round of one contender, a round of the next. The figures are medians
of the processor time of this process for one file in memory. The files are whole stamps of ours with a time
stamp; ours and pyHanko both check it, the chain and its revocation. (A seal without a time stamp is never
*genuine*, so there is no fast road for one.)
"""

import asyncio
import hashlib
import io
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import httpx
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from meterai.clock import now
from meterai.pdf.increment import (
    Mark,
    Prepared,
    Request,
    Slot,
    prepare,
    prepare_carefully,
)
from meterai.pdf.inspection import Limits, repair
from meterai.pdf.model import Place
from meterai.proving.pki import SEAL, issue, make_pki, read_issued
from meterai.proving.simulators.time_stamps import Stamper
from meterai.proving.turns import medians_ms, on_one_core, turns, warm_ups
from meterai.serial.registry import draw_number
from meterai.signing.keys import FileKey, algorithm_of
from meterai.signing.own.cms import take_apart
from meterai.signing.own.file import read_own_file
from meterai.signing.own.road import examine_own
from meterai.signing.report import Outcome, SignatureReport
from meterai.signing.seal import Sealer
from meterai.signing.second_opinion import completed, context_for
from meterai.signing.time_stamps import Authority, TimeStamps
from meterai.signing.trust import Trust
from meterai.signing.validation import examine_carefully

DOCUMENTS = {"100kb": 100_000, "1mb": 1_000_000, "5mb": 5_000_000}
"""Names, and bytes of the stamped file."""
_STAMP_BYTES = 44_500
KEYS = ("rsa-2048", "p-256")
DISTINCT = 24
"""How many different files a case has."""
_WARM_UP = 30

Judge = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Desk:
    """Whatever makes stamps: a key, an authority inside this process, and what a verifier trusts."""

    sealer: Sealer
    trust: Trust


@contextmanager
def desks() -> Iterator[dict[str, Desk]]:
    """A desk for each kind of key, over one PKI made for the run."""
    with tempfile.TemporaryDirectory(prefix="verdicts-") as kept:
        folder = Path(kept)
        make_pki(folder)
        issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
        plain = FileKey.load(folder / "seal.key", folder / "seal-chain.pem")
        issued = issue(SEAL, issuing, key=ec.generate_private_key(ec.SECP256R1()))
        leaf = issued.certificate.public_bytes(Encoding.DER)
        p256 = FileKey((leaf, *plain.chain[1:]), algorithm_of(leaf), issued.key)
        known = Trust.load(folder / "trust")
        trust = Trust(
            known.roots, known.issuers, (plain.chain[0], leaf), known.time_stamps,
            revocations=known.revocations,
        )  # fmt: skip
        stamps = _authority(folder)
        yield {
            "rsa-2048": Desk(Sealer(plain, stamps), trust),
            "p-256": Desk(Sealer(p256, stamps), trust),
        }


def _authority(folder: Path) -> TimeStamps:
    stamper, numbers = Stamper.load(folder), itertools.count(1)

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=stamper.answer(request.content, now(), next(numbers)))

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    return TimeStamps(client, [Authority("http://authority.test/")], [stamper.key.chain[0]])


def paper(size: int, number: int) -> bytes:
    """A scanned letter of about so many bytes, another for each number."""
    side = int((size * 1.06) ** 0.5)
    noise = Image.frombytes("L", (side, side), random.Random(number).randbytes(side * side))
    jpeg, out = io.BytesIO(), io.BytesIO()
    noise.save(jpeg, "JPEG", quality=88)
    jpeg.seek(0)
    canvas = Canvas(out, pagesize=(595, 842), invariant=1)
    canvas.drawString(72, 780, f"Surat Pernyataan nomor {number}")
    canvas.drawImage(ImageReader(jpeg), 72, 300, 400, 400)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to stamp: road of the engine, promise, number of marks."""

    name: str
    prepare: Callable[[bytes, Request], Prepared] = prepare
    broken: bool = False
    """The document is cut short first, and repaired as it would be when it comes in."""
    certify: int | None = 1
    slots: tuple[Slot, ...] = ()
    marks: int = 1


_SLOTS = (Slot("penyewa", Place(1, 20, 200), 50, 20), Slot("pemilik", Place(1, 80, 200), 50, 20))
WAYS = (
    Way("fast, P=1"),
    Way("careful, P=1", prepare_carefully),
    Way("repair, P=1", broken=True),
    Way("fast, P=2", certify=2, slots=_SLOTS),
    Way("careful, P=2", prepare_carefully, certify=2, slots=_SLOTS),
    Way("fast, three stamps", marks=3),
    Way("careful, three stamps", prepare_carefully, marks=3),
    Way("careful, approval", certify=None),
)


async def stamped(document: bytes, desk: Desk, moment: datetime, way: Way = WAYS[0]) -> bytes:
    """The document with our marks and seal, and serials of its own."""
    if way.broken:
        document = repair(document[:-60], Limits())
    serials = [draw_number() for _ in range(way.marks)]
    marks = tuple(
        Mark(serial, f"HTTPS://METERAI.EXAMPLE.ID/C/{serial}", Place(-1, 150 - 50 * number, 250))
        for number, serial in enumerate(serials)
    )
    gap = desk.sealer.gap_bytes
    asked = Request(marks, moment, gap, certify=way.certify, slots=way.slots)
    prepared = way.prepare(document, asked)
    return prepared.sealed_with(await desk.sealer.seal(prepared.digest))


class Figures(TypedDict):
    """What was measured."""

    cases: list[dict[str, object]]
    """One object a case."""
    files_a_case: int
    rounds: int
    cores: int


def measure(documents: Sequence[str], *, rounds: int) -> Figures:
    """The figures of all cases, on one core."""
    with desks() as prepared, on_one_core():
        cases = [_case(name, kind, prepared[kind], rounds) for name in documents for kind in KEYS]
    return {"cases": cases, "files_a_case": DISTINCT, "rounds": rounds, "cores": 1}


def _case(name: str, kind: str, desk: Desk, rounds: int) -> dict[str, object]:
    at = now()
    files = [
        asyncio.run(stamped(paper(DOCUMENTS[name] - _STAMP_BYTES, number), desk, at))
        for number in range(DISTINCT)
    ]
    later = now()
    contenders: dict[str, tuple[Judge, int]] = {
        "limit_ms": (_limit(desk.trust, files), DISTINCT),
        "ours_ms": (_ours(desk.trust, later), DISTINCT),
        "pyhanko_tuned_ms": (_pyhanko(desk.trust, later), 4),
    }
    ms = _medians(contenders, files, rounds)
    return {
        "document": name,
        "key": kind,
        "level": "B-T",
        **{key: round(value, 4) for key, value in ms.items()},
        "bytes": round(statistics.median(map(len, files))),
        "files_per_s": round(1000 / ms["ours_ms"]),
        "of_limit": round(ms["limit_ms"] / ms["ours_ms"], 3),
        "times_tuned": round(ms["pyhanko_tuned_ms"] / ms["ours_ms"], 1),
    }


def _medians(
    contenders: dict[str, tuple[Judge, int]], files: Sequence[bytes], rounds: int
) -> dict[str, float]:
    for judge, file in warm_ups(contenders, files, _WARM_UP):
        judge(file)
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for name, judge, file in turns(contenders, files, rounds):
        began = time.process_time()
        judge(file)
        spent[name].append(time.process_time() - began)
    return medians_ms(spent)


def _ours(trust: Trust, at: datetime) -> Judge:
    def judge(file: bytes) -> object:
        report = examine_own(file, trust, at)
        assert report is not None
        assert report.time_stamp is not None
        return report

    return judge


def _limit(trust: Trust, files: Sequence[bytes]) -> Judge:
    """One digest of the file and the two signatures over prepared bytes: less is no verdict."""
    tokens = {}
    for file in files:
        seal = take_apart(read_own_file(file).seal)
        assert seal.unsigned is not None
        start = seal.unsigned.index(b"\x31", 15)
        token = take_apart(seal.unsigned[start + 4 :])
        tokens[file] = (seal, token)
    signer = _public(examine_own(files[0], trust, now()), trust)
    authority = _key_in(trust.time_stamps[0])

    def judge(file: bytes) -> object:
        seal, token = tokens[file]
        digest = hashlib.sha256(file).digest()
        _check(signer, seal.signature, seal.attributes)
        _check(authority, token.signature, token.attributes)
        return digest

    return judge


def _public(report: SignatureReport | None, trust: Trust) -> object:
    assert report is not None
    return next(
        _key_in(der) for der in trust.seals if hashlib.sha256(der).digest() == report.signer_sha256
    )


def _key_in(der: bytes) -> object:
    """The public key of a certificate."""
    return certificates.load_der_x509_certificate(der).public_key()


def _check(key: object, signature: bytes, message: bytes) -> None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def _pyhanko(trust: Trust, at: datetime) -> Judge:
    """As its documentation would have it, but with one context for all files and no comparing of revisions."""
    seals = context_for(trust, trust.roots, at, "hard-fail")
    stamps = context_for(trust, (*trust.roots, *trust.time_stamps), at, "soft-fail")

    def judge(file: bytes) -> object:
        (signature,) = PdfFileReader(io.BytesIO(file)).embedded_signatures
        status = completed(async_validate_pdf_signature(signature, seals, stamps, skip_diff=True))
        assert status.bottom_line
        assert status.timestamp_validity is not None
        return status

    return judge


def count_false_alarms(count: int) -> dict[str, object]:
    """Freshly made stamps on every road and of every profile, each judged by both roads of the verifier.

    Nothing was done to any of them. An approval is left to the careful road; all others must be sound on both.
    """
    alarms: list[dict[str, object]] = []
    made = dict.fromkeys((way.name for way in WAYS), 0)
    fast = 0
    with desks() as prepared:
        for number in range(count):
            way = WAYS[number % len(WAYS)]
            desk, moment = prepared[KEYS[number // len(WAYS) % len(KEYS)]], now()
            size = 12_000 + 7919 * number % 200_000
            file = asyncio.run(stamped(paper(size, number), desk, moment, way))
            made[way.name] += 1
            at = now()
            own = examine_own(file, desk.trust, at)
            careful = examine_carefully(file, desk.trust, at)
            fast += own is not None
            if careful.outcome is not Outcome.SOUND or (own is None and way.certify is not None):
                said = [reason.value for reason in careful.reasons]
                alarms.append({"way": way.name, "fast": own is not None, "reasons": said})
    return {
        "stamps": count,
        "false_alarms": len(alarms),
        "on_the_fast_road": fast,
        "ways": made,
        "alarms": alarms[:20],
    }
