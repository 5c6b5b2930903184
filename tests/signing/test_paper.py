import asyncio
import io
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Pdf

from meterai.errors import Text
from meterai.proving.pki import make_pki
from meterai.signing.errors import StatementNotGenuine, TimeStampUnavailable
from meterai.signing.paper import Row, Wording, read, write_paper
from meterai.signing.statement import StatementKey
from meterai.signing.time_stamps import Authority, TimeStamps
from meterai.signing.trust import Trust
from world import documents, pictures, pki, signers, tampering
from world.sealed import sealed

KEY = StatementKey.load(pki.keys_folder())
TRUST = Trust.load(pki.trust_folder())
AT = datetime(2026, 11, 24, 7, 5, 9, tzinfo=UTC)
FACTS = {"units": 1, "document_sha256": "ab" * 32}


def wording(rows: int = 4, value: str = "6405e0e8f428060d59c028a79a01feef") -> Wording:
    return Wording(
        Text("Surat Keterangan Kuota Kembali", "Certificate of Restored Quota"),
        Text("Kuota sudah kembali.", "The quota was given back."),
        tuple(Row(Text(f"Baris {n}", f"Row {n}"), value) for n in range(rows)),
        "https://meterai.example.id/bukti",
    )


async def paper(jws: str | None = None, rows: int = 4) -> bytes:
    return await write_paper(
        jws or KEY.sign("restoration", FACTS, AT), wording(rows), KEY, pki.time_stamps()
    )


async def test_a_paper_and_its_bare_statement_say_the_same() -> None:
    jws = KEY.sign("restoration", FACTS, AT)
    on_paper, bare = read(await paper(jws), TRUST), read(jws.encode(), TRUST)
    assert on_paper == bare
    assert on_paper.facts == FACTS


def test_other_programs_find_the_paper_sealed_whole_and_find_the_statement(tmp_path: Path) -> None:
    file = tmp_path / "surat.pdf"
    file.write_bytes(_PAPER)
    said = {
        program[0]: subprocess.run(program, capture_output=True, text=True, check=False).stdout
        for program in (
            ["pdfsig", "-nocert", "-no-ocsp", str(file)],
            ["mutool", "sign", "-v", str(file)],
            ["pdfdetach", "-list", str(file)],
            ["pdftotext", str(file), "-"],
        )
    }
    assert "Signature is Valid" in said["pdfsig"]
    assert "Total document signed" in said["pdfsig"]
    assert "unchanged since signing" in said["mutool"]
    assert "pernyataan.jws" in said["pdfdetach"]
    assert "Surat Keterangan Kuota Kembali" in said["pdftotext"]
    assert "14.05.09 WIB" in said["pdftotext"]
    assert (
        subprocess.run(["qpdf", "--check", file], check=False, capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("rows", [0, 1, 12, 26])
async def test_it_stays_one_page_with_nothing_over_the_edge(rows: int) -> None:
    made = await paper(rows=rows)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert len(pdf.pages) == 1
    page = pictures.picture(made, "mupdf", 40)
    bottom = page.crop((0, page.height - 12, page.width, page.height))
    assert bottom.convert("L").getextrema() == (255, 255)


async def test_without_any_authority_a_paper_is_only_made_on_purpose() -> None:
    silent = httpx.AsyncClient(transport=pki.answering(lambda _: httpx.Response(503)))
    down = TimeStamps(silent, [Authority("http://tsa.test/")], [])
    jws = KEY.sign("outage", FACTS, AT)
    with pytest.raises(TimeStampUnavailable):
        await write_paper(jws, wording(), KEY, down)
    assert read(await write_paper(jws, wording(), KEY, None), TRUST).kind == "outage"


async def test_only_our_own_statements_get_a_paper(tmp_path: Path) -> None:
    make_pki(tmp_path)
    foreign = StatementKey.load(tmp_path).sign("restoration", FACTS)
    with pytest.raises(StatementNotGenuine):
        await write_paper(foreign, wording(), KEY, None)


def _paper_once() -> bytes:
    return asyncio.run(paper())


_PAPER = _paper_once()


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_a_flipped_bit_outside_the_seal_is_found(data: st.DataObject) -> None:
    start, end = tampering.gap(_PAPER)
    outside = st.integers(0, start) | st.integers(end - 1, len(_PAPER) - 1)
    place, mask = data.draw(outside), 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StatementNotGenuine):
        read(tampering.flipped(_PAPER, place, mask), TRUST)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: data[:-1],
        documents.appended,
        lambda data: b" " + data,
        tampering.resaved,
        lambda data: documents.qpdf(data, "--linearize"),
    ],
)
def test_a_changed_paper_is_not_genuine(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(StatementNotGenuine):
        read(change(_PAPER), TRUST)


async def test_a_page_of_lies_around_a_true_statement_is_not_genuine(tmp_path: Path) -> None:
    jws = KEY.sign("restoration", FACTS, AT)

    def attach(pdf: Pdf) -> None:
        pdf.attachments["pernyataan.jws"] = jws.encode()

    lies = documents.changed(documents.letter(text="Kuota kembali 1.000.000 keping"), attach)
    with pytest.raises(StatementNotGenuine):
        read(lies, TRUST)
    make_pki(tmp_path)
    forged = await signers.signed(lies, "Keterangan", signers.signer(tmp_path), level=1)
    with pytest.raises(StatementNotGenuine):
        read(forged, TRUST)


async def test_a_stamped_document_is_no_paper() -> None:
    with pytest.raises(StatementNotGenuine):
        read(await sealed(), TRUST)


def test_noise_is_not_genuine() -> None:
    for noise in (b"", b"x", b"%PDF-1.7", b"%PDF-1.7\n" + bytes(100), b"%PDF-" + b"x" * 3_000_000):
        with pytest.raises(StatementNotGenuine):
            read(noise, TRUST)
