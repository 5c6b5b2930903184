"""*Auditor*: the invariants checked now, payments beside units, and a package to check elsewhere. Read-only."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from meterai.audit.model import Invariant
from meterai.audit.package import write_package
from meterai.audit.queries import MATCH
from meterai.audit.reconciler import audit
from meterai.clock import WIB, now
from meterai.people.model import Role
from meterai.web.pages import page
from meterai.web.session import app_of, with_role

PIECE = 256 * 1024


async def auditor(request: Request) -> Response:
    """The seven invariants, checked now over everything, and payments beside units."""
    await with_role(request, Role.AUDITOR, Role.OFFICER)
    app = app_of(request)
    report = await audit(app.database, read_statement=app.read_statement)
    async with app.database.reading() as connection:
        match = await connection.fetch(MATCH)
    return await page(
        request, "auditor.html", report=report, invariants=list(Invariant), match=match
    )


async def package(request: Request) -> Response:
    """The package of this moment; nothing of it stays here."""
    await with_role(request, Role.AUDITOR)
    app = app_of(request)
    moment = now()
    with tempfile.TemporaryDirectory(prefix="meterai-package-") as folder:
        file = Path(folder) / "paket.zip"
        await write_package(app.database, app.statements, file, moment)
        content = file.open("rb")  # still readable when its name is gone
    name = f"paket-audit-{moment.astimezone(WIB):%Y%m%d-%H%M%S}.zip"
    return StreamingResponse(
        _pieces(content),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _pieces(content: BinaryIO) -> AsyncIterator[bytes]:
    with content:
        while piece := await asyncio.to_thread(content.read, PIECE):
            yield piece


routes = [Route("/auditor", auditor), Route("/auditor/paket.zip", package)]
