"""Signing in with a one-time code, and out again."""

from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.people import store
from meterai.people.errors import CodeOver
from meterai.people.model import Role, Visitor, masked_phone, read_phone
from meterai.people.signin import digest, enter_code, open_session, request_code
from meterai.web.forms import own_form
from meterai.web.messages import code_message
from meterai.web.pages import page
from meterai.web.session import (
    SESSION_COOKIE,
    app_of,
    end_session,
    language_of,
    start_session,
    visitor_of,
)

HOMES = {
    Role.OFFICER: "/operator",
    Role.AUDITOR: "/auditor",
    Role.DISTRIBUTOR: "/kanal",
    Role.CLERK: "/kanal",
    Role.COMMITTEE: "/cek",
}


def home_of(visitor: Visitor) -> str:
    """Where somebody with these roles begins."""
    for role, path in HOMES.items():
        if visitor.may(role):
            return path
    return "/perusahaan" if visitor.memberships else "/riwayat"


def safe_path(wanted: str) -> str | None:
    """A path on this site, or None: a form field must not send anybody elsewhere."""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or wanted.startswith("//"):
        return None
    return parts.path


async def ask(request: Request) -> Response:
    """The telephone number, please."""
    if (await visitor_of(request)).party is not None:
        return RedirectResponse(home_of(await visitor_of(request)), 303)
    return await page(request, "signin.html", go_on=request.query_params.get("lanjut", ""))


async def send_code(request: Request) -> Response:
    """A code was sent; it is asked for on the next page."""
    app = app_of(request)
    form = await own_form(request)
    phone = read_phone(form.text("telepon"))
    async with app.database.transaction() as connection:
        requested = await request_code(connection, app.vault, phone, now())
        await code_message(connection, app.vault, phone, requested, language_of(request))
    go_on = safe_path(form.text("lanjut")) or ""
    return await page(
        request,
        "code.html",
        id=requested.id,
        phone=masked_phone(phone),
        go_on=go_on,
        problem=None,
    )


async def take_code(request: Request) -> Response:
    """Signed in, or told why not."""
    app = app_of(request)
    form = await own_form(request)
    try:
        id = UUID(form.text("permintaan"))
    except ValueError as error:
        raise CodeOver from error
    async with app.database.transaction() as connection:
        entered = await enter_code(connection, app.vault, id, form.text("kode"), now())
        if not isinstance(entered, MeteraiError):
            token = await open_session(connection, entered.id, now())
            visitor = await store.visitor(connection, digest(token))
    if isinstance(entered, MeteraiError):
        return await page(
            request,
            "code.html",
            status=422,
            id=id,
            phone=form.text("telepon"),
            go_on=form.text("lanjut"),
            problem=entered,
        )
    answer = RedirectResponse(safe_path(form.text("lanjut")) or home_of(visitor), 303)
    start_session(answer, token)
    return answer


async def leave(request: Request) -> Response:
    """Signed out, here and on the server."""
    await own_form(request)
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        async with app_of(request).database.transaction() as connection:
            await store.close_session(connection, digest(token))
    answer = RedirectResponse("/", 303)
    end_session(answer)
    return answer


routes = [
    Route("/masuk", ask),
    Route("/masuk", send_code, methods=["POST"]),
    Route("/masuk/kode", take_code, methods=["POST"]),
    Route("/keluar", leave, methods=["POST"]),
]
