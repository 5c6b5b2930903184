"""A committee's folder: stamps by a running demo's own key, known to its registry; some are wrong."""

import asyncio
import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from meterai.clock import now
from meterai.ids import new_id
from meterai.pdf.increment import prepare
from meterai.proving.simulators.time_stamps import Stamper
from meterai.serial.registry import draw_number
from meterai.signing.keys import FileKey
from meterai.signing.seal import Sealer
from meterai.signing.time_stamps import Authority, TimeStamps
from world import tampering
from world.demo import Demo, books
from world.documents import letter, mark, request

_DRAWN = itertools.count(1)


@dataclass(slots=True)
class Folder:
    """Files on disk, and the verdict that each must get."""

    place: Path
    expected: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes, verdict: str) -> None:
        (self.place / name).write_bytes(content)
        self.expected[name] = verdict


def sealer_of(keys: Path) -> Sealer:
    """Seals as this installation does, with its authority inside this process."""
    stamper, numbers = Stamper.load(keys), itertools.count(1_000_000)

    def respond(asked: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=stamper.answer(asked.content, now(), next(numbers)))

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    stamps = TimeStamps(client, [Authority("http://authority.test/")], [stamper.key.chain[0]])
    return Sealer(FileKey.load(keys / "seal.key", keys / "seal-chain.pem"), stamps)


@dataclass(frozen=True, slots=True)
class Made:
    """A stamped letter."""

    serial: str
    whole: bytes
    source: bytes
    signed: bytes


async def make(sealer: Sealer, text: str, serial: str | None = None) -> Made:
    number = serial or draw_number()
    document = letter(text=f"{text} {next(_DRAWN)}")
    prepared = prepare(document, request(mark(number)))
    whole = prepared.sealed_with(await sealer.seal(prepared.digest))
    return Made(number, whole, hashlib.sha256(document).digest(), prepared.digest)


async def register(demo: Demo, made: list[Made], void: list[Made]) -> None:
    """The demo's registry knows these stamps; the others are void."""
    async with books(demo) as connection:
        await connection.executemany(
            """insert into serial (number, state, channel, affixing, source_sha256, signed_sha256,
                                   file_sha256, pages, affixed_at)
               values ($1, 'affixed', 'langsung', $2, $3, $4, $5, 1, now())""",
            [(m.serial, new_id(), m.source, m.signed, hashlib.sha256(m.whole).digest())
             for m in made],
        )  # fmt: skip
        await connection.executemany(
            """insert into serial (number, state, channel, voided_at)
               values ($1, 'void', 'langsung', now())""",
            [(m.serial,) for m in void],
        )


async def fill(folder: Folder, demo: Demo, count: int) -> None:
    """``count`` files: a tenth of them is wrong in one of five ways."""
    sealer = sealer_of(demo.data_dir / "keys")
    wrong = count // 50
    true = [await make(sealer, "Surat Pernyataan") for _ in range(count - 5 * wrong)]
    void = [await make(sealer, "Surat Batal") for _ in range(wrong)]
    for number, made in enumerate(true):
        folder.put(f"surat-{number:04}.pdf", made.whole, "genuine")
    for number, made in enumerate(void):
        folder.put(f"batal-{number:04}.pdf", made.whole, "void")
    for number in range(wrong):
        other = await make(sealer, "Surat Lain", true[number].serial)
        folder.put(f"lain-{number:04}.pdf", other.whole, "reused")
        folder.put(
            f"tindih-{number:04}.pdf", tampering.overlaid(true[wrong + number].whole), "altered"
        )
        folder.put(
            f"simpan-{number:04}.pdf", tampering.resaved(true[2 * wrong + number].whole), "altered"
        )
        folder.put(f"polos-{number:04}.pdf", letter(text=f"Polos {number}"), "not_a_stamp")
    await register(demo, true, void)


def fill_now(folder: Folder, demo: Demo, count: int) -> None:
    """The same from a thread of its own: beside a browser no loop may run in this one."""
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: asyncio.run(fill(folder, demo, count))).result()
