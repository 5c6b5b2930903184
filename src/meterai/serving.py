"""The doors over HTTP, put together into one application: pages, API, health."""

import multiprocessing
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from meterai.api import health, payment
from meterai.api.application import build as build_api
from meterai.api.problems import problem
from meterai.errors import TooMany
from meterai.intake.limits import die_with_parent
from meterai.logs import configure
from meterai.settings import Settings
from meterai.web import site
from meterai.web.pace import Pace
from meterai.web.problems import known_failure
from meterai.wiring import open_app


async def _refuse(request: Request, error: TooMany) -> Response:
    """A page for people, a problem document for programs."""
    if request.url.path.startswith("/v1/"):
        return problem(error)
    return await known_failure(request, error)


def create(more_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The application of one web process, with the settings of the environment."""
    parent = multiprocessing.parent_process()
    die_with_parent(parent.pid if parent else None)
    settings = Settings.from_env()
    configure(settings.log_level)
    api = build_api()

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        async with open_app(settings, "web") as app:
            application.state.app = app
            api.state.app = app
            yield

    return Starlette(
        routes=[
            *more_routes,
            *site.routes,
            *payment.routes,
            *health.routes,
            Mount("/v1", api),
        ],
        middleware=[
            *site.middleware,
            Middleware(Pace, refuse=_refuse, behind_proxy=settings.behind_proxy),
        ],
        exception_handlers=site.exception_handlers,
        lifespan=lifespan,
    )
