"""The running installation of a data folder: found, waited for, joined, started for a while.

One installation runs in one data folder (a locked file sees to that). A command that needs one joins it,
or starts one that stops itself when the last command that joined has gone: each holds a locked file, which
the kernel lets go of however the command ends.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from meterai.client.calls import Client
from meterai.client.errors import ServerUnreachable
from meterai.errors import Busy, Text
from meterai.settings import Settings

START_PATIENCE_S = 90


class AlreadyRunning(Busy):
    """Another process serves this data folder."""

    code = "already_running"
    says = Text(
        "Folder data ini sedang dilayani proses lain di {url}.",
        "This data folder is being served by another process at {url}.",
    )
    next_step = Text(
        "Pakai alamat itu, atau hentikan dahulu.", "Use that address, or stop it first."
    )


class DidNotStart(Busy):
    """The local installation did not come up."""

    code = "did_not_start"
    says = Text("Instalasi lokal tidak mau berjalan.", "The local installation did not start.")
    next_step = Text(
        "Lihat {log}, atau jalankan `meterai doctor`.", "See {log}, or run `meterai doctor`."
    )


class Running(msgspec.Struct):
    """What a running installation writes down about itself."""

    pid: int
    url: str
    demo: bool


def _private(settings: Settings, name: str) -> Path:
    """A folder in the data folder; both are entered by their owner alone."""
    for folder in (settings.data_dir, settings.data_dir / name):
        # One by one: the mode of mkdir(parents=True) would not reach the parents.
        if folder == settings.data_dir:
            folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True, mode=0o700)
    return settings.data_dir / name


def _file(settings: Settings) -> Path:
    return settings.data_dir / "run" / "instance.json"


@contextmanager
def exclusively(settings: Settings) -> Iterator[None]:
    """Only this process serves the data folder. Raises :class:`AlreadyRunning`."""
    lock = _private(settings, "run") / "instance.lock"
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            found = running(settings)
            raise AlreadyRunning(url=found.url if found else "?") from error
        try:
            yield
        finally:
            _file(settings).unlink(missing_ok=True)


def announce(settings: Settings) -> None:
    """Others find this installation from now on."""
    said = Running(os.getpid(), settings.base_url_local, settings.demo)
    fresh = _file(settings).with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(said))
    fresh.rename(_file(settings))


def running(settings: Settings) -> Running | None:
    """The installation that serves this data folder, if one does."""
    try:
        said = msgspec.json.decode(_file(settings).read_bytes(), type=Running)
        os.kill(said.pid, 0)
    except (OSError, msgspec.DecodeError):
        return None
    return said


def _clients(settings: Settings) -> Path:
    return settings.data_dir / "run" / "clients"


def anybody_joined(settings: Settings) -> bool:
    """Whether a living command still needs this installation."""
    for file in _clients(settings).glob("*"):
        with contextlib.suppress(OSError), file.open("r+") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
            file.unlink(missing_ok=True)
    return False


@contextmanager
def joined(settings: Settings) -> Iterator[Running]:
    """A running installation that stays at least as long as this block.

    Starts one, as a demo, if none runs. Raises :class:`DidNotStart`.
    """
    _private(settings, "run")
    _clients(settings).mkdir(exist_ok=True, mode=0o700)
    mine = _clients(settings) / str(os.getpid())
    with mine.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield _find_or_start(settings)
        finally:
            mine.unlink(missing_ok=True)


def _find_or_start(settings: Settings) -> Running:
    log = settings.data_dir / "log" / "run.log"
    started = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    while time.monotonic() - started < START_PATIENCE_S:
        found = running(settings)
        if found is not None and _answers(found.url):
            return found
        if found is None and (process is None or process.poll() is not None):
            # Two commands may both start one: the lock lets one live, and both find it.
            _private(settings, "log")
            with log.open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "meterai", "run", "--until-idle", "--port", "0"],
                    env=settings.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            time.sleep(0.3)
        time.sleep(0.1)
    raise DidNotStart(log=str(log))


def _answers(url: str) -> bool:
    try:
        with Client(url, patience_s=2) as client:
            return client.instance().product == "meterai"
    except ServerUnreachable:
        return False
