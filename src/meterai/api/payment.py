"""Where the payment provider reports payments: recorded once, answered, then matched."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meterai.affixing.paid import Report
from meterai.api.problems import problem
from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.payment import store as payments
from meterai.payment.errors import (
    NoProvider,
    NoticeContradicts,
    NoticeNotAccepted,
    NoticeNotUnderstood,
    NoticeTooOld,
)
from meterai.payment.model import Letter
from meterai.payment.snap import SnapProvider
from meterai.payment.snap_messages import NOTIFY, NOTIFY_VA, TOKEN
from meterai.payment.snap_signing import token_for


async def notify(request: Request) -> Response:
    """SNAP BI notifications: the payment is durable before it is acknowledged.

    It is matched in the same commit; if that fails, the clock matches it within seconds. What truly came
    from the provider but cannot be used is kept whole; what is forged leaves nothing behind.
    """
    app = request.app.state.app
    path = request.url.path
    try:
        if app.provider is None:
            raise NoProvider
        raw = await request.body()
        try:
            reported = app.provider.read_notice(path, request.headers, raw, now())
            await app.payments.submit(Report(reported, "callback"))
        except (NoticeTooOld, NoticeNotUnderstood, NoticeContradicts) as error:
            letter = Letter(path, request.headers.get("x-timestamp", ""))
            async with app.database.transaction() as connection:
                await payments.keep_letter(connection, app.provider.name, letter, raw, error.code)
            raise
    except NoticeNotAccepted as error:
        return problem(error, 401)
    except MeteraiError as error:
        return problem(error)
    return JSONResponse(_thanks(path, raw))


def _thanks(path: str, raw: bytes) -> dict[str, object]:
    if path != NOTIFY_VA:
        return {"responseCode": "2005200", "responseMessage": "Successful"}
    return {
        "responseCode": "2002500",
        "responseMessage": "Successful",
        "virtualAccountData": msgspec.json.decode(raw),
    }


async def access_token(request: Request) -> Response:
    """SNAP BI ``access-token/b2b``, where the provider asks us for one: it then signs with the secret."""
    app = request.app.state.app
    headers = request.headers
    client, timestamp = headers.get("x-client-key", ""), headers.get("x-timestamp", "")
    moment = now()
    if not isinstance(app.provider, SnapProvider) or not app.provider.admits(
        client, timestamp, headers.get("x-signature", ""), moment
    ):
        return problem(NoticeNotAccepted(), 401)
    profile = app.provider.profile
    token = token_for(profile.secret, profile.name, int(moment.timestamp()) + TOKEN_SECONDS)
    return JSONResponse(
        {
            "responseCode": "2007300",
            "responseMessage": "Successful",
            "accessToken": token,
            "tokenType": "Bearer",
            "expiresIn": str(TOKEN_SECONDS),
        }
    )


TOKEN_SECONDS = 900

routes = [
    Route(NOTIFY, notify, methods=["POST"]),
    Route(NOTIFY_VA, notify, methods=["POST"]),
    Route(TOKEN, access_token, methods=["POST"]),
]
