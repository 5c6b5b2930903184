"""A known failure becomes a page (or a small JSON for our own scripts); an unknown one says only that."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from meterai.errors import MeteraiError
from meterai.people.errors import RoleMissing, SignInFirst
from meterai.statuses import failure_of, headers_of, status_of
from meterai.web import session
from meterai.web.pages import page

_log = structlog.get_logger(__name__)


async def known_failure(request: Request, error: Exception) -> Response:
    """The page that says what happened and what to do next."""
    assert isinstance(error, MeteraiError)
    if isinstance(error, SignInFirst) and request.method == "GET":
        return RedirectResponse(f"/masuk?lanjut={request.url.path}", 303)
    status = status_of(error, (RoleMissing, 403))
    headers = headers_of(error)
    language = session.language_of(request)
    if status >= 500:
        _log.warning("page_failed", path=_route(request), code=error.code)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(
            {
                "code": error.code,
                "title": error.sentence(language),
                "next_step": error.advice(language),
            },
            status,
            headers,
        )
    answer = await page(
        request,
        "problem.html",
        status=status,
        title=error.sentence(language),
        advice=error.advice(language),
        code=error.code,
    )
    answer.headers.update(headers)
    return answer


async def framework_failure(request: Request, error: Exception) -> Response:
    """404, 405 and the like, in our words."""
    assert isinstance(error, HTTPException)
    answer = await known_failure(request, failure_of(error.status_code))
    answer.status_code = error.status_code
    return answer


async def unknown_failure(request: Request, error: Exception) -> Response:
    """A defect of ours: logged with its trace, said without any internal name."""
    _log.error("page_crashed", path=_route(request), exc_info=error)
    return Response(
        "<!doctype html><html lang=id><meta charset=utf-8><title>Gangguan</title>"
        "<h1>Ada gangguan di pihak kami</h1><p>Anda tidak perlu melapor. Kuota yang ditahan kembali "
        "dengan sendirinya. <a href='/'>Kembali ke awal</a></p>",
        500,
        media_type="text/html",
    )


def _route(request: Request) -> str:
    """The route, never the address itself: a secret link must not reach a log."""
    route = request.scope.get("route")
    return getattr(route, "path", "?")
