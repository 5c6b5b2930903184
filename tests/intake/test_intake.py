"""A stranger's file may kill whoever opens it, and nobody else."""

import asyncio
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meterai.intake.client import Intake
from meterai.intake.errors import IntakeUnavailable, TooHeavy
from meterai.pdf.inspection import Verdict
from meterai.proving.pki import make_pki
from meterai.proving.sample import sample_letter
from meterai.settings import Settings
from meterai.signing.report import Outcome

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Intake]:
    settings = Settings(data_dir=tmp_path)
    make_pki(settings.keys)
    process = subprocess.Popen(
        [sys.executable, "-m", "meterai", "process", "intake"],
        env=settings.environment() | {"PYTHONPATH": str(SRC)},
    )
    for _ in range(1200):
        if settings.intake_socket.exists():
            break
        await asyncio.sleep(0.05)
    yield Intake(settings.intake_socket)
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def deflated_bomb() -> bytes:
    """A page whose content unpacks twice, to two thousand million bytes."""
    inner = zlib.compressobj(9)
    once = b"".join(inner.compress(bytes(1 << 20)) for _ in range(2048)) + inner.flush()
    content = zlib.compress(once, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%b\nendstream"
        % (len(content), content),
    ]
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


async def test_it_inspects_draws_suggests_and_examines(intake: Intake) -> None:
    letter = sample_letter()
    inspection = await intake.inspect(letter, 10_000_000)
    assert inspection.verdict is Verdict.ACCEPT
    assert (await intake.picture(letter, 1, 480))[8:12] == b"WEBP"
    place = await intake.suggest(letter, 1)
    assert 0 < place.left_mm < 210
    assert (await intake.examine(letter)).outcome is Outcome.NO_SEAL


async def test_what_it_refuses_has_its_reason(intake: Intake) -> None:
    refused = (await intake.inspect(b"GIF89a", 10_000_000)).refusal()
    assert refused is not None
    assert refused.code == "not_a_pdf"
    too_large = (await intake.inspect(sample_letter(), 100)).refusal()
    assert too_large is not None
    assert too_large.code == "document_too_large"


async def test_a_bomb_is_refused_and_the_next_file_is_served(intake: Intake) -> None:
    bomb = deflated_bomb()
    assert len(bomb) < 20_000
    refused = (await intake.inspect(bomb, 10_000_000)).refusal()
    assert refused is not None
    assert (await intake.inspect(sample_letter(), 10_000_000)).verdict is Verdict.ACCEPT


async def test_a_file_that_kills_its_opener_is_too_heavy_and_others_are_served(
    intake: Intake,
) -> None:
    # Drawing the bomb is what no door does; here it stands for any file that breaks its opener.
    with pytest.raises(TooHeavy):
        await intake.picture(deflated_bomb(), 1, 100_000)
    answers = await asyncio.gather(*(intake.inspect(sample_letter(), 10**7) for _ in range(6)))
    assert {a.verdict for a in answers} == {Verdict.ACCEPT}


async def test_without_an_intake_it_is_said_that_it_is_away(tmp_path: Path) -> None:
    with pytest.raises(IntakeUnavailable):
        await Intake(tmp_path / "nobody").inspect(sample_letter(), 10**7)


def test_a_child_has_no_network_and_cannot_grow(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "from meterai.intake.limits import lock_in\n"
        "gone = lock_in()\n"
        "if gone.network_gone or gone.ways_out_forbidden:\n"
        "    try:\n"
        "        socket.create_connection(('127.0.0.1', 9), 1)\n"
        "    except OSError as error:\n"
        "        assert error.errno in {1, 101}, error\n"
        "try:\n"
        "    bytearray(3 * 1024**3)\n"
        "except MemoryError:\n"
        "    print('bounded', gone)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SRC)},  # noqa: TID251 - handed on as it is
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.startswith("bounded"), done.stderr
