"""The doors over HTTP, put together into one application: pages, API, health."""

import multiprocessing
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from meterai.api import health, payment
from meterai.api.application import build as build_api
from meterai.intake.limits import die_with_parent
from meterai.logs import configure
from meterai.settings import Settings
from meterai.web import site
from meterai.wiring import open_app


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
        middleware=site.middleware,
        exception_handlers=site.exception_handlers,
        lifespan=lifespan,
    )
