"""The API ``/v1``: its resources and how failures look."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from meterai import __version__
from meterai.api import affixing, audit, quota, registry, verification
from meterai.api.problems import framework_failure, known_failure, unknown_failure
from meterai.errors import MeteraiError


def build() -> FastAPI:
    """The application to be mounted at ``/v1``; wiring is put into its state."""
    api = FastAPI(
        title="meterai",
        version=__version__,
        description="Stampings, units, verifications. Problems are RFC 9457, in both languages.",
        docs_url=None,
        redoc_url=None,
    )
    for resource in (affixing, quota, verification, registry, audit):
        api.include_router(resource.router)
    api.add_exception_handler(MeteraiError, known_failure)
    api.add_exception_handler(HTTPException, framework_failure)
    api.add_exception_handler(RequestValidationError, framework_failure)
    api.add_exception_handler(Exception, unknown_failure)
    return api
