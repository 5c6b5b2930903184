"""What stands behind the doors when this is a demo or a specimen: handed in from above, by ``__main__``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from meterai.db.connection import Database
from meterai.settings import Settings

if (
    TYPE_CHECKING
):  # what a worker needs is loaded by workers only: every process starts by this file
    from meterai.affixing.affix import Watch
    from meterai.wiring import App


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner of ours that is simulated by a process of its own."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A demo role that is entered with one tap."""

    label: str
    path: str


class Stage(Protocol):
    """The specimen's keys and partners, and the demo's people and data."""

    def make_keys(self, keys: Path) -> None:
        """Sealing key, certificates, statement key and trust bundle exist; harmless when they do."""

    def with_partners(self, settings: Settings) -> tuple[Settings, list[Partner]]:
        """The settings that speak to simulated partners where no real ones are named."""

    async def is_seeded(self, database: Database) -> bool:
        """Whether the demo's people, channels and stock exist."""

    def seed(self, settings: Settings) -> None:
        """They do; harmless when they did."""

    def roles(self, settings: Settings) -> list[Role]:
        """The demo's one-tap roles."""

    def application(self, settings: Settings) -> str:
        """Where the web process finds its application, as ``module:function``."""

    def watch(self, app: "App") -> "Watch":
        """What a worker tells each point of an affixing to."""

    def play(self, partner: str, arguments: list[str]) -> None:
        """This process is the partner until it is told to stop."""

    def commands(self) -> typer.Typer:
        """Benches and drills, as commands."""
