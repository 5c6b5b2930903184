"""What a checker needs to work without us: whose seals are recognised, and the registry as a signed file."""

import asyncio
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from meterai.api.access import app_of
from meterai.clock import now
from meterai.serial import store as serials
from meterai.signing.bundle import KIND as BUNDLE
from meterai.signing.bundle import read_folder
from meterai.verification.snapshot import KIND, body_of, facts_of, written
from meterai.wiring import App

router = APIRouter(tags=["registry"])
FRESH = timedelta(minutes=10)
"""So old may a copy be that is handed out again: taking one reads the whole registry."""


class _Kept:
    """The copy that was taken last."""

    def __init__(self) -> None:
        self._taken: tuple[datetime, bytes] | None = None
        self._turn = asyncio.Lock()

    async def fresh(self, app: App) -> bytes:
        """A copy that is fresh enough; one at a time is taken."""
        async with self._turn:
            if self._taken is None or now() - self._taken[0] > FRESH:
                self._taken = await _take(app)
            return self._taken[1]


_kept = _Kept()


@router.get("/registry-snapshot", response_class=Response)
async def read_snapshot(request: Request) -> Response:
    """The registry as a signed file: sorted hashes, void serials included, at most ten minutes old. Public."""
    content = await _kept.fresh(app_of(request))
    return Response(content, media_type="application/octet-stream")


async def _take(app: App) -> tuple[datetime, bytes]:
    async with app.database.reading() as connection:
        affixed, void, at = await serials.hashed(connection)
    facts = await asyncio.to_thread(facts_of, affixed, void, at)
    return at, written(app.statements.sign(KIND, facts, at), body_of(affixed, void))


@router.get("/trust-bundle", response_class=Response)
async def read_bundle(request: Request) -> Response:
    """Certificates and revocation lists by which seals are recognised, as a signed statement (JWS). Public."""
    app = app_of(request)
    files = await asyncio.to_thread(read_folder, app.settings.keys / "trust")
    return Response(app.statements.sign(BUNDLE, {"files": files}), media_type="application/jose")
