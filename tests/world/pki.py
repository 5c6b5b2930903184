"""One demo PKI for the whole run, and a sealer with a time-stamp authority inside the process."""

import itertools
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meterai.clock import now
from meterai.proving.pki import SEAL, Kind, issue, make_pki, read_issued
from meterai.proving.simulators.time_stamps import Stamper
from meterai.signing.keys import FileKey, SealKey
from meterai.signing.seal import Sealer
from meterai.signing.time_stamps import Authority, TimeStamps

_kept = tempfile.TemporaryDirectory(prefix="meterai-pki-")
_numbers = itertools.count(1)


@cache
def keys_folder() -> Path:
    folder = Path(_kept.name) / "keys"
    make_pki(folder)
    return folder


def trust_folder() -> Path:
    return keys_folder() / "trust"


@cache
def seal_key() -> FileKey:
    return FileKey.load(keys_folder() / "seal.key", keys_folder() / "seal-chain.pem")


@cache
def stamper() -> Stamper:
    return Stamper.load(keys_folder())


def answering(
    change: Callable[[bytes], httpx.Response] | None = None,
) -> httpx.MockTransport:
    """The authority without a network; ``change`` answers in its place."""

    def respond(request: httpx.Request) -> httpx.Response:
        if change is not None:
            return change(request.content)
        return httpx.Response(200, content=stamper().answer(request.content, now(), next(_numbers)))

    return httpx.MockTransport(respond)


def renewed(folder: Path, kind: Kind = SEAL) -> tuple[bytes, bytes]:
    """A new sealing key and its chain, both PEM, by the authorities in ``folder``."""
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    new = issue(kind, issuing)
    key = new.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    above = (folder / "issuing.pem").read_bytes() + (folder / "root.pem").read_bytes()
    return key, new.certificate.public_bytes(Encoding.PEM) + above


def time_stamps() -> TimeStamps:
    """Authorities inside this process."""
    client = httpx.AsyncClient(transport=answering())
    return TimeStamps(client, [Authority("http://tsa.test/")], [stamper().key.chain[0]])


def sealer(key: SealKey | None = None) -> Sealer:
    return Sealer(key or seal_key(), time_stamps())
