"""A known failure as ``application/problem+json`` (RFC 9457), in both languages, with its next step."""

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from meterai.errors import Broken, Invalid, MeteraiError
from meterai.people.errors import KeyNotAccepted
from meterai.statuses import failure_of, headers_of, status_of

_log = structlog.get_logger(__name__)


def problem(error: MeteraiError, status: int | None = None) -> JSONResponse:
    """The failure as a problem document."""
    found = status or status_of(error, (KeyNotAccepted, 401))
    body = {
        "type": f"urn:meterai:error:{error.code}",
        "title": error.sentence("id"),
        "title_en": error.sentence("en"),
        "status": found,
        "code": error.code,
        "next_step": error.advice("id"),
        "next_step_en": error.advice("en"),
    }
    return JSONResponse(body, found, headers_of(error), media_type="application/problem+json")


async def known_failure(_request: Request, error: Exception) -> Response:
    """See :func:`problem`."""
    assert isinstance(error, MeteraiError)
    return problem(error)


async def framework_failure(_request: Request, error: Exception) -> Response:
    """404, 405, malformed bodies: in the same shape."""
    if isinstance(error, RequestValidationError):
        return problem(Invalid(), 400)
    assert isinstance(error, HTTPException)
    return problem(failure_of(error.status_code), error.status_code)


async def unknown_failure(request: Request, error: Exception) -> Response:
    """A defect of ours: logged with its trace, said without any internal name."""
    route = request.scope.get("route")
    _log.error("call_crashed", path=getattr(route, "path", "?"), exc_info=error)
    return problem(Broken())
