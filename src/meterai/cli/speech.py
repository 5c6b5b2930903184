"""How the command line speaks: data to standard output, everything else to standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec
import typer

from meterai.errors import MeteraiError

ALL_GOOD, NOT_POSSIBLE, USAGE, SOME_FAILED = 0, 1, 2, 3


def data(line: str) -> None:
    """A line of data."""
    print(line, flush=True)


def record(fields: dict[str, Any]) -> None:
    """One JSON object on one line."""
    data(msgspec.json.encode(fields).decode())


def say(text: str) -> None:
    """A line for the person."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A counter that rewrites its own line on a terminal and says nothing elsewhere."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._failed = 0
        self._shown = sys.stderr.isatty() and not quiet and total > 1

    def step(self, *, failed: bool) -> None:
        """One more is done."""
        self._done += 1
        self._failed += failed
        if self._shown:
            back = f"  gagal {self._failed} (kuota kembali)" if self._failed else ""
            sys.stderr.write(f"\r{self._done}/{self._total}{back}\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        """The line stays as it is."""
        if self._shown:
            sys.stderr.write("\n")


def give_up(error: MeteraiError, code: int = NOT_POSSIBLE) -> NoReturn:
    """The failure and its next step are said; the command ends."""
    say(f"meterai: {error.sentence('id')} {error.advice('id')}")
    say(
        f"         {error.sentence('en')} {error.advice('en')}  [{getattr(error, 'server_code', error.code)}]"
    )
    raise typer.Exit(code)


@contextmanager
def speaking_of_failures() -> Iterator[None]:
    """A known failure ends the command with its sentence instead of a trace."""
    try:
        yield
    except MeteraiError as error:
        give_up(error)
