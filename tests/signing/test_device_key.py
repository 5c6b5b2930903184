"""The sealing key on a device, spoken to by PKCS#11; SoftHSM stands in for the device."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meterai.proving.pki import SEAL, issue, read_issued
from meterai.signing import device as devices
from meterai.signing.device import SESSIONS, Pkcs11Key
from meterai.signing.errors import KeyNotUsable, SignerUnavailable
from meterai.signing.keys import Algorithm, PrivateKey, prove
from meterai.signing.report import Outcome
from meterai.signing.seal import Sealer
from world import pki
from world.device import MISSING, MODULE, PIN
from world.sealed import judged, sealed

KINDS: dict[str, PrivateKey] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
}

pytestmark = pytest.mark.skipif(MISSING, reason="SoftHSM 2 is not installed")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a token called ``meterai`` that holds one key of each kind, and their chains."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")  # noqa: TID251 - SoftHSM is told so, and only so
    os.environ["SOFTHSM2_CONF"] = str(config)  # noqa: TID251
    run("--init-token", "--free", "--label", "meterai", "--pin", PIN, "--so-pin", "998877")
    for number, (label, key) in enumerate(KINDS.items(), 1):
        file = folder / f"{label}.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        run("--import", str(file), "--token", "meterai", "--pin", PIN,
            "--label", label, "--id", f"0{number}")  # fmt: skip
        (folder / f"{label}-chain.pem").write_bytes(chain_for(key))
    yield folder
    if before is None:
        del os.environ["SOFTHSM2_CONF"]  # noqa: TID251
    else:
        os.environ["SOFTHSM2_CONF"] = before  # noqa: TID251


def run(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


def chain_for(key: PrivateKey) -> bytes:
    folder = pki.keys_folder()
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    leaf = issue(SEAL, issuing, key=key).certificate
    above = (folder / "issuing.pem").read_bytes() + (folder / "root.pem").read_bytes()
    return leaf.public_bytes(Encoding.PEM) + above


def opened(device: Path, label: str, *, pin: str = PIN, token: str = "meterai") -> Pkcs11Key:
    assert MODULE is not None
    return Pkcs11Key.open(
        MODULE, token=token, label=label, pin=pin, chain=device / f"{label}-chain.pem"
    )


@pytest.mark.parametrize("label", KINDS)
async def test_a_key_on_a_device_seals(device: Path, label: str) -> None:
    key = opened(device, label)
    assert key.algorithm is (Algorithm.RSA if label == "rsa" else Algorithm.ECDSA)
    whole = await sealed(sealer=Sealer(key, pki.time_stamps()))
    report = judged(whole, seals=(key.chain[0],))
    assert report.outcome is Outcome.SOUND, report.reasons
    key.close()


async def test_more_seals_than_sessions_wait_for_one(device: Path) -> None:
    key = opened(device, "p256")
    messages = [bytes((number,)) * 40 for number in range(60)]
    signatures = await asyncio.gather(*(key.sign(message) for message in messages))
    for message, signature in zip(messages, signatures, strict=True):
        prove(key.chain[0], signature, message)
    key.close()


async def test_two_keys_of_one_device_are_used_side_by_side(device: Path) -> None:
    keys = [opened(device, label) for label in KINDS]
    signed = await asyncio.gather(*(key.sign(b"pesan") for key in keys for _ in range(10)))
    for place, signature in enumerate(signed):
        prove(keys[place // 10].chain[0], signature, b"pesan")
    for key in keys:
        key.close()


def hold_until(count: int, patch: pytest.MonkeyPatch) -> list[object]:
    """Signatures wait in their sessions until so many are under way; returns the sessions used."""
    sign, meet, used = devices._Handle.sign, threading.Barrier(count, timeout=20), []

    def sign_together(handle: devices._Handle, algorithm: Algorithm, message: bytes) -> bytes:
        used.append(handle.session)
        meet.wait()
        return sign(handle, algorithm, message)

    patch.setattr(devices._Handle, "sign", sign_together)
    return used


async def test_signatures_are_made_at_once_each_in_a_session_of_its_own(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = opened(device, "rsa")
    assert key._rested[0].library.at_once
    used = hold_until(SESSIONS, monkeypatch)
    messages = [bytes((number,)) * 40 for number in range(SESSIONS * 2)]
    signatures = await asyncio.gather(*(key.sign(message) for message in messages))
    for message, signature in zip(messages, signatures, strict=True):
        prove(key.chain[0], signature, message)
    assert len(set(used)) == len(key._rested) == SESSIONS
    key.close()


async def test_a_library_that_cannot_lock_is_called_by_one_thread_at_a_time(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = opened(device, "p256")
    library = key._rested[0].library
    monkeypatch.setattr(library, "at_once", False)
    inside: list[int] = []

    class Watched:
        def sign(self, message: bytes, *, mechanism: object) -> bytes:
            inside.append(1)
            assert len(inside) == 1
            signature = real.sign(message, mechanism=mechanism)
            inside.pop()
            return bytes(signature)

    real = key._rested[0].key
    monkeypatch.setattr(key._device, "_find_in", lambda _session: Watched())
    signatures = await asyncio.gather(*(key.sign(b"pesan") for _ in range(30)))
    for signature in signatures:
        prove(key.chain[0], signature, b"pesan")
    key.close()


def counting(key: Pkcs11Key, patch: pytest.MonkeyPatch) -> list[devices._Handle]:
    """The sessions that the key opens from now on."""
    connect, opened_since = key._device.connect, []

    def connect_counted() -> devices._Handle:
        opened_since.append(connect())
        return opened_since[-1]

    patch.setattr(key._device, "connect", connect_counted)
    return opened_since


async def test_a_lost_session_is_opened_anew_and_costs_no_seal(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = opened(device, "p256")
    key._rested[0].session.close()  # what a device does when it restarts
    since = counting(key, monkeypatch)
    for _ in range(3):
        prove(key.chain[0], await key.sign(b"pesan"), b"pesan")
    assert len(since) == 1
    key.close()


async def test_a_device_that_forgot_everything_is_signed_in_on_again(device: Path) -> None:
    key = opened(device, "p256")
    for door in devices._doors.values():
        door.close()  # signs out all sessions of this process, as a restart does
    for _ in range(3):
        prove(key.chain[0], await key.sign(b"pesan"), b"pesan")
    key.close()


async def test_a_key_that_nobody_holds_any_more_closes_its_sessions(device: Path) -> None:
    key, other = opened(device, "p256"), opened(device, "rsa")
    await asyncio.gather(*(key.sign(b"pesan") for _ in range(20)))
    left = list(key._rested)
    del key
    gc.collect()
    for handle in left:
        with pytest.raises(pkcs11.SessionHandleInvalid):
            handle.session.generate_random(64)
    prove(other.chain[0], await other.sign(b"pesan"), b"pesan")
    other.close()


async def test_a_device_that_fails_again_at_once_is_unavailable(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = opened(device, "p256")
    key._rested[0].session.close()
    since = counting(key, monkeypatch)

    def fail(_handle: devices._Handle, _algorithm: Algorithm, _message: bytes) -> bytes:
        raise pkcs11.DeviceError

    with monkeypatch.context() as patch:
        patch.setattr(devices._Handle, "sign", fail)
        with pytest.raises(SignerUnavailable):
            await key.sign(b"pesan")
    assert len(since) == 1
    assert key._rested == []
    prove(key.chain[0], await key.sign(b"pesan"), b"pesan")
    key.close()


def test_a_device_or_key_that_is_not_there_is_unavailable(device: Path, tmp_path: Path) -> None:
    with pytest.raises(SignerUnavailable):
        opened(device, "rsa", token="lain")
    (device / "tidak-ada-chain.pem").write_bytes(chain_for(KINDS["rsa"]))
    with pytest.raises(SignerUnavailable):
        opened(device, "tidak-ada")
    with pytest.raises(SignerUnavailable):
        Pkcs11Key.open(
            tmp_path / "no.so", token="x", label="y", pin="z", chain=device / "rsa-chain.pem"
        )


def test_a_certificate_of_another_key_is_refused(device: Path) -> None:
    (device / "rsa-chain.pem").rename(device / "kept.pem")
    (device / "rsa-chain.pem").write_bytes(chain_for(rsa.generate_private_key(65537, 2048)))
    try:
        with pytest.raises(KeyNotUsable):
            opened(device, "rsa")
    finally:
        (device / "kept.pem").rename(device / "rsa-chain.pem")


def test_the_demo_certificates_are_what_they_seem(device: Path) -> None:
    first = x509.load_pem_x509_certificates((device / "p384-chain.pem").read_bytes())[0]
    assert "CONTOH" in first.subject.rfc4514_string()


_WRONG_PIN = """
import sys
from pathlib import Path
from meterai.signing.errors import SignerUnavailable
from meterai.signing.device import Device
module, folder = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(20):
    try:
        Device(module, "meterai", "rsa", "000000").connect()
    except SignerUnavailable as error:
        print(type(error.__cause__).__name__)
"""


def test_a_refused_pin_is_tried_once_only(device: Path) -> None:
    # in a process of its own: here other sessions are signed in already
    done = subprocess.run(
        [sys.executable, "-c", _WRONG_PIN, str(MODULE), str(device)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "SOFTHSM2_CONF": str(device / "softhsm2.conf")},
    )  # fmt: skip
    assert done.stdout.split() == ["PinIncorrect"] + ["NoneType"] * 19
    assert done.stderr == ""  # and the process ended without a word
