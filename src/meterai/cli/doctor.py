"""``meterai doctor``: what this machine has and lacks; each failure comes with its cure."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meterai.cli.instance import running
from meterai.clock import now
from meterai.db.cluster import find_programs, socket_folder
from meterai.errors import MeteraiError
from meterai.settings import Settings

DISK_MIN = 1024**3
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    good: bool
    found: str
    cure: str = ""


def examine_machine(settings: Settings) -> list[Check]:
    """Clock, folders, disk, PostgreSQL, root, keys, port: one check each."""
    looks: list[Callable[[Settings], Check]] = [
        _clock,
        _data_folder,
        _disk,
        _postgres,
        _namespaces,
        _socket_path,
        _keys,
        _key_files_private,
        _port,
    ]
    return [look(settings) for look in looks]


def _clock(_: Settings) -> Check:
    moment = now()
    return Check(
        "clock",
        moment > EARLIEST,
        moment.isoformat(timespec="seconds"),
        "Set the clock (for example: systemctl enable --now systemd-timesyncd).",
    )


def _data_folder(settings: Settings) -> Check:
    folder = settings.data_dir
    if not folder.exists():
        return Check("data folder", True, f"{folder} (will be made)")
    private = folder.stat().st_mode & 0o077 == 0
    writable = os.access(folder, os.W_OK)
    return Check(
        "data folder",
        private and writable,
        f"{folder} mode {folder.stat().st_mode & 0o777:o}",
        f"chmod 700 {folder}, owned by whoever runs meterai.",
    )


def _disk(settings: Settings) -> Check:
    folder = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    return Check(
        "disk",
        free > DISK_MIN,
        f"{free / 1e9:.1f} GB free",
        "Free at least 1 GB, or move --data-dir.",
    )


def _postgres(settings: Settings) -> Check:
    if settings.database_url:
        return Check("PostgreSQL", True, "external, by METERAI_DATABASE_URL")
    try:
        programs = find_programs(settings.postgres_bin)
    except MeteraiError as error:
        return Check("PostgreSQL", False, "no programs found", error.advice("en"))
    made = settings.postgres_dir / "data" / "PG_VERSION"
    if made.is_file() and made.read_text().strip() != str(programs.major):
        return Check(
            "PostgreSQL",
            False,
            f"programs {programs.major}, data {made.read_text().strip()}",
            "Dump with the old version's pg_dumpall and restore into a new data folder.",
        )
    return Check("PostgreSQL", True, f"version {programs.major} in {programs.folder}")


def _namespaces(_: Settings) -> Check:
    if os.geteuid() != 0:
        return Check("user", True, "not root")
    works = (
        subprocess.run(
            ["unshare", "--user", "--map-user=65534", "true"], capture_output=True, check=False
        ).returncode
        == 0
    )
    return Check(
        "user",
        works or shutil.which("setpriv") is not None,
        "root; PostgreSQL runs in a user namespace" if works else "root, no user namespaces",
        "Run meterai as an ordinary user.",
    )


def _socket_path(settings: Settings) -> Check:
    folder = socket_folder(settings.postgres_dir)
    return Check("socket folder", True, str(folder))


def _keys(settings: Settings) -> Check:
    wanted = ["secret", "seal-chain.pem"]
    missing = [name for name in wanted if not (settings.keys / name).exists()]
    if missing and running(settings) is None and not settings.data_dir.exists():
        return Check("keys", True, "will be made at the first start (specimen)")
    return Check(
        "keys",
        not missing,
        "all there" if not missing else f"missing: {', '.join(missing)}",
        f"Start once with `meterai run`, or put the operator's keys into {settings.keys}.",
    )


def _key_files_private(settings: Settings) -> Check:
    loose = [
        str(file)
        for file in (settings.keys.glob("*") if settings.keys.is_dir() else [])
        if file.is_file() and _secret(file) and file.stat().st_mode & 0o077
    ]
    return Check(
        "key files", not loose, "private" if not loose else ", ".join(loose), "chmod 600 them."
    )


def _secret(file: Path) -> bool:
    return file.name == "secret" or file.suffix == ".key"


def _port(settings: Settings) -> Check:
    found = running(settings)
    if found is not None:
        return Check("port", True, f"serving at {found.url}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Check(
                "port", False, f"{settings.port}: {error.strerror}", "Use another with --port."
            )
    return Check("port", True, f"{settings.port} is free")
