"""Style sheets, scripts and pictures: a name with a digest of the content, kept by browsers for a year."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from meterai.errors import NotFound

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


@cache
def _content(name: str) -> bytes | None:
    if "/" in name or name.startswith("."):
        return None
    file = files("meterai.web").joinpath("static", name)
    return file.read_bytes() if file.is_file() else None


@cache
def asset_path(name: str) -> str:
    """``app.css`` becomes ``/aset/3f2a9c1b/app.css``."""
    content = _content(name)
    assert content is not None, name
    return f"/aset/{hashlib.sha256(content).hexdigest()[:8]}/{name}"


async def asset(request: Request) -> Response:
    """The file, whatever digest the address carries: an old page still gets the newest."""
    name = request.path_params["name"]
    content = _content(name)
    kind = _TYPES.get(name.rsplit(".", 1)[-1])
    if content is None or kind is None:
        raise NotFound
    return Response(
        content, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"}
    )
