"""*Loket*: a clerk's shift, sales to walk-ins, vouchers, and the day's end; also while the centre is away."""

from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from meterai.channel import stock
from meterai.channel import store as channels
from meterai.channel import voucher as vouchers
from meterai.channel.model import ChannelId, Outlet
from meterai.channel.voucher_code import shown
from meterai.clock import now
from meterai.db.connection import Connection
from meterai.errors import Invalid
from meterai.ids import new_id
from meterai.money import Rupiah, Units
from meterai.payment.errors import NoProvider
from meterai.people import store as people
from meterai.people.errors import RoleMissing
from meterai.people.model import Party, Role
from meterai.refund.void import ask_void, decide_void, waiting
from meterai.sale import counter
from meterai.sale import shift as shifts
from meterai.sale import store as orders
from meterai.sale.counter import Opening, Sale
from meterai.sale.errors import NoSuchShift
from meterai.sale.model import Order, OrderState
from meterai.sale.shift import Shift
from meterai.web.forms import Form, own_form
from meterai.web.pages import page
from meterai.web.qr import qr_svg
from meterai.web.sale import qr_of, qr_picture
from meterai.web.session import app_of, demand_own_form, with_role

T = TypeVar("T")

CHOICES = (1, 2, 3, 5)
BLOCK = 20
REPORTED_MAX = 500


class Device(msgspec.Struct):
    """Which device asks for the block; it drew its name itself."""

    device: str


class Reported(msgspec.Struct):
    """One sale that a device made."""

    id: UUID
    at: datetime


class Report(msgspec.Struct):
    """What a device sold in one shift."""

    shift: UUID
    sold: list[Reported]


async def _clerk(request: Request) -> Party:
    visitor = await with_role(request, Role.CLERK)
    assert visitor.party is not None
    return visitor.party


async def _outlets(connection: Connection, clerk: UUID) -> list[Outlet]:
    served = await people.channels_of(connection, clerk, Role.CLERK)
    return [o for c in served for o in await channels.outlets(connection, ChannelId(c))]


async def _own_shift(connection: Connection, clerk: UUID) -> Shift:
    found = await shifts.open_shift_of(connection, clerk)
    if found is None:
        raise NoSuchShift
    return found


async def desk(request: Request) -> Response:
    """The open shift, ready to sell; or the form that opens one."""
    app = app_of(request)
    clerk = await _clerk(request)
    async with app.database.reading() as connection:
        shift = await shifts.open_shift_of(connection, clerk.id)
        outlets = await _outlets(connection, clerk.id)
        if shift is None:
            return await page(request, "shift.html", outlets=outlets, wish=new_id(), block=BLOCK)
        terms = await channels.terms_at(connection, shift.channel, shift.terms_from)
        return await page(
            request,
            "counter.html",
            shift=shift,
            outlet=next((o.name for o in outlets if o.id == shift.outlet), shift.outlet),
            price=terms.price(Units(1)),
            choices=CHOICES,
            drawer=await shifts.drawer(connection, shift.id),
            sold=await vouchers.of_shift(connection, shift.id),
            wish=new_id(),
            address=app.settings.base_url,
            qr=qr_svg(app.settings.base_url),
            by_qris=app.provider is not None,
        )


async def open_shift(request: Request) -> Response:
    """The clerk's shift is open."""
    app = app_of(request)
    clerk = await _clerk(request)
    form = await own_form(request)
    async with app.database.transaction() as connection:
        outlet = next(
            (o for o in await _outlets(connection, clerk.id) if o.id == form.text("tempat")), None
        )
        if outlet is None:
            raise RoleMissing
        wish = Opening(
            id=read_uuid(form, "permintaan"),
            channel=outlet.channel,
            outlet=outlet.id,
            clerk=clerk.id,
            cash=Rupiah(_rupiah(form, "kas")),
            block=form.whole("blok", 0),
        )
        await counter.open_shift(connection, app.vault, wish)
    return RedirectResponse("/loket", 303)


def read_uuid(form: Form, name: str) -> UUID:
    """The id in a field. Raises :class:`Invalid`."""
    try:
        return UUID(form.text(name))
    except ValueError as error:
        raise Invalid from error


def _rupiah(form: Form, name: str) -> int:
    typed = form.text(name).replace(".", "")
    if not (typed.isascii() and typed.isdecimal()) or len(typed) > 12:
        raise Invalid
    return int(typed)


async def block(request: Request) -> Response:
    """The codes that this device may sell by itself; only the first device that asks gets them."""
    app = app_of(request)
    clerk = await _clerk(request)
    demand_own_form(request, request.headers.get("x-csrf"))
    asked = await _read(request, Device)
    if not 16 <= len(asked.device) <= 80:
        raise Invalid
    async with app.database.transaction() as connection:
        shift = await _own_shift(connection, clerk.id)
        mine = await shifts.bind_device(
            connection, shift.id, sha256(asked.device.encode()).digest()
        )
        kept = await vouchers.codes_kept(connection, app.vault, shift.id) if mine else []
    return JSONResponse(
        {"shift": str(shift.id), "kept": [{"id": str(id), "code": code} for id, code in kept]}
    )


async def report(request: Request) -> Response:
    """What a device sold is in the books; the answer says of each sale what became of it."""
    clerk = await _clerk(request)
    demand_own_form(request, request.headers.get("x-csrf"))
    said = await _read(request, Report)
    if len(said.sold) > REPORTED_MAX or any(sale.at.tzinfo is None for sale in said.sold):
        raise Invalid
    if not said.sold:
        return JSONResponse({})
    async with app_of(request).database.transaction() as connection:
        shift = await shifts.find(connection, said.shift)
        if shift.clerk != clerk.id:
            raise NoSuchShift
        sales = [Sale(sale.id, sale.at) for sale in said.sold]
        taken = await counter.take_sales(connection, shift.id, sales, now())
    return JSONResponse({str(id): outcome.value for id, outcome in taken.items()})


async def _read(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise Invalid from error


async def sell(request: Request) -> Response:
    """A walk-in's sale, for cash or by QRIS; the same form sent twice sells once."""
    app = app_of(request)
    clerk = await _clerk(request)
    form = await own_form(request)
    id, units = read_uuid(form, "permintaan"), form.whole("keping", 1)
    async with app.database.transaction() as connection:
        shift = await _own_shift(connection, clerk.id)
        if form.text("cara") == "qris":
            if app.provider is None:
                raise NoProvider
            await counter.order_by_qris(connection, shift.id, id, units, app.provider.name, now())
        else:
            await counter.sell_for_cash(connection, app.vault, shift.id, id, units, now())
    return RedirectResponse(f"/loket/jual/{id}", 303)


async def _own_sale(request: Request) -> Order:
    clerk = await _clerk(request)
    async with app_of(request).database.reading() as connection:
        shift = await shifts.shift_of_sale(connection, request.path_params["id"])
        order = await orders.find(connection, request.path_params["id"])
    if shift.clerk != clerk.id or order is None:
        raise NoSuchShift
    return order


async def sale(request: Request) -> Response:
    """The QR code to pay, or the voucher to hand over."""
    app = app_of(request)
    order = await _own_sale(request)
    code, voucher = None, None
    if order.state is OrderState.PAID:
        async with app.database.transaction() as connection:
            voucher = await counter.voucher_of_order(connection, app.vault, order)
            code = shown(await vouchers.code_of(connection, app.vault, voucher.id))
    waits = order.state is OrderState.PLACED
    return await page(
        request,
        "counter_sale.html",
        order=order,
        code=code,
        voucher=voucher,
        address=app.settings.base_url,
        qr=await qr_of(app, order) if waits else None,
        seconds_left=max(0, int((order.expires_at - now()).total_seconds())),
    )


async def sale_state(request: Request) -> Response:
    """Whether it is paid, in a few bytes."""
    order = await _own_sale(request)
    return JSONResponse({"state": order.state.value, "final": order.state is not OrderState.PLACED})


async def sale_qr(request: Request) -> Response:
    """Its QR code as a picture."""
    return await qr_picture(app_of(request), await _own_sale(request))


async def want_void(request: Request) -> Response:
    """A supervisor is asked to undo a sale."""
    clerk = await _clerk(request)
    form = await own_form(request)
    why = form.text("sebab")[:200]
    if len(why) < 3:
        raise Invalid
    async with app_of(request).database.transaction() as connection:
        voucher = await vouchers.find(connection, read_uuid(form, "voucher"))
        shift = await _own_shift(connection, clerk.id)
        if voucher.shift != shift.id:
            raise NoSuchShift
        await ask_void(connection, voucher.id, why, clerk.id)
    return RedirectResponse("/loket", 303)


async def close_shift(request: Request) -> Response:
    """The shift is closed; what it did is shown, and a difference has its name."""
    clerk = await _clerk(request)
    form = await own_form(request)
    async with app_of(request).database.transaction() as connection:
        shift = await shifts.find(connection, read_uuid(form, "giliran"))
        if shift.clerk != clerk.id:
            raise NoSuchShift
        counted = Rupiah(_rupiah(form, "hitung"))
        await counter.close_shift(connection, shift.id, counted, form.text("catatan")[:200])
    return RedirectResponse(f"/loket/giliran/{shift.id}", 303)


async def _supervised(connection: Connection, person: UUID) -> list[ChannelId]:
    heads = await people.channels_of(connection, person, Role.DISTRIBUTOR)
    return await stock.family(connection, heads)


async def closed(request: Request) -> Response:
    """How a closed shift added up; for its clerk and whoever supervises."""
    visitor = await with_role(request, Role.CLERK, Role.DISTRIBUTOR)
    assert visitor.party is not None
    async with app_of(request).database.reading() as connection:
        shift = await shifts.find(connection, request.path_params["id"])
        mine = shift.clerk == visitor.party.id
        if not mine and shift.channel not in await _supervised(connection, visitor.party.id):
            raise NoSuchShift
        drawer = await shifts.drawer(connection, shift.id)
    return await page(request, "shift_closed.html", shift=shift, drawer=drawer)


async def supervise(request: Request) -> Response:
    """*Penyelia*: sales to be undone, and how the last shifts added up."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    async with app_of(request).database.reading() as connection:
        mine = await _supervised(connection, visitor.party.id)
        ended = await shifts.closed_shifts(connection, mine)
        return await page(
            request,
            "supervisor.html",
            voids=await waiting(connection, mine),
            ended=[(s, await shifts.drawer(connection, s.id)) for s in ended],
        )


async def decide(request: Request) -> Response:
    """The supervisor agreed that a sale is undone, or did not."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    form = await own_form(request)
    id = request.path_params["id"]
    async with app_of(request).database.transaction() as connection:
        voucher = await vouchers.find(connection, id)
        if voucher.channel not in await _supervised(connection, visitor.party.id):
            raise RoleMissing
        await decide_void(connection, id, visitor.party.id, now(), grant=form.flag("setuju"))
    return RedirectResponse("/loket/penyelia", 303)


async def helper(_request: Request) -> Response:
    """The service worker of the counter; it may stand before ``/loket`` itself."""
    content = files("meterai.web").joinpath("static", "counter-worker.js").read_bytes()
    headers = {"service-worker-allowed": "/loket", "cache-control": "no-cache"}
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)


routes = [
    Route("/loket", desk),
    Route("/loket/buka", open_shift, methods=["POST"]),
    Route("/loket/blok.json", block, methods=["POST"]),
    Route("/loket/setor.json", report, methods=["POST"]),
    Route("/loket/jual", sell, methods=["POST"]),
    Route("/loket/jual/{id:uuid}", sale),
    Route("/loket/jual/{id:uuid}/keadaan.json", sale_state),
    Route("/loket/jual/{id:uuid}/qris.svg", sale_qr),
    Route("/loket/batal", want_void, methods=["POST"]),
    Route("/loket/tutup", close_shift, methods=["POST"]),
    Route("/loket/giliran/{id:uuid}", closed),
    Route("/loket/penyelia", supervise),
    Route("/loket/penyelia/{id:uuid}", decide, methods=["POST"]),
    Route("/loket/pembantu.js", helper),
]
