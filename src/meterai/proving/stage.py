"""What stands behind the doors of a demo or a specimen; handed to the command line by ``__main__``.

Every process of an installation starts by this file, so each method loads what it needs itself.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meterai.cli.ports import free_port
from meterai.cli.stage import Partner, Role
from meterai.db.connection import Database
from meterai.settings import Settings

if TYPE_CHECKING:
    from meterai.affixing.affix import Watch
    from meterai.wiring import App


class DemoStage:
    """See :class:`meterai.cli.stage.Stage`."""

    def make_keys(self, keys: Path) -> None:
        """A specimen's keys, where no operator has put any."""
        from meterai.proving.pki import make_pki
        from meterai.signing.messages import make_pair

        make_pki(keys)
        if not (keys / "payment.pub").exists():
            make_pair(keys / "payment.key", keys / "payment.pub")
        if not (keys / "provider.pub").exists():
            make_pair(keys / "provider.key", keys / "provider.pub")

    def with_partners(self, settings: Settings) -> tuple[Settings, list[Partner]]:
        """A time-stamp authority, and in a demo a payment provider, where none is named."""
        partners = []
        if not settings.time_stamp_urls:
            port = free_port()
            settings = settings.with_(time_stamp_urls=(f"http://127.0.0.1:{port}",))
            partners.append(Partner("time-stamps", ("time-stamps", str(port))))
        if settings.demo and settings.payment_url is None:
            port = free_port()
            settings = settings.with_(payment_url=f"http://127.0.0.1:{port}")
            partners.append(Partner("payments", ("payments", str(port), settings.base_url_local)))
        return settings, partners

    async def is_seeded(self, database: Database) -> bool:
        """The demo's channels come last in one transaction with all the rest."""
        async with database.reading() as connection:
            return bool(await connection.fetchval("select exists (select 1 from channel_terms)"))

    def seed(self, settings: Settings) -> None:
        """The demo's people and stock."""
        from meterai.proving.demo import seed
        from meterai.wiring import open_app

        async def seeding() -> None:
            async with open_app(settings, "seed") as app:
                await seed(app)

        asyncio.run(seeding())

    def roles(self, _settings: Settings) -> list[Role]:
        """The one-tap doors."""
        from meterai.proving.roles import ROLES

        return [Role(f"{r.label} / {r.label_en}", f"/demo/masuk/{r.key}") for r in ROLES]

    def application(self, settings: Settings) -> str:
        """In a demo the site has the demo's pages too."""
        return "meterai.proving.site:create" if settings.demo else "meterai.serving:create"

    def watch(self, app: "App") -> "Watch":
        """Faults, where the demo or a test asks for them."""
        from meterai.proving import faults

        return faults.watch(app)

    def play(self, partner: str, arguments: list[str]) -> None:
        """This process is the simulated partner."""
        from meterai.intake.limits import die_with_parent
        from meterai.logs import configure

        settings = Settings.from_env()
        configure(settings.log_level)
        die_with_parent(settings.watcher)
        if partner == "time-stamps":
            from meterai.proving.simulators import time_stamps

            time_stamps.main(settings.keys, int(arguments[0]))
        elif partner == "payments":
            from meterai.proving.simulators import payments

            payments.serve(settings.data_dir / "simulator", int(arguments[0]), arguments[1])
        else:
            raise typer.BadParameter(partner)

    def commands(self) -> typer.Typer:
        """Benches."""
        from meterai.proving.bench import commands

        return commands()
