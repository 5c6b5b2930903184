"""``meterai proof verify``: a signed statement checked offline, by published keys."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec

from meterai.cli.speech import data, record, say
from meterai.client.calls import Client
from meterai.errors import NotFound, Text
from meterai.settings import Settings
from meterai.signing.errors import StatementNotGenuine
from meterai.signing.paper import read
from meterai.signing.trust import Trust
from meterai.wiring import trust_of


class NoKeys(NotFound):
    """There are no public keys to check by."""

    code = "no_public_keys"
    says = Text(
        "Kunci publik penerbit tidak ditemukan di {place}.",
        "The issuer's public keys were not found at {place}.",
    )
    next_step = Text(
        "Beri --keys dengan berkas atau alamat meterai-keys.json penerbit.",
        "Give --keys with the file or address of the issuer's meterai-keys.json.",
    )


def trust_from(where: str | None, settings: Settings) -> Trust:
    """Whose statements are believed: a key set in a file, at an address, or this machine's own.

    Raises :class:`NoKeys`.
    """
    if where is None:
        if not (settings.keys / "trust").is_dir():
            raise NoKeys(place=str(settings.keys / "trust"))
        return trust_of(settings)
    if where.startswith(("http://", "https://")):
        with Client(where.removesuffix("/.well-known/meterai-keys.json")) as client:
            return _trust_in(client.public_keys(), where)
    if not Path(where).is_file():
        raise NoKeys(place=where)
    return _trust_in(Path(where).read_bytes(), where)


def _trust_in(keys: bytes, where: str) -> Trust:
    """The certificates of a published key set (RFC 7517 §4.7, ``x5c``)."""
    try:
        found: dict[str, Any] = msgspec.json.decode(keys, type=dict[str, Any])
        certificates = tuple(base64.b64decode(key["x5c"][0]) for key in found["keys"])
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise NoKeys(place=where) from error
    return Trust(roots=(), issuers=(), seals=(), time_stamps=(), statements=certificates)


def verify(file: Path, trust: Trust, table: Path | None = None, *, as_json: bool) -> None:
    """The statement's facts, after its signature was checked; raises the reason if it is not good."""
    statement = read(file.read_bytes(), trust)
    if table is not None and (
        hashlib.sha256(table.read_bytes()).hexdigest() != statement.facts.get("table_sha256")
    ):
        raise StatementNotGenuine(why="another table")
    if as_json:
        record(
            {
                "file": str(file),
                "valid": True,
                "kind": statement.kind,
                "issuer": statement.issuer,
                "issued_at": statement.issued_at,
                "key": statement.key_id,
                "facts": statement.facts,
            }
        )
        return
    say(f"Sah: {statement.kind} dari {statement.issuer}, kunci {statement.key_id}")
    for name, value in statement.facts.items():
        said = " ".join(str(v) for v in value) if isinstance(value, list) else value
        data(f"{name:<18} {said}")
