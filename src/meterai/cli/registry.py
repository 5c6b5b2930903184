"""``meterai registry``: what is needed to check files without any server, fetched once and looked at."""

import os
from pathlib import Path

from meterai.cli.speech import record, say
from meterai.client.calls import Client
from meterai.clock import moment_said, now
from meterai.errors import Conflict, Text
from meterai.settings import Settings
from meterai.signing.bundle import keep_folder, trust_in
from meterai.signing.errors import StatementNotGenuine
from meterai.signing.statement import public_keys_of, verify
from meterai.signing.trust import Trust
from meterai.verification.snapshot import Snapshot
from meterai.wiring import trust_of


class AnotherIssuer(Conflict):
    """The server is not the one whose seals are trusted here."""

    code = "another_issuer"
    says = Text(
        "Server {url} bukan penerbit yang sudah dipercaya di komputer ini.",
        "The server {url} is not the issuer that this computer trusts.",
    )
    next_step = Text(
        "Periksa alamatnya. Untuk penerbit lain pakai --data-dir yang lain.",
        "Check its address. For another issuer use another --data-dir.",
    )


def snapshot_file(settings: Settings) -> Path:
    """Where the copy of the registry is kept."""
    return settings.data_dir / "registry" / "snapshot"


def read_snapshot(settings: Settings, trust: Trust) -> Snapshot | None:
    """The copy that was fetched, its signature checked. Raises ``SnapshotNotUsable``."""
    try:
        content = snapshot_file(settings).read_bytes()
    except FileNotFoundError:
        return None
    return Snapshot.read(content, public_keys_of(trust.statements))


def fetch(client: Client, settings: Settings) -> Snapshot:
    """Trust bundle and copy of the registry are here, both signed by the one issuer of this computer.

    The first fetch decides who that is; from then on a bundle must be signed by a key known before.
    Raises :class:`AnotherIssuer`, ``StatementNotGenuine``, ``SnapshotNotUsable``.
    """
    bundle = client.trust_bundle()
    folder = settings.keys / "trust"
    if folder.is_dir():
        keys = public_keys_of(trust_of(settings).statements)
        try:
            verify(bundle, keys)
        except StatementNotGenuine as error:
            raise AnotherIssuer(url=client.url) from error
    trust, files = trust_in(bundle)
    snapshot = client.registry_snapshot()
    found = Snapshot.read(snapshot, public_keys_of(trust.statements))
    if not (settings.keys / "statement.key").exists():  # the issuer's own folder is its own affair
        keep_folder(folder, files)
    file = snapshot_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f".snapshot.{os.getpid()}")
    fresh.write_bytes(snapshot)
    fresh.replace(file)
    return found


def show(found: Snapshot, *, as_json: bool) -> None:
    """How old the copy is and how much is in it."""
    facts = found.statement.facts
    age = now() - found.taken_at
    if as_json:
        record(
            {
                "issuer": found.statement.issuer,
                "taken_at": found.taken_at,
                "age_seconds": round(age.total_seconds()),
                "affixed": facts["affixed"],
                "void": facts["void"],
            }
        )
        return
    say(age_said(found))
    say(f"  penerbit {found.statement.issuer}; terbubuh {facts['affixed']}, batal {facts['void']}")


def age_said(found: Snapshot) -> str:
    """The age of the copy, in words."""
    hours = (now() - found.taken_at).total_seconds() / 3600
    old = f"{hours / 24:.0f} hari" if hours >= 48 else f"{max(hours, 0):.1f} jam"
    return f"Salinan daftar nomor seri tertanggal {moment_said(found.taken_at)} (umur {old})."
