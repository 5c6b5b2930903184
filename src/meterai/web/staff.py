"""Pages for those who run, sell and audit: what they need to see of the present state."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterai.affixing import documents
from meterai.affixing import store as affixings
from meterai.notice import store as notices
from meterai.payment import store as payments
from meterai.people.model import Role
from meterai.quota.balance import stock
from meterai.web.messages import readable
from meterai.web.pages import page
from meterai.web.session import app_of, with_role

STATE_COUNTS = """select state, count(*) as n, sum(units)::bigint as units from affixing
                  where reserved_at > now() - interval '24 hours' group by state"""


async def operator(request: Request) -> Response:
    """What waits, what came back, what could not be placed."""
    await with_role(request, Role.OFFICER)
    async with app_of(request).database.reading() as connection:
        counted = {row["state"]: row["n"] for row in await connection.fetch(STATE_COUNTS)}
        back = await documents.newest_restored(connection, size=20)
        unplaced = await payments.unplaced(connection, size=50)
        left = await stock(connection)
        roads = await affixings.roads(connection)
    return await page(
        request,
        "operator.html",
        counted=counted,
        roads=roads,
        back=back,
        unplaced=unplaced,
        stock=left,
    )


async def unsent(request: Request) -> Response:
    """*Kotak keluar*: messages that would have gone out; codes are masked outside the demo."""
    app = app_of(request)
    if not app.settings.demo:
        await with_role(request, Role.OFFICER)
    async with app.database.reading() as connection:
        found = await notices.newest(connection)
    shown = [
        (message, readable(message, app.vault, secrets_too=app.settings.demo)) for message in found
    ]
    return await page(request, "outbox.html", messages=shown)


routes = [
    Route("/operator", operator),
    Route("/kotak-keluar", unsent),
]
