"""The intake itself: a parent that holds the socket, and children that each open one file at a time.

Children are forked after everything was imported, locked in, and replaced when they die or have done enough.
One connection carries one job; a child that is killed by its limits closes the connection, which is the answer.
"""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.intake import limits
from meterai.intake.wire import (
    BODY_MAX,
    LENGTHS,
    Answer,
    AnyAsk,
    AskExamine,
    AskInspect,
    AskPicture,
    AskRead,
    AskRepair,
    AskSuggest,
    pack,
)
from meterai.pdf.inspection import Limits, inspect, repair
from meterai.pdf.picture import picture
from meterai.pdf.suggestion import suggest
from meterai.signing.errors import StatementNotGenuine
from meterai.signing.paper import read
from meterai.signing.statement import Statement
from meterai.signing.trust import Trust
from meterai.signing.validation import examine, examine_twice

JOBS_MAX = 500
"""After so many files a child is replaced, so that nothing a file left behind lives long."""

_log = structlog.get_logger(__name__)


class Server:
    """The intake's parent process."""

    def __init__(self, path: Path, trust: Callable[[], Trust], *, children: int) -> None:
        self._path = path
        self._trust = trust
        self._wanted = children
        self._children: set[int] = set()
        self._stopping = False

    def serve(self) -> None:
        """Answers until told to stop (SIGTERM or SIGINT)."""
        listener = self._listen()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            while len(self._children) < self._wanted:
                self._fork(listener)
            with contextlib.suppress(ChildProcessError):
                pid, status = os.wait()
                self._children.discard(pid)
                if status and not self._stopping:
                    _log.warning("intake_child_died", status=status)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._path.unlink(missing_ok=True)

    def _listen(self) -> socket.socket:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.fspath(self._path))
        self._path.chmod(0o600)
        listener.listen(256)
        return listener

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _fork(self, listener: socket.socket) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._children.add(pid)
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            limits.die_with_parent(parent)
            trust = self._trust()
            locked = limits.lock_in()
            if not (locked.network_gone or locked.ways_out_forbidden):
                _log.warning("intake_child_not_locked_in")
            for _ in range(JOBS_MAX):
                _answer(listener, trust)
            code = 0
        except BaseException:  # noqa: BLE001 - this child must end here, never run on as a second parent
            _log.exception("intake_child_failed")
        finally:
            sys.stderr.flush()
            os._exit(code)


def _answer(listener: socket.socket, trust: Trust) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as stream:
        head = stream.read(LENGTHS.size)
        if len(head) < LENGTHS.size:
            return
        head_length, body_length = LENGTHS.unpack(head)
        if body_length > BODY_MAX:
            return
        ask = msgspec.json.decode(stream.read(head_length), type=AnyAsk)
        document = stream.read(body_length)
        if len(document) < body_length:
            return
        limits.start_job()
        try:
            answer, result = Answer(), _do(ask, document, trust)
        except MeteraiError as error:
            answer, result = Answer(error.code, error.facts), b""
        limits.end_job()
        stream.write(pack(msgspec.json.encode(answer), result))


def _do(ask: AnyAsk, document: bytes, trust: Trust) -> bytes:
    match ask:
        case AskInspect():
            return msgspec.json.encode(inspect(document, Limits(size_bytes=ask.bytes_max)))
        case AskRepair():
            return repair(document, Limits(size_bytes=ask.bytes_max))
        case AskPicture():
            return picture(document, ask.page, ask.width_px)
        case AskSuggest():
            return msgspec.json.encode(suggest(document, ask.page))
        case AskExamine():
            judge = examine_twice if ask.twice else examine
            return msgspec.json.encode(judge(document, trust, now()))
        case AskRead():
            return msgspec.json.encode(_stated(document, trust))


def _stated(document: bytes, trust: Trust) -> Statement | None:
    try:
        return read(document, trust)
    except StatementNotGenuine:
        return None
