"""Is the process alive, can it do its work, and what has it counted."""

import shutil

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from meterai import __version__
from meterai.api.gauges import measure
from meterai.db.errors import DatabaseUnavailable
from meterai.db.migration import migrations

DISK_RESERVE = 16 * 1024 * 1024
"""With less room (bytes) one more segment of the database's log does not fit: send people elsewhere."""


async def livez(_request: Request) -> Response:
    """200 while the process can answer at all."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """200 when books, intake and room on the disk are there; 503 with what is missing otherwise."""
    app = request.app.state.app
    missing = []
    try:
        async with app.database.reading() as connection:
            newest = await connection.fetchval("select max(number) from migration")
        if newest != migrations()[-1].number:
            missing.append("migrations")
    except DatabaseUnavailable:
        missing.append("database")
    if not app.settings.intake_socket.exists():
        missing.append("intake")
    if shutil.disk_usage(app.settings.data_dir).free < DISK_RESERVE:
        missing.append("disk")
    status = 503 if missing else 200
    return JSONResponse({"ready": not missing, "missing": missing, "version": __version__}, status)


async def metrics(request: Request) -> Response:
    """Prometheus text: counters of this process and gauges of the whole."""
    await measure(request.app.state.app.database)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def instance(request: Request) -> Response:
    """What this installation is: for the command line, which asks before it works."""
    app = request.app.state.app
    return JSONResponse({"product": "meterai", "version": __version__, "demo": app.settings.demo})


async def public_keys(request: Request) -> Response:
    """The keys by which our signed statements are checked, as JWKS (RFC 7517)."""
    return JSONResponse(
        request.app.state.app.statements.public_keys(),
        headers={"cache-control": "public, max-age=300"},
    )


routes = [
    Route("/livez", livez),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
    Route("/instance.json", instance),
    Route("/.well-known/meterai-keys.json", public_keys),
]
