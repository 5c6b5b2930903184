"""Registry first, cryptography second: what each kind of file is told."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from meterai.affixing.affix import affix_waiting
from meterai.affixing.model import Affixing
from meterai.clock import now
from meterai.pdf.increment import Mark, Request, prepare
from meterai.pdf.model import Place
from meterai.proving.sample import sample_letter
from meterai.signing.report import SignatureReport
from meterai.signing.seal import Sealer
from meterai.signing.trust import Trust
from meterai.signing.validation import examine
from meterai.verification.judgement import judge_offline
from meterai.verification.model import Finding, Verdict
from meterai.verification.verify import verify
from meterai.wiring import open_workbench, seal_key_of
from world.installation import LETTER, Installation, an_installation


class Here:
    """Examines in this process; what the intake does elsewhere."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    async def examine(self, document: bytes, *, twice: bool = True) -> SignatureReport:  # noqa: ARG002 - one report for both
        return examine(document, self._trust, now())


@pytest.fixture
async def here(tmp_path: Path, dsn: str) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", dsn, units=10) as installation:
        yield installation


async def stamped(here: Installation) -> tuple[Affixing, bytes]:
    (affixing,) = await here.reserve(1)
    await affix_waiting(open_workbench(here.app), "w")
    ended = await here.look(affixing.id)
    assert ended.object is not None
    return ended, await here.app.objects.get(ended.object)


async def ask(here: Installation, file: bytes) -> Finding:
    trust = Trust.load(here.settings.keys / "trust")
    return await verify(here.database, Here(trust), file)


async def test_the_true_file_is_genuine(here: Installation) -> None:
    _, file = await stamped(here)
    finding = await ask(here, file)
    assert (finding.verdict, finding.reason) == (Verdict.GENUINE, "registered")
    assert "registry" in finding.checked
    assert len(finding.serials) == 1


async def test_without_the_registry_it_is_never_plainly_genuine(here: Installation) -> None:
    _, file = await stamped(here)
    report = examine(file, Trust.load(here.settings.keys / "trust"), now())
    finding = judge_offline(report)
    assert finding.verdict is Verdict.GENUINE_OFFLINE
    assert "registry" in finding.not_checked


async def test_a_serial_sealed_into_another_document_is_reused_and_nothing_personal_is_told(
    here: Installation,
) -> None:
    _, file = await stamped(here)
    serial = (await ask(here, file)).serials[0]
    # Whoever holds the sealing key could do this; only the registry can see it.
    sealer = Sealer(seal_key_of(here.settings), here.app.time_stamps)
    other = sample_letter(3)
    mark = Mark(serial, here.app.address_of(serial), Place(1, 20.0, 20.0))
    prepared = prepare(other, Request((mark,), now(), sealer.gap_bytes))
    forged = prepared.sealed_with(await sealer.seal(prepared.digest))
    finding = await ask(here, forged)
    assert (finding.verdict, finding.reason) == (Verdict.REUSED, "other_document")
    assert finding.true_file is not None
    assert finding.true_file.pages == 1
    assert set(finding.true_file.__slots__) == {"affixed_at", "pages"}


async def test_a_void_serial_counts_nowhere(here: Installation) -> None:
    (affixing,) = await here.reserve(1)
    bench = open_workbench(here.app)

    async def lose(point: str, _id: object) -> None:
        if point == "stored":
            async with here.database.transaction() as connection:
                await connection.execute(
                    """update affixing set deadline = now() - interval '1 s',
                       seal_until = now() - interval '1 s'"""
                )
            await here.restore_due()

    await affix_waiting(replace(bench, at=lose), "slow")
    leaked = await here.app.objects.get(f"stamped/{affixing.id}-1.pdf")
    assert (await ask(here, leaked)).verdict is Verdict.VOID


async def test_an_unknown_serial_under_our_own_seal_needs_a_person(here: Installation) -> None:
    sealer = Sealer(seal_key_of(here.settings), here.app.time_stamps)
    mark = Mark("0" * 22, "HTTPS://X/", Place(1, 20.0, 20.0))
    prepared = prepare(LETTER, Request((mark,), now(), sealer.gap_bytes))
    file = prepared.sealed_with(await sealer.seal(prepared.digest))
    assert (await ask(here, file)).verdict is Verdict.NEEDS_REVIEW


async def test_a_saved_again_flipped_or_extended_file_is_altered_never_genuine(
    here: Installation,
) -> None:
    _, file = await stamped(here)
    saved_again = io.BytesIO()
    with pikepdf.open(io.BytesIO(file)) as pdf:
        pdf.save(saved_again)
    flipped = bytearray(file)
    flipped[len(LETTER) // 2] ^= 1
    for changed in (bytes(flipped), file + b"\n%more\n", saved_again.getvalue()):
        finding = await ask(here, changed)
        assert finding.verdict in (Verdict.ALTERED, Verdict.NEEDS_REVIEW, Verdict.UNREADABLE)


async def test_what_carries_no_seal_is_no_stamp(here: Installation) -> None:
    finding = await ask(here, LETTER)
    assert (finding.verdict, finding.reason) == (Verdict.NOT_A_STAMP, "no_seal")
    assert (await ask(here, b"nothing like a PDF")).verdict is Verdict.UNREADABLE
