import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.proving.pki import SEAL, SEALS, issue, make_pki, read_issued
from meterai.signing import rotation
from meterai.signing.errors import SignerUnavailable
from meterai.signing.keys import FileKey, SealKey, prove, read_chain
from meterai.signing.rotation import Sealers
from meterai.signing.seal import Sealer
from meterai.signing.signed_data import read_signed_data
from world.pki import renewed

DIGEST = bytes(32)


class Folder:
    """A keys folder whose key can be replaced."""

    def __init__(self, folder: Path) -> None:
        make_pki(folder)
        self.folder = folder
        self.key, self.chain = folder / "seal.key", folder / "seal-chain.pem"
        self.loads = 0

    def load(self) -> SealKey:
        self.loads += 1
        return FileKey.load(self.key, self.chain)

    def sealers(self) -> Sealers:
        return Sealers([self.key, self.chain], self.load, None)

    @property
    def leaf(self) -> bytes:
        return read_chain(self.chain.read_bytes())[0]


@pytest.fixture
def keys(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def put(file: Path, content: bytes) -> None:
    half = file.with_suffix(".new")
    half.write_bytes(content)
    half.replace(file)


async def sealed_by(sealer: Sealer) -> bytes:
    """The certificate that a seal of this sealer names, whose key made it."""
    data = read_signed_data(await sealer.seal(DIGEST))
    prove(data.certificate, data.signature, data.attributes_der)
    return data.certificate


async def test_files_that_stay_the_same_are_loaded_once(keys: Folder) -> None:
    sealers = keys.sealers()
    first = await sealers.newest()
    keys.chain.touch()
    assert await sealers.newest() is first
    assert keys.loads == 1


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
async def test_a_new_key_is_taken_up_and_the_old_sealer_still_finishes(
    keys: Folder, kind: str
) -> None:
    sealers, old_leaf = keys.sealers(), keys.leaf
    old = await sealers.newest()
    key, chain = renewed(keys.folder, SEALS[kind])
    put(keys.key, key)
    put(keys.chain, chain)
    assert await sealed_by(await sealers.newest()) == keys.leaf != old_leaf
    assert await sealed_by(old) == old_leaf


async def test_a_new_certificate_of_the_same_key_is_taken_up(keys: Folder) -> None:
    sealers = keys.sealers()
    await sealers.newest()
    issuing = read_issued(keys.folder / "issuing.key", keys.folder / "issuing.pem")
    same = read_issued(keys.key, keys.chain).key
    put(keys.chain, issue(SEAL, issuing, key=same).certificate.public_bytes(Encoding.PEM))
    assert await sealed_by(await sealers.newest()) == keys.leaf


@pytest.mark.parametrize("half", [b"", b"-----BEGIN PRIVATE KEY-----\nMIIE", b"\xff\x00", None])
async def test_a_key_that_cannot_be_used_leaves_the_one_before(
    keys: Folder, half: bytes | None
) -> None:
    sealers, old_leaf = keys.sealers(), keys.leaf
    old = await sealers.newest()
    key, chain = renewed(keys.folder)
    if half is None:
        keys.key.unlink()
    else:
        put(keys.key, half)
    assert await sealers.newest() is old
    put(keys.chain, half or chain)
    assert await sealers.newest() is old
    assert await sealed_by(old) == old_leaf
    put(keys.key, key)
    put(keys.chain, chain)
    assert await sealed_by(await sealers.newest()) == keys.leaf


async def test_a_key_that_failed_is_left_alone_for_a_while_and_then_asked_again(
    keys: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [100.0]
    monkeypatch.setattr(rotation, "monotonic", lambda: moment[0])
    sealers, load = keys.sealers(), keys.load
    old = await sealers.newest()
    key, chain = renewed(keys.folder)

    def fail() -> SealKey:
        keys.loads += 1
        raise SignerUnavailable

    sealers._load = fail
    put(keys.key, key)
    put(keys.chain, chain)
    for _ in range(5):
        assert await sealers.newest() is old
    assert keys.loads == 2
    sealers._load = load
    moment[0] += rotation.RETRY_S
    assert await sealed_by(await sealers.newest()) == keys.leaf


async def test_many_who_ask_at_once_load_a_new_key_once(keys: Folder) -> None:
    sealers = keys.sealers()
    key, chain = renewed(keys.folder)
    put(keys.key, key)
    put(keys.chain, chain)
    found = await asyncio.gather(*(sealers.newest() for _ in range(10)))
    assert len(set(found)) == 1
    assert keys.loads == 2
