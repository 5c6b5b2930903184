"""Money back, for the one who bought: what would arrive is shown first, and then how far it is."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.clock import now
from meterai.errors import Invalid, MeteraiError
from meterai.ids import new_id
from meterai.refund import store
from meterai.refund.asking import ask, offer_for
from meterai.refund.errors import NoSuchRefund
from meterai.refund.model import Offer
from meterai.sale import store as orders
from meterai.sale.errors import NoSuchOrder
from meterai.sale.model import Order
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.session import app_of, signed_in, visitor_of


async def _own_order(request: Request) -> Order:
    await signed_in(request)
    visitor = await visitor_of(request)
    async with app_of(request).database.reading() as connection:
        order = await orders.find(connection, request.path_params["id"])
    if order is None or order.party not in {party.id for party in visitor.holders}:
        raise NoSuchOrder
    return order


async def choose(request: Request) -> Response:
    """How many units, and exactly what would arrive for them."""
    order = await _own_order(request)
    try:
        wanted = int(request.query_params.get("keping", "1"))
    except ValueError as error:
        raise Invalid from error
    async with app_of(request).database.reading() as connection:
        _, unused = await offer_for(connection, order, 1, now())
        said, _ = await offer_for(connection, order, min(wanted, max(1, unused)), now())
        before = await store.of_purchase(connection, order.id)
    return await page(
        request,
        "refund_ask.html",
        order=order,
        unused=unused,
        offered=said if isinstance(said, Offer) else None,
        refusal=said if isinstance(said, MeteraiError) else None,
        before=before,
        wish=new_id(),
    )


async def send(request: Request) -> Response:
    """The refund is asked for; sending the form twice asks once."""
    order = await _own_order(request)
    form = await own_form(request)
    try:
        wish = UUID(form.text("permintaan"))
    except ValueError as error:
        raise Invalid from error
    async with app_of(request).database.transaction() as connection:
        refund = await ask(
            connection, wish, order.id, order.party, units=form.whole("keping"), now=now()
        )
    return RedirectResponse(f"/uang-kembali/{refund.id}", 303)


async def look(request: Request) -> Response:
    """How far one refund is, to the rupiah."""
    await signed_in(request)
    visitor = await visitor_of(request)
    async with app_of(request).database.reading() as connection:
        refund = await store.find(connection, request.path_params["id"])
        if refund.party not in {party.id for party in visitor.holders}:
            raise NoSuchRefund
        order = None if refund.purchase is None else await orders.find(connection, refund.purchase)
    return await page(request, "refund.html", refund=refund, order=order)


routes = [
    Route("/pesanan/{id:uuid}/uang-kembali", choose),
    Route("/pesanan/{id:uuid}/uang-kembali", send, methods=["POST"]),
    Route("/uang-kembali/{id:uuid}", look),
]
