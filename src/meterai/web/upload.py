"""Bringing a document: in one form, or piece by piece so that a cut connection goes on where it stopped.

``POST /unggah/mulai`` gives a link; ``PATCH`` adds a piece at ``Upload-Offset``; ``HEAD`` says how much
has come; ``POST …/selesai`` opens the file and gives the next page. The shape follows
draft-ietf-httpbis-resumable-upload.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing import reception
from meterai.affixing.reception import Arrival
from meterai.channel import event as events
from meterai.channel.model import ChannelId
from meterai.errors import Invalid
from meterai.web.forms import own_form
from meterai.web.session import app_of, demand_own_form, visitor_of
from meterai.wiring import App

PIECE_MAX = 1024 * 1024


class Beginning(msgspec.Struct):
    """What a browser says of a file before it sends it."""

    name: str
    size: int
    event: str = ""
    """The code of the event it is for, if any."""


async def _channel(app: App, event: str) -> ChannelId:
    """Under whose terms the document comes in: the event's, where one is named."""
    if not event:
        return app.channel
    async with app.database.reading() as connection:
        return (await events.find(connection, event)).channel


async def by_form(request: Request) -> Response:
    """The whole file in one form: works without script."""
    app = app_of(request)
    form = await own_form(request)
    sent = form.file("berkas")
    visitor = await visitor_of(request)
    received = await reception.receive(
        app.database,
        app.objects,
        app.intake,
        Arrival(await _channel(app, form.text("acara")), sent.name, sent.content, visitor.party),
    )
    return RedirectResponse(f"/bubuhkan/{received.link}", 303)


async def begin(request: Request) -> Response:
    """A resumable upload has a link."""
    app = app_of(request)
    demand_own_form(request, request.headers.get("x-csrf"))
    try:
        beginning = msgspec.json.decode(await request.body(), type=Beginning)
    except msgspec.DecodeError as error:
        raise Invalid from error
    if beginning.size <= 0:
        raise Invalid
    party = (await visitor_of(request)).party
    channel = await _channel(app, beginning.event)
    async with app.database.transaction() as connection:
        link = await reception.begin_upload(
            connection,
            channel=channel,
            file_name=beginning.name,
            size=beginning.size,
            party=None if party is None else party.id,
        )
    return JSONResponse({"link": link}, 201, {"upload-offset": "0"})


async def add_piece(request: Request) -> Response:
    """One more piece has come; the answer says how much has come so far."""
    app = app_of(request)
    offset = request.headers.get("upload-offset", "")
    piece = await request.body()
    if not offset.isdecimal() or not 0 < len(piece) <= PIECE_MAX:
        raise Invalid
    upload = await reception.add_piece(
        app.database, app.objects, request.path_params["link"], offset=int(offset), piece=piece
    )
    return Response(status_code=204, headers={"upload-offset": str(upload.received)})


async def how_much(request: Request) -> Response:
    """How much of the file has come."""
    async with app_of(request).database.reading() as connection:
        upload = await reception.upload_behind(connection, request.path_params["link"])
    return Response(status_code=204, headers={"upload-offset": str(upload.received)})


async def finish(request: Request) -> Response:
    """The file has come whole: it is opened by the intake, and the next page is named."""
    app = app_of(request)
    link = request.path_params["link"]
    await reception.finish_upload(app.database, app.objects, app.intake, link)
    return JSONResponse({"next": f"/bubuhkan/{link}"})


routes = [
    Route("/unggah", by_form, methods=["POST"]),
    Route("/unggah/mulai", begin, methods=["POST"]),
    Route("/unggah/{link}", add_piece, methods=["PATCH"]),
    Route("/unggah/{link}", how_much, methods=["HEAD"]),
    Route("/unggah/{link}/selesai", finish, methods=["POST"]),
]
