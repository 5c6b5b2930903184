"""What seals in a real worker process: a key on a device."""

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


@pytest.mark.skipif(MISSING, reason="SoftHSM 2 is not installed")
async def test_a_worker_seals_with_a_key_that_never_leaves_its_device(
    here: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Token.make(tmp_path / "softhsm")
    chain = chain_for(token.make_key("segel"), here.settings.keys)
    (here.settings.keys / "seal-chain.pem").write_bytes(chain)
    (here.settings.keys / "seal.key").unlink()  # no other key could have sealed
    (tmp_path / "pin").write_text(PIN + "\n")
    recognise(here, chain)
    here.settings = here.settings.with_(
        pkcs11_module=MODULE,
        pkcs11_token="meterai",
        pkcs11_key="segel",
        pkcs11_pin_file=tmp_path / "pin",
    )
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.config))
    affixings = await here.reserve(5)
    here.start_worker()
    ended = await here.until_final([a.id for a in affixings])
    assert {a.state for a in ended} == {AffixingState.AFFIXED}
    for affixing in ended:
        assert read_chain(chain)[0] in certificates_in(await file_of(here, affixing))
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
