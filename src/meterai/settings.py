"""What differs from machine to machine; the only file that reads the environment.

What differs by channel and date (prices, limits, deadlines) is no setting but a dated row of
:mod:`meterai.channel`. All variables begin with ``METERAI_``; docs/settings.md lists them and is tested.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from meterai.db.cluster import Cluster, find_programs, socket_folder
from meterai.errors import Invalid, Text


class SettingNotUnderstood(Invalid):
    """A setting has a value that makes no sense."""

    code = "setting_not_understood"
    says = Text(
        "Setelan {name} tidak bisa dibaca: {value}", "The setting {name} makes no sense: {value}"
    )
    next_step = Text("Lihat docs/settings.md.", "See docs/settings.md.")


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation on one machine."""

    data_dir: Path
    """Everything that is kept: books, files, keys. Nobody else may read it."""
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    """How the outside reaches us; it stands in QR codes."""
    demo: bool = False
    """Demo roles, simulators and a made-up company; binds to loopback only."""
    workers: int = 2
    """Processes that stamp and seal."""
    database_url: str | None = None
    """An external PostgreSQL; left out, the embedded one."""
    postgres_bin: Path | None = None
    """Where ``initdb`` and ``postgres`` are, if not to be found by themselves."""
    objects_url: str | None = None
    """Where files are kept (``s3://bucket/prefix``); left out, a folder in the data folder."""
    keys_dir: Path | None = None
    """Sealing key, certificates, statement key, trust bundle; left out, ``keys`` in the data folder."""
    pkcs11_module: Path | None = None
    """The library of the key device; left out, the sealing key is a file."""
    pkcs11_token: str | None = None
    pkcs11_pin_file: Path | None = None
    pkcs11_key: str | None = None
    time_stamp_urls: tuple[str, ...] = ()
    """RFC 3161 authorities, in order of preference."""
    payment_url: str | None = None
    """Base address of the SNAP BI provider; left out, buying is closed (outside the demo)."""
    payment_client: str | None = None
    channel: str = "langsung"
    """The channel that the pages of this installation sell for."""
    behind_proxy: bool = False
    """A reverse proxy of our own stands in front: whoever asks is the last entry of its X-Forwarded-For."""
    log_level: str = "info"
    incarnation: str = "by-hand"
    """Which birth of which child process this is; the supervisor says so."""
    watcher: int | None = None
    """The process id of the supervisor, with which its children end."""
    crash_at: str | None = None
    """Fault tests only: a worker ends itself at this point of an affixing."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of this machine. Raises :class:`SettingNotUnderstood`."""
        values = os.environ if environ is None else environ  # noqa: TID251 - the one place
        read = _Reader(values)
        home = Path(values.get("XDG_DATA_HOME") or Path(values.get("HOME", "/")) / ".local/share")
        return cls(
            data_dir=(read.path("DATA_DIR") or home / "meterai").absolute(),
            host=read.text("HOST") or "127.0.0.1",
            port=read.number("PORT", 8000),
            public_url=read.text("PUBLIC_URL"),
            demo=read.flag("DEMO"),
            workers=read.number("WORKERS", max(1, os.cpu_count() or 1)),
            database_url=read.text("DATABASE_URL"),
            postgres_bin=read.path("POSTGRES_BIN"),
            objects_url=read.text("OBJECTS_URL"),
            keys_dir=read.path("KEYS_DIR"),
            pkcs11_module=read.path("PKCS11_MODULE"),
            pkcs11_token=read.text("PKCS11_TOKEN"),
            pkcs11_pin_file=read.path("PKCS11_PIN_FILE"),
            pkcs11_key=read.text("PKCS11_KEY"),
            time_stamp_urls=tuple((read.text("TIME_STAMP_URLS") or "").split()),
            payment_url=read.text("PAYMENT_URL"),
            payment_client=read.text("PAYMENT_CLIENT"),
            channel=read.text("CHANNEL") or "langsung",
            behind_proxy=read.flag("BEHIND_PROXY"),
            log_level=read.text("LOG_LEVEL") or "info",
            incarnation=read.text("INCARNATION") or "by-hand",
            watcher=read.number("WATCHER", 0) or None,
            crash_at=read.text("CRASH_AT"),
        )

    def environment(self) -> dict[str, str]:
        """The whole environment for a process we start: ours, with these settings."""
        said = {
            "DATA_DIR": self.data_dir,
            "HOST": self.host,
            "PORT": self.port,
            "PUBLIC_URL": self.public_url,
            "DEMO": "1" if self.demo else None,
            "WORKERS": self.workers,
            "DATABASE_URL": self.database_url,
            "POSTGRES_BIN": self.postgres_bin,
            "OBJECTS_URL": self.objects_url,
            "KEYS_DIR": self.keys_dir,
            "PKCS11_MODULE": self.pkcs11_module,
            "PKCS11_TOKEN": self.pkcs11_token,
            "PKCS11_PIN_FILE": self.pkcs11_pin_file,
            "PKCS11_KEY": self.pkcs11_key,
            "TIME_STAMP_URLS": " ".join(self.time_stamp_urls) or None,
            "PAYMENT_URL": self.payment_url,
            "PAYMENT_CLIENT": self.payment_client,
            "CHANNEL": self.channel,
            "BEHIND_PROXY": "1" if self.behind_proxy else None,
            "LOG_LEVEL": self.log_level,
            "CRASH_AT": self.crash_at,
        }
        given = {f"METERAI_{name}": str(value) for name, value in said.items() if value is not None}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("METERAI_")}  # noqa: TID251
        return kept | given

    def with_(self, **changes: object) -> Self:
        """The same settings but for these."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by replace()

    @property
    def base_url(self) -> str:
        """How this installation is reached, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def base_url_local(self) -> str:
        """How this machine reaches it, whatever the outside says."""
        return f"http://{self.host}:{self.port}"

    @property
    def keys(self) -> Path:
        """The folder of keys and certificates."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def public_dir(self) -> Path:
        """The folder of small files that everybody may read, renewed by the clock."""
        return self.data_dir / "public"

    @property
    def postgres_dir(self) -> Path:
        """The folder of the embedded PostgreSQL."""
        return self.data_dir / "postgres"

    def cluster(self) -> Cluster:
        """The embedded PostgreSQL of this data folder."""
        return Cluster(self.postgres_dir, find_programs(self.postgres_bin))

    @property
    def dsn(self) -> str:
        """Where the database is."""
        return self.database_url or self.cluster().dsn

    @property
    def intake_socket(self) -> Path:
        """Where the intake listens."""
        return socket_folder(self.data_dir / "intake") / "ask"


class _Reader:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        return self._values.get(f"METERAI_{name}") or None

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return None if value is None else Path(value).expanduser()

    def number(self, name: str, otherwise: int) -> int:
        value = self.text(name)
        if value is None:
            return otherwise
        if not value.isdecimal() or int(value) >= 65_536:
            raise SettingNotUnderstood(name=f"METERAI_{name}", value=value)
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in (None, "0", "1"):
            raise SettingNotUnderstood(name=f"METERAI_{name}", value=value)
        return value == "1"
