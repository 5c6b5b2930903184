"""``meterai proof verify``: a signed statement checked offline, by published keys."""

from pathlib import Path

from meterai.cli.speech import data, record, say
from meterai.client.calls import Client
from meterai.errors import NotFound, Text
from meterai.settings import Settings
from meterai.signing.paper import read


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


def keys_from(where: str | None, settings: Settings) -> bytes:
    """JWKS from a file, an address, or this machine's own installation. Raises :class:`NoKeys`."""
    if where is not None and where.startswith(("http://", "https://")):
        base = where.removesuffix("/.well-known/meterai-keys.json")
        with Client(base) as client:
            return client.public_keys()
    file = Path(where) if where else settings.keys / "public-keys.json"
    if not file.is_file():
        raise NoKeys(place=str(file))
    return file.read_bytes()


def verify(file: Path, keys: bytes, *, as_json: bool) -> None:
    """The statement's facts, after its signature was checked; raises the reason if it is not good."""
    statement = read(file.read_bytes(), keys)
    if as_json:
        record(
            {
                "file": str(file),
                "valid": True,
                "kind": statement.kind,
                "key": statement.key_id,
                "facts": statement.facts,
            }
        )
        return
    say(f"Sah: {statement.kind}, ditandatangani kunci {statement.key_id}")
    for name, value in statement.facts.items():
        said = " ".join(str(v) for v in value) if isinstance(value, list) else value
        data(f"{name:<18} {said}")
