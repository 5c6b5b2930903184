"""The site: every page's route, what surrounds them, and how failures look."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route

from meterai.errors import MeteraiError
from meterai.web import (
    affixing,
    auditor,
    channel,
    committee,
    company,
    counter,
    event,
    history,
    home,
    money,
    people,
    refund,
    sale,
    staff,
    stock,
    upload,
    verification,
    voucher,
)
from meterai.web.assets import asset
from meterai.web.body import BodyLimit
from meterai.web.headers import SecurityHeaders
from meterai.web.problems import framework_failure, known_failure, unknown_failure
from meterai.web.session import RememberBrowser

routes: Sequence[BaseRoute] = [
    *home.routes,
    *upload.routes,
    *affixing.routes,
    *sale.routes,
    *people.routes,
    *history.routes,
    *verification.routes,
    *committee.routes,
    *company.routes,
    *staff.routes,
    *auditor.routes,
    *channel.routes,
    *money.routes,
    *refund.routes,
    *stock.routes,
    *counter.routes,
    *voucher.routes,
    *event.routes,
    Route("/aset/{digest}/{name}", asset),
]

middleware = [
    Middleware(SecurityHeaders),
    Middleware(GZipMiddleware, minimum_size=500, compresslevel=6),
    Middleware(RememberBrowser),
    Middleware(BodyLimit),
]

exception_handlers = {
    MeteraiError: known_failure,
    HTTPException: framework_failure,
    Exception: unknown_failure,
}
