"""A known failure as ``application/problem+json`` (RFC 9457), in both languages, with its next step."""

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from meterai.errors import (
    Broken,
    Busy,
    Conflict,
    Invalid,
    MeteraiError,
    NotFound,
    Refused,
    RequestTooLarge,
    TooMany,
)
from meterai.people.errors import KeyNotAccepted

_log = structlog.get_logger(__name__)

STATUS: list[tuple[type[MeteraiError], int]] = [
    (KeyNotAccepted, 401),
    (Invalid, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 422),
    (TooMany, 429),
    (Busy, 503),
    (Broken, 500),
]

_IN_OUR_WORDS: dict[int, type[MeteraiError]] = {404: NotFound, 405: NotFound, 413: RequestTooLarge}


def problem(error: MeteraiError, status: int | None = None) -> JSONResponse:
    """The failure as a problem document."""
    found = status or next((s for root, s in STATUS if isinstance(error, root)), 500)
    body = {
        "type": f"urn:meterai:error:{error.code}",
        "title": error.sentence("id"),
        "title_en": error.sentence("en"),
        "status": found,
        "code": error.code,
        "next_step": error.advice("id"),
        "next_step_en": error.advice("en"),
    }
    headers = {"retry-after": str(error.facts.get("seconds", 5))} if isinstance(error, Busy) else {}
    return JSONResponse(body, found, headers, media_type="application/problem+json")


async def known_failure(_request: Request, error: Exception) -> Response:
    """See :func:`problem`."""
    assert isinstance(error, MeteraiError)
    return problem(error)


async def framework_failure(_request: Request, error: Exception) -> Response:
    """404, 405, malformed bodies: in the same shape."""
    if isinstance(error, RequestValidationError):
        return problem(Invalid(), 400)
    assert isinstance(error, HTTPException)
    known = _IN_OUR_WORDS.get(error.status_code, Invalid)()
    return problem(known, error.status_code)


async def unknown_failure(request: Request, error: Exception) -> Response:
    """A defect of ours: logged with its trace, said without any internal name."""
    route = request.scope.get("route")
    _log.error("call_crashed", path=getattr(route, "path", "?"), exc_info=error)
    return problem(Broken())
