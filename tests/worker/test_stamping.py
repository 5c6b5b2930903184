"""What seals in a real worker process: a key on a device, or the newest of the key files."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meterai.affixing.model import Affixing, AffixingState
from meterai.clock import now
from meterai.signing.keys import pem_of, public_der, read_chain
from meterai.signing.report import Outcome
from meterai.signing.validation import examine
from meterai.wiring import trust_of
from world.device import MISSING, MODULE, PIN, Token, chain_for
from world.installation import Installation, an_installation
from world.pki import renewed
from world.sealed import certificates_in


@pytest.fixture
async def here(tmp_path: Path, dsn: str) -> AsyncIterator[Installation]:
    async with an_installation(tmp_path / "data", dsn, deadline_seconds=60) as installation:
        yield installation


def recognise(here: Installation, chain: bytes) -> None:
    """The sealing certificate at the head of ``chain`` is ours, beside those before it."""
    seals = here.settings.keys / "trust/seals.pem"
    seals.write_bytes(seals.read_bytes() + pem_of(read_chain(chain)[:1]))


async def file_of(here: Installation, ended: Affixing) -> bytes:
    assert ended.object is not None
    whole = await here.app.objects.get(ended.object)
    report = examine(whole, trust_of(here.settings), now())
    assert report.outcome is Outcome.SOUND, report.reasons
    return whole


def use_device(here: Installation, folder: Path, patch: pytest.MonkeyPatch) -> Token:
    """Its workers seal with the key ``segel``, born in a token; no key file is left."""
    token = Token.make(folder / "softhsm")
    chain = chain_for(token.make_key("segel"), here.settings.keys)
    (here.settings.keys / "seal-chain.pem").write_bytes(chain)
    (here.settings.keys / "seal.key").unlink()  # no other key could have sealed
    (folder / "pin").write_text(PIN + "\n")
    recognise(here, chain)
    here.settings = here.settings.with_(
        pkcs11_module=MODULE,
        pkcs11_token="meterai",
        pkcs11_key="segel",
        pkcs11_pin_file=folder / "pin",
    )
    patch.setenv("SOFTHSM2_CONF", str(token.config))
    return token


@pytest.mark.skipif(MISSING, reason="SoftHSM 2 is not installed")
async def test_a_worker_seals_with_a_key_that_never_leaves_its_device(
    here: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = use_device(here, tmp_path, monkeypatch)
    chain = (here.settings.keys / "seal-chain.pem").read_bytes()
    here.start_worker()
    assert await sealed_by(here, 5) == set(read_chain(chain)[:1])
    said = token.ask_about("segel")
    assert bytes.fromhex(str(said.pop("public"))) == public_der(read_chain(chain)[0])
    assert said == {
        "LOCAL": True,
        "SENSITIVE": True,
        "ALWAYS_SENSITIVE": True,
        "EXTRACTABLE": False,
        "NEVER_EXTRACTABLE": True,
        "given_out": False,
    }
    assert (await here.audit()).discrepancies == []


async def sealed_by(here: Installation, count: int) -> set[bytes]:
    """The recognised certificates that have sealed so many fresh documents."""
    ended = await here.until_final([a.id for a in await here.reserve(count)])
    assert {a.state for a in ended} == {AffixingState.AFFIXED}
    found = [set(certificates_in(await file_of(here, a))) for a in ended]
    return set.union(*found) & set(trust_of(here.settings).seals)


def put_in_place(file: Path, content: bytes) -> None:
    half = file.with_suffix(".new")
    half.write_bytes(content)
    half.replace(file)


async def test_a_running_worker_takes_up_a_new_key_when_its_files_change(
    here: Installation,
) -> None:
    keys = here.settings.keys
    old = (keys / "seal-chain.pem").read_bytes()
    key, new = renewed(keys)
    recognise(here, new)
    worker = here.start_worker()
    assert await sealed_by(here, 3) == set(read_chain(old)[:1])
    put_in_place(keys / "seal.key", key)  # for this moment, key and chain do not belong together
    assert await sealed_by(here, 3) == set(read_chain(old)[:1])
    put_in_place(keys / "seal-chain.pem", new)
    assert await sealed_by(here, 3) == set(read_chain(new)[:1])
    assert worker.process.poll() is None
    assert (await here.audit()).discrepancies == []


@pytest.mark.skipif(MISSING, reason="SoftHSM 2 is not installed")
async def test_a_running_worker_takes_up_a_new_key_of_its_device_when_its_label_is_written(
    here: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, keys = use_device(here, tmp_path, monkeypatch), here.settings.keys
    old = (keys / "seal-chain.pem").read_bytes()
    worker = here.start_worker()
    assert await sealed_by(here, 3) == set(read_chain(old)[:1])
    new = chain_for(token.make_key("segel-2"), keys)
    recognise(here, new)
    put_in_place(keys / "seal-label", b"segel-2\n")
    assert await sealed_by(here, 3) == set(read_chain(old)[:1])
    put_in_place(keys / "seal-chain.pem", new)
    assert await sealed_by(here, 3) == set(read_chain(new)[:1])
    assert worker.process.poll() is None
