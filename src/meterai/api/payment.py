"""Where the payment provider reports payments: recorded once, answered, then matched."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meterai.affixing.paid import take_payment
from meterai.api.problems import problem
from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.payment import store as payments
from meterai.payment.errors import NoProvider, NoticeNotAccepted
from meterai.payment.snap import NOTIFY

_log = structlog.get_logger(__name__)


async def notify(request: Request) -> Response:
    """SNAP BI ``qr-mpm-notify``: the payment is durable before it is acknowledged.

    Matching follows at once; if that fails, the clock matches it within seconds.
    """
    app = request.app.state.app
    try:
        if app.provider is None:
            raise NoProvider
        raw = await request.body()
        reported = app.provider.read_notice(NOTIFY, request.headers, raw, now())
        async with app.database.transaction() as connection:
            notice, _ = await payments.record_notice(connection, reported, "callback")
    except NoticeNotAccepted as error:
        return problem(error, 401)
    except MeteraiError as error:
        return problem(error)
    try:
        async with app.database.transaction() as connection:
            await take_payment(connection, notice.id)
    except MeteraiError as error:
        _log.warning("matching_postponed", code=error.code)
    return JSONResponse({"responseCode": "2005200", "responseMessage": "Successful"})


routes = [Route(NOTIFY, notify, methods=["POST"])]
