"""Who is asking: cookies, the signed-in visitor, and proof that a form came from our own page."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meterai.errors import Refused, Text
from meterai.ids import new_token
from meterai.people import store
from meterai.people.errors import RoleMissing, SignInFirst
from meterai.people.model import SESSION_LIFETIME, Party, Role, Visitor
from meterai.people.signin import digest
from meterai.wiring import App

SESSION_COOKIE = "__Host-sesi"
BROWSER_COOKIE = "__Host-peramban"
LANGUAGE_COOKIE = "__Host-bahasa"
_YEAR = 365 * 24 * 3600
_TOKEN_BYTES = 16


class FormNotOurs(Refused):
    """A form was sent from elsewhere, or from a page that is too old."""

    code = "form_not_ours"
    says = Text(
        "Formulir ini tidak berasal dari halaman kami, atau halamannya sudah lama.",
        "This form did not come from our page, or the page is too old.",
    )
    next_step = Text("Muat ulang halaman, lalu kirim lagi.", "Reload the page and send it again.")


def app_of(request: Request) -> App:
    """What wiring built for this process."""
    app = request.app.state.app
    assert isinstance(app, App)
    return app


async def visitor_of(request: Request) -> Visitor:
    """Who is signed in with this request; a stranger otherwise."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is None:
        token = request.cookies.get(SESSION_COOKIE)
        known = Visitor()
        if token:
            async with app_of(request).database.reading() as connection:
                known = await store.visitor(connection, digest(token))
        request.state.visitor = known
    return known


async def signed_in(request: Request) -> Party:
    """The signed-in party. Raises :class:`SignInFirst`."""
    visitor = await visitor_of(request)
    if visitor.party is None:
        raise SignInFirst
    return visitor.party


async def with_role(request: Request, *roles: Role) -> Visitor:
    """The visitor, who has one of the roles. Raises :class:`SignInFirst` and :class:`RoleMissing`."""
    await signed_in(request)
    visitor = await visitor_of(request)
    if not any(visitor.may(role) for role in roles):
        raise RoleMissing
    return visitor


def language_of(request: Request) -> str:
    """``id`` unless the visitor chose English."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "id"


def browser_of(request: Request) -> str:
    """A random name of this browser, to which forms are bound; a fresh one on the first visit."""
    known: str | None = getattr(request.state, "browser", None)
    if known is None:
        known = request.cookies.get(BROWSER_COOKIE) or new_token()
        request.state.browser = known
    return known


def form_token(request: Request) -> str:
    """What a form of ours carries in ``csrf``; good for this browser only.

    Each page masks it anew, so that the length of compressed pages tells nothing about it (BREACH).
    """
    mask = secrets.token_bytes(_TOKEN_BYTES)
    return (mask + _xor(mask, _form_secret(request))).hex()


def _form_secret(request: Request) -> bytes:
    mac: bytes = app_of(request).vault.blind_index(browser_of(request).encode(), b"form")
    return mac[:_TOKEN_BYTES]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def demand_own_form(request: Request, token: str | None) -> None:
    """Nothing, when the form was sent by our own page. Raises :class:`FormNotOurs`.

    Two independent signs are asked for: what the browser says of the sender, and the token of the form.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise FormNotOurs
    if BROWSER_COOKIE not in request.cookies or token is None:
        raise FormNotOurs
    try:
        sent = bytes.fromhex(token)
    except ValueError as error:
        raise FormNotOurs from error
    mask, masked = sent[:_TOKEN_BYTES], sent[_TOKEN_BYTES:]
    if len(masked) != _TOKEN_BYTES:
        raise FormNotOurs
    if not hmac.compare_digest(_xor(mask, masked), _form_secret(request)):
        raise FormNotOurs


def set_cookie(response: Response, name: str, value: str, *, seconds: int) -> None:
    """``__Host-``: this host only, whole site, over a secure connection (or loopback), no script."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )


def start_session(response: Response, token: str) -> None:
    """The browser is signed in from now on."""
    set_cookie(response, SESSION_COOKIE, token, seconds=int(SESSION_LIFETIME.total_seconds()))


def end_session(response: Response) -> None:
    """The browser is signed out."""
    set_cookie(response, SESSION_COOKIE, "", seconds=0)


class RememberBrowser:
    """ASGI middleware: every browser has its random name after its first page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; an answer that needed a new name carries it as a cookie."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def remember(message: Message) -> None:
            if (
                message["type"] == "http.response.start"
                and BROWSER_COOKIE not in request.cookies
                and hasattr(request.state, "browser")
            ):
                cookie = Response()
                set_cookie(cookie, BROWSER_COOKIE, request.state.browser, seconds=_YEAR)
                message["headers"] = [
                    *message["headers"],
                    (b"set-cookie", cookie.headers["set-cookie"].encode("latin-1")),
                ]
            await send(message)

        await self._app(scope, receive, remember)
