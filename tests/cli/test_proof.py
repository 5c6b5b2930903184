"""A restoration certificate convinces without us: checked offline, by published keys."""

import asyncio
import json
import subprocess
import uuid
from pathlib import Path

import httpx
import pytest

from meterai.client.calls import Client
from meterai.proving.sample import sample_letter
from world.demo import Demo, break_next, meterai


@pytest.fixture(scope="module")
def certificate(demo: Demo) -> str:
    """Of a unit that came back, as a compact JWS."""
    asyncio.run(break_next(demo, "signer"))
    with Client(demo.url) as stranger:
        key = stranger.demo_key()
    with Client(demo.url, key) as company:
        letter = sample_letter(about=uuid.uuid4().hex)
        made = company.stamp("surat.pdf", letter, {}, idempotency_key=uuid.uuid4().hex)
        ended = company.stamping(made.id, wait_s=25)
        if not ended.final:
            ended = company.stamping(made.id, wait_s=25)
        assert (ended.state, ended.units_restored) == ("restored", 1)
    answer = httpx.get(
        f"{demo.url}/v1/stampings/{made.id}/certificate", headers={"authorization": f"Bearer {key}"}
    )
    assert answer.headers["content-type"] == "application/jose"
    return answer.text


def proof(elsewhere: Path, file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``meterai proof verify`` on a machine that knows no installation."""
    return meterai(elsewhere, "proof", "verify", str(file), *words, timeout_s=60)


@pytest.fixture
def keys(demo: Demo, tmp_path: Path) -> Path:
    """The published keys, kept in a file."""
    file = tmp_path / "meterai-keys.json"
    file.write_bytes(httpx.get(f"{demo.url}/.well-known/meterai-keys.json").content)
    return file


def test_it_is_good_and_says_what_came_back_and_why(
    certificate: str, keys: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bukti.jws"
    file.write_text(certificate)
    checked = proof(tmp_path, file, "--keys", str(keys), "--json")
    assert checked.returncode == 0, checked.stderr
    said = json.loads(checked.stdout)
    assert (said["valid"], said["kind"]) == (True, "restoration")
    assert {"reason", "document_sha256", "serials", "units"} <= set(said["facts"])


def test_one_changed_sign_or_a_strangers_keys_are_found(
    certificate: str, keys: Path, tmp_path: Path
) -> None:
    head, body, signature = certificate.split(".")
    changed = tmp_path / "changed.jws"
    other = "A" if body[20] != "A" else "B"
    changed.write_text(f"{head}.{body[:20]}{other}{body[21:]}.{signature}")
    assert proof(tmp_path, changed, "--keys", str(keys)).returncode == 1
    true = tmp_path / "true.jws"
    true.write_text(certificate)
    without = proof(tmp_path, true)
    assert without.returncode != 0
    assert "--keys" in without.stderr
    nothing = tmp_path / "nothing.json"
    nothing.write_text('{"keys": []}')
    assert proof(tmp_path, true, "--keys", str(nothing)).returncode == 1
