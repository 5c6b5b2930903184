"""A trust folder that travels (*paket kepercayaan*): its files in one signed statement."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.signing.errors import StatementNotGenuine
from meterai.signing.statement import public_keys_of, read_unverified, verify
from meterai.signing.trust import Trust

KIND = "trust_bundle"
FILES_MAX = 64


def read_folder(folder: Path) -> dict[str, str]:
    """The files of a trust folder, as text. Raises ``TrustNotReadable``."""
    Trust.load(folder)  # what cannot be loaded is not handed on
    files = [*folder.glob("*.pem"), *folder.glob("*.crl")]
    return {file.name: _as_pem(file) for file in sorted(files)}


def _as_pem(file: Path) -> str:
    content = file.read_bytes()
    if not content.startswith(b"-----") and file.suffix == ".crl":
        content = x509.load_der_x509_crl(content).public_bytes(Encoding.PEM)
    return content.decode("ascii")


def trust_in(bundle: bytes) -> tuple[Trust, dict[str, str]]:
    """What a signed bundle holds; it must be signed by a statement key that it names itself.

    Whether that key is the right one is for the caller to know. Raises :class:`StatementNotGenuine` and
    ``TrustNotReadable``.
    """
    with tempfile.TemporaryDirectory(prefix="meterai-trust-") as kept:
        files = _files_in(bundle)
        keep_folder(Path(kept), files)
        trust = Trust.load(Path(kept))
    statement = verify(bundle, public_keys_of(trust.statements))
    if statement.kind != KIND:
        raise StatementNotGenuine(why="another kind of statement")
    return trust, files


_NAME = re.compile(r"[a-z0-9-]{1,40}\.(pem|crl)")


def _files_in(bundle: bytes) -> dict[str, str]:
    """The files as the bundle names them, before anything about it is believed."""
    files = read_unverified(bundle).get("files")
    if not isinstance(files, dict) or len(files) > FILES_MAX:
        raise StatementNotGenuine(why="no bundle")
    return {name: str(text) for name, text in files.items() if _NAME.fullmatch(name)}


def keep_folder(folder: Path, files: Mapping[str, str]) -> None:
    """The folder holds these files and no others of their kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        fresh = folder / f".{name}"
        fresh.write_text(text, encoding="ascii")
        fresh.replace(folder / name)
    for old in [*folder.glob("*.pem"), *folder.glob("*.crl")]:
        if old.name not in files:
            old.unlink()
