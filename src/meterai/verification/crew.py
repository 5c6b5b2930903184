"""Many files on all cores: a crew of processes that open strangers' files under limits, and are replaced.

A member that dies of its limits costs the one file that it held; its other files go to its successor.
"""

import contextlib
import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path

import msgspec

from meterai.intake import limits
from meterai.intake.errors import TooHeavy
from meterai.signing.report import SignatureReport
from meterai.signing.trust import Trust
from meterai.signing.validation import examine

FILE_MAX = 64 * 1024**2
BATCH = 24
"""Files handed to a member at once: enough to keep it busy while the others are served."""
UNREADABLE_FILE = "file_error"


class Examined(msgspec.Struct, frozen=True):
    """What became of one file, by its place in the list."""

    place: int
    sha256: bytes | None
    """None: it could not even be read."""
    report: SignatureReport | None = None
    failed: str | None = None
    """Why there is no report: it was too heavy, or could not be read. Neither: it was known before."""


@dataclass(slots=True)
class _Member:
    """One process of the crew."""

    process: multiprocessing.process.BaseProcess
    talk: Connection
    holds: deque[int] = field(default_factory=deque)
    """Places of the files that it was given and has not answered."""


class Crew:
    """Processes that examine files by this trust, as known at ``at``."""

    def __init__(
        self, trust: Trust, at: datetime, *, jobs: int, known: Collection[bytes] = ()
    ) -> None:
        self._trust = trust
        self._at = at
        self._jobs = max(1, jobs)
        self._known = frozenset(known)
        """Digests of files that need no examining any more."""

    def examine(self, files: Sequence[Path]) -> Iterator[Examined]:
        """What became of each file, as each is done."""
        waiting = deque(range(len(files)))
        members = [self._hire(files) for _ in range(min(self._jobs, len(files)) or 1)]
        try:
            for member in members:
                _hand_out(member, waiting)
            while any(member.holds for member in members):
                ready = wait([member.talk for member in members if member.holds])
                for member in [m for m in members if m.talk in ready]:
                    try:
                        examined = msgspec.msgpack.decode(member.talk.recv_bytes(), type=Examined)
                    except (EOFError, ConnectionResetError):
                        lost = member.holds.popleft()
                        waiting.extendleft(reversed(member.holds))
                        members[members.index(member)] = fresh = self._hire(files)
                        member.process.join()
                        member.talk.close()
                        _hand_out(fresh, waiting)
                        yield Examined(lost, _digest(files[lost]), failed=TooHeavy.code)
                        continue
                    member.holds.popleft()
                    if len(member.holds) < BATCH // 2:
                        _hand_out(member, waiting)
                    yield examined
        finally:
            for member in members:
                member.talk.close()
                member.process.kill()
                member.process.join()

    def _hire(self, files: Sequence[Path]) -> _Member:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=self._work, args=(theirs, ours, files, os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        return _Member(process, ours)

    def _work(self, talk: Connection, other: Connection, files: Sequence[Path], boss: int) -> None:
        other.close()
        limits.die_with_parent(boss)
        limits.lock_in()
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            while True:
                for place in msgspec.msgpack.decode(talk.recv_bytes(), type=list[int]):
                    talk.send_bytes(msgspec.msgpack.encode(self._one(place, files[place])))

    def _one(self, place: int, file: Path) -> Examined:
        limits.start_job()
        try:
            if file.stat().st_size > FILE_MAX:
                return Examined(place, None, failed=TooHeavy.code)
            data = file.read_bytes()
        except OSError:
            return Examined(place, None, failed=UNREADABLE_FILE)
        finally:
            limits.end_job()
        if self._known:
            digest = hashlib.sha256(data).digest()
            if digest in self._known:
                return Examined(place, digest)
        limits.start_job()
        report = examine(data, self._trust, self._at)
        limits.end_job()
        return Examined(place, report.file_sha256, report)


def _hand_out(member: _Member, waiting: deque[int]) -> None:
    batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
    if batch:
        member.holds.extend(batch)
        member.talk.send_bytes(msgspec.msgpack.encode(batch))


def _digest(file: Path) -> bytes | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return None
