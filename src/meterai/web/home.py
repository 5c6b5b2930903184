"""The front page, help, and choosing a language."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.channel import store as channels
from meterai.ids import tidy_code
from meterai.web.pages import page
from meterai.web.session import LANGUAGE_COOKIE, app_of, set_cookie


async def home(request: Request) -> Response:
    """Drop a document, check a stamp, look up a code."""
    app = app_of(request)
    async with app.database.reading() as connection:
        terms = await channels.terms_at(connection, app.channel)
    return await page(request, "home.html", terms=terms)


async def help_page(request: Request) -> Response:
    """What people ask, answered."""
    return await page(request, "help.html")


async def choose_language(request: Request) -> Response:
    """The visitor's language is the chosen one from now on; back to where they were."""
    wanted = request.query_params.get("ke", "id")
    target = urlsplit(request.query_params.get("lanjut", "/"))
    path = target.path if target.path.startswith("/") and not target.netloc else "/"
    answer = RedirectResponse("/" + path.lstrip("/"), 303)
    chosen = "en" if wanted == "en" else "id"
    set_cookie(answer, LANGUAGE_COOKIE, chosen, seconds=365 * 24 * 3600)
    return answer


async def look_up(request: Request) -> Response:
    """From the box on the front page to the status of a code."""
    return RedirectResponse(f"/lacak/{tidy_code(request.query_params.get('kode', ''))}", 303)


routes = [
    Route("/", home),
    Route("/bantuan", help_page),
    Route("/bahasa", choose_language),
    Route("/lacak", look_up),
]
