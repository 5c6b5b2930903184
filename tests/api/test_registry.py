"""Checking without us: bundle and copy are fetched once, and then no server is needed any more."""

import json
import re
import shutil
import socket
import threading
import uuid
from pathlib import Path

import httpx
import pytest

from meterai.client.calls import Client
from meterai.proving.sample import sample_letter
from world import luring, pki, tampering
from world.demo import Demo, meterai

BUDGET = 25 * 1024


@pytest.fixture(scope="module")
def stamped(demo: Demo) -> tuple[str, bytes]:
    """A serial and its file, of the running demo."""
    with Client(demo.url) as stranger:
        key = stranger.demo_key()
    with Client(demo.url, key) as client:
        made = client.stamp(
            "surat.pdf", sample_letter(about="salinan"), {}, idempotency_key=uuid.uuid4().hex
        )
        done = client.stamping(made.id, wait_s=25)
        return done.serials[0], client.stamped_file(done.id)


def verdicts(data_dir: Path, *files: Path) -> list[tuple[str, str]]:
    done = meterai(data_dir, "verify", *map(str, files), "--offline", "--json")
    assert "Salinan daftar nomor seri tertanggal" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line["verdict"], line["reason"]) for line in lines]


def test_another_computer_checks_offline_with_what_it_fetched(
    demo: Demo, stamped: tuple[str, bytes], tmp_path: Path
) -> None:
    file = stamped[1]
    office = tmp_path / "kantor"
    # the copy handed out may be ten minutes old: then the stamp is newer than it
    done = meterai(office, "registry", "fetch", "--server", demo.url, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["age_seconds"] <= 700
    assert set(told) == {"issuer", "taken_at", "age_seconds", "affixed", "void"}
    whole, overlaid = tmp_path / "a.pdf", tmp_path / "b.pdf"
    whole.write_bytes(file)
    overlaid.write_bytes(tampering.overlaid(file))
    good, bad = verdicts(office, whole, overlaid)
    assert good[0] == "genuine_offline"
    assert good[1] in {"registered_in_snapshot", "newer_than_snapshot"}
    assert bad == ("altered", "changed_after_seal")
    assert "umur" in meterai(office, "registry", "show").stderr
    content = bytearray((office / "registry" / "snapshot").read_bytes())
    content[-1] ^= 1
    (office / "registry" / "snapshot").write_bytes(content)
    done = meterai(office, "verify", str(whole), "--offline")
    assert done.returncode == 1
    assert "snapshot_not_usable" in done.stderr


def test_another_issuer_is_not_taken_for_ours(demo: Demo, tmp_path: Path) -> None:
    office = tmp_path / "kantor"
    shutil.copytree(pki.trust_folder(), office / "keys" / "trust")
    done = meterai(office, "registry", "fetch", "--server", demo.url)
    assert done.returncode == 1
    assert "another_issuer" in done.stderr
    assert not (office / "registry").exists()


def test_the_issuers_own_trust_folder_is_left_alone(demo: Demo) -> None:
    folder = demo.data_dir / "keys" / "trust"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    done = meterai(demo.data_dir, "registry", "fetch", "--server", demo.url)
    assert done.returncode == 0, done.stderr
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


def code_of(demo: Demo, serial: str) -> str:
    """The address in the QR code."""
    from meterai.signing.vault import Vault

    mac = Vault((demo.data_dir / "keys" / "secret").read_bytes()).short_mac(serial.encode())
    return f"{demo.url}/c/{serial}?m={mac}"


def test_a_scan_tells_what_is_known_and_that_it_proves_nothing(
    demo: Demo, stamped: tuple[str, bytes]
) -> None:
    serial, _ = stamped
    page = httpx.get(code_of(demo, serial))
    assert page.status_code == 200
    for said in (
        "Terpakai pada satu dokumen", "Dibubuhkan", "Halaman", "Kanal", "SHA-256",
        "Memindai saja tidak membuktikan berkas", "Bandingkan", 'action="/cek"',
    ):  # fmt: skip
        assert said in page.text
    shown = page.content
    for asset in set(re.findall(r'(?:href|src)="(/aset/[^"]+)"', page.text)):
        shown += httpx.get(demo.url + asset).content
    assert len(shown) < 2 * BUDGET  # test_pages weighs it gzipped; here only against a slip


def test_a_wrong_code_is_called_forged_and_tells_nothing(
    demo: Demo, stamped: tuple[str, bytes]
) -> None:
    serial, _ = stamped
    page = httpx.get(f"{demo.url}/c/{serial}?m=AAAAAAAA")
    assert page.status_code == 404
    assert "kode QR ini palsu" in page.text
    assert "Terpakai" not in page.text
    bare = httpx.get(f"{demo.url}/c/{serial}")
    assert "Alamat ini tidak lengkap" in bare.text
    assert "palsu" not in bare.text


def test_no_address_inside_a_file_is_ever_visited(demo: Demo, stamped: tuple[str, bytes]) -> None:
    visits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    visits.append(trap.accept())
                except TimeoutError:
                    continue

        watching = threading.Thread(target=listen)
        watching.start()
        try:
            files = (
                luring.acting(address),
                luring.sealed_with(luring.certificate(address)),
                tampering.overlaid(stamped[1]) + address.encode(),
            )
            for file in files:
                answer = httpx.post(
                    f"{demo.url}/v1/verifications", files={"file": ("a.pdf", file)}, timeout=60
                )
                assert answer.status_code == 200
                assert answer.json()["verdict"] not in {"genuine", "genuine_offline"}
        finally:
            stop.set()
            watching.join()
    assert visits == []
