"""*Voucher*: units in ten signs, from the side of whoever gives one and whoever brings one."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.channel import voucher as vouchers
from meterai.channel.errors import NoSuchVoucher
from meterai.channel.model import ChannelId
from meterai.channel.voucher import Gift, Voucher, VoucherState
from meterai.channel.voucher_code import shown
from meterai.clock import now
from meterai.db.connection import Connection
from meterai.errors import Invalid, MeteraiError
from meterai.ids import new_id
from meterai.quota.balance import holdings
from meterai.sale.counter import redeem_code
from meterai.web.counter import read_uuid
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.session import app_of, signed_in, visitor_of


async def redeem_page(request: Request) -> Response:
    """Two ways to use a code: with a document at once, or as quota for whoever is signed in."""
    return await page(request, "redeem.html")


async def redeem(request: Request) -> Response:
    """The units are the visitor's."""
    party = await signed_in(request)
    app = app_of(request)
    form = await own_form(request)
    async with app.database.transaction() as connection:
        said = await redeem_code(connection, app.vault, form.text("kode"), party.id, now())
    if isinstance(said, MeteraiError):
        raise said
    return RedirectResponse("/kuota", 303)


async def gifts(request: Request) -> Response:
    """Vouchers that the visitor gave, and the form that makes one."""
    party = await signed_in(request)
    async with app_of(request).database.reading() as connection:
        held = [h for h in await holdings(connection, party.id) if h.available]
        given = await vouchers.of_giver(connection, [party.id])
    return await page(
        request, "gifts.html", held=held, given=given, wish=new_id(), states=VoucherState
    )


async def give(request: Request) -> Response:
    """Units of the visitor are in a voucher; the same form sent twice makes one."""
    party = await signed_in(request)
    app = app_of(request)
    form = await own_form(request)
    units = form.whole("keping", 1)
    if not 0 < units <= 1000:
        raise Invalid
    gift = Gift(read_uuid(form, "permintaan"), party.id, ChannelId(form.text("kanal")), units)
    async with app.database.transaction() as connection:
        made = await vouchers.wrap(connection, app.vault, gift)
        if made.giver != party.id:
            raise NoSuchVoucher
    return RedirectResponse(f"/hadiah/{gift.id}", 303)


async def _own(request: Request, connection: Connection, *, locked: bool) -> Voucher:
    visitor = await visitor_of(request)
    get = vouchers.lock if locked else vouchers.find
    voucher = await get(connection, request.path_params["id"])
    if visitor.party is None or voucher.giver != visitor.party.id:
        raise NoSuchVoucher
    return voucher


async def one(request: Request) -> Response:
    """The code to pass on, and what became of it."""
    await signed_in(request)
    app = app_of(request)
    async with app.database.reading() as connection:
        voucher = await _own(request, connection, locked=False)
        code = shown(await vouchers.code_of(connection, app.vault, voucher.id))
    return await page(
        request, "gift.html", voucher=voucher, code=code, address=app.settings.base_url
    )


async def take_back(request: Request) -> Response:
    """The units are the giver's again, unless somebody used the code."""
    await signed_in(request)
    await own_form(request)
    async with app_of(request).database.transaction() as connection:
        await vouchers.revoke(connection, await _own(request, connection, locked=True))
    return RedirectResponse("/hadiah", 303)


routes = [
    Route("/tukar", redeem_page),
    Route("/tukar", redeem, methods=["POST"]),
    Route("/hadiah", gifts),
    Route("/hadiah", give, methods=["POST"]),
    Route("/hadiah/{id:uuid}", one),
    Route("/hadiah/{id:uuid}/batal", take_back, methods=["POST"]),
]
