"""How much a request may bring: more is refused while it arrives, before memory or disk is spent on it.

Starlette can limit bodies too, but answers in bare English; here the routes' own handlers say it in ours.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILE_REQUEST_MAX = 33 * 1024 * 1024
"""The largest file that any address takes (32 MiB, to be checked) and the form around it."""

ORDINARY_REQUEST_MAX = 1024 * 1024 + 4096
"""One piece of a resumable upload, or any form without a file."""

CHECK_FILES = (
    "/cek",
    "/cek/satu",
    "/cek/utuh",
    "/cek/banyak",
    "/cek/halaman",
    "/cek/berita-acara",
    "/v1/verifications",
)
"""Where files come that anybody may have checked."""

TAKE_FILES = (*CHECK_FILES, "/unggah", "/v1/stampings")


class BodyLimit:
    """ASGI middleware: whoever reads a body that is too large meets a 413 instead."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and counts what arrives, whatever its length was said to be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = FILE_REQUEST_MAX if scope["path"] in TAKE_FILES else ORDINARY_REQUEST_MAX
        said = dict(scope["headers"]).get(b"content-length", b"0")
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            if said.isdigit() and int(said) > most:
                raise HTTPException(413)
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
