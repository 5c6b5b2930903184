"""*Kanal*: a distributor's stock in hours, deposits and top-ups, movements, rules, settled days."""

from datetime import date, timedelta
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.channel import allocation, stock
from meterai.channel import store as channels
from meterai.channel.model import ChannelId, Move, StockRule
from meterai.clock import WIB, now
from meterai.db.connection import Connection
from meterai.errors import Invalid
from meterai.ids import new_id
from meterai.money import Units
from meterai.people import store as people
from meterai.people.errors import RoleMissing
from meterai.people.model import Role
from meterai.treasury import deposits
from meterai.treasury.model import ACCOUNT_DEPOSIT
from meterai.treasury.settlement import settle_day
from meterai.treasury.sheet import Table, as_csv, as_xlsx
from meterai.web.downloads import CSV, XLSX, table_download
from meterai.web.forms import Form, own_form
from meterai.web.pages import page
from meterai.web.session import app_of, with_role

MOST = 100_000_000


async def _mine(connection: Connection, person: UUID, role: Role) -> list[ChannelId]:
    """The person's channels with all below them."""
    return await stock.family(connection, await people.channels_of(connection, person, role))


async def overview(request: Request) -> Response:
    """Stock, rate and hours; deposits; what moved; yesterday and today settled."""
    visitor = await with_role(request, Role.DISTRIBUTOR, Role.CLERK)
    assert visitor.party is not None
    today = now().astimezone(WIB).date()
    async with app_of(request).database.reading() as connection:
        managed = await _mine(connection, visitor.party.id, Role.DISTRIBUTOR)
        served = await _mine(connection, visitor.party.id, Role.CLERK)
        mine = sorted({*managed, *served})
        states = await stock.states(connection, mine)
        known = {c.id: c for c in await channels.channels(connection)}
        heads = {id: await stock.head_of(connection, id) for id in managed}
        return await page(
            request,
            "channel.html",
            states=states,
            managed=set(managed),
            heads=sorted(set(heads.values())),
            known=known,
            centre=next((c.id for c in known.values() if c.kind == "issuer"), None),
            terms=await channels.terms_of(connection, mine),
            alarms=await stock.alarms(connection),
            deposits=await deposits.deposits(connection, managed) if managed else [],
            prepaid=await deposits.prepaid(connection),
            moves=await stock.allocations(connection, mine, size=20),
            days=[
                s
                for day in (today, today - timedelta(days=1))
                for s in await settle_day(connection, mine, day)
            ],
            wish=new_id(),
        )


async def _manages(connection: Connection, person: UUID, *wanted: str) -> None:
    managed = await _mine(connection, person, Role.DISTRIBUTOR)
    if not all(channel in managed for channel in wanted):
        raise RoleMissing


def _whole(form: Form, name: str) -> int:
    typed = form.text(name).replace(".", "")
    if not (typed.isascii() and typed.isdecimal()) or not 0 <= int(typed) <= MOST * 10_000:
        raise Invalid
    return int(typed)


async def add_deposit(request: Request) -> Response:
    """A deposit with its billing code is announced; it counts when an officer has its NTPN."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    form = await own_form(request)
    channel = ChannelId(form.text("kanal"))
    async with app_of(request).database.transaction() as connection:
        await _manages(connection, visitor.party.id, channel)
        await deposits.record(
            connection, channel, _whole(form, "jumlah"), form.text("billing"), visitor.party.id
        )
    return RedirectResponse("/kanal#setoran", 303)


async def move(request: Request) -> Response:
    """Stock moves: from the issuer for a deposit, within the family, or back."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    form = await own_form(request)
    giver, taker = ChannelId(form.text("dari")), ChannelId(form.text("ke"))
    try:
        wish = UUID(form.text("permintaan"))
    except ValueError as error:
        raise Invalid from error
    async with app_of(request).database.transaction() as connection:
        known = {c.id: c for c in await channels.channels(connection)}
        if giver not in known or taker not in known:
            raise Invalid
        own = [c for c in (giver, taker) if known[c].kind != allocation.ISSUER]
        await _manages(connection, visitor.party.id, *own)
        units = Units(_whole(form, "keping"))
        await allocation.move(connection, Move(wish, giver, taker, units, visitor.party.id))
    return RedirectResponse("/kanal#pindah", 303)


async def set_rule(request: Request) -> Response:
    """How a channel's stock is watched and kept from now on."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    form = await own_form(request)
    channel = ChannelId(form.text("kanal"))
    refill = _whole(form, "isi") if form.text("isi") else 0
    hours = form.number("jam")
    if hours <= 0:
        raise Invalid
    rule = StockRule(channel, min(_whole(form, "batas"), MOST), hours, refill or None)
    async with app_of(request).database.transaction() as connection:
        await _manages(connection, visitor.party.id, channel)
        await stock.set_rule(connection, rule)
    return RedirectResponse("/kanal", 303)


async def export(request: Request) -> Response:
    """Deposits, or the settled days of a month, as a table for accountants."""
    visitor = await with_role(request, Role.DISTRIBUTOR)
    assert visitor.party is not None
    what, ending = request.path_params["what"], request.path_params["ending"]
    if what not in _EXPORTS or ending not in ("csv", "xlsx"):
        raise HTTPException(404)
    today = now().astimezone(WIB).date()
    async with app_of(request).database.reading() as connection:
        managed = await _mine(connection, visitor.party.id, Role.DISTRIBUTOR)
        table = await _EXPORTS[what](connection, managed, today)
    if ending == "csv":
        return table_download(as_csv(table), f"{what}-{today}.csv", CSV)
    return table_download(as_xlsx(table, what), f"{what}-{today}.xlsx", XLSX)


async def _deposits_table(connection: Connection, mine: list[ChannelId], _today: date) -> Table:
    head = ("channel", "recorded_at", "amount", "account", "billing_code", "ntpn", "confirmed_at")
    rows = await deposits.deposits(connection, mine, size=10_000)
    return [head] + [
        (
            d.channel,
            d.recorded_at.astimezone(WIB).isoformat(),
            d.amount,
            ACCOUNT_DEPOSIT,
            d.billing_code,
            d.ntpn,
            None if d.confirmed_at is None else d.confirmed_at.astimezone(WIB).isoformat(),
        )
        for d in rows
    ]


async def _days_table(connection: Connection, mine: list[ChannelId], today: date) -> Table:
    """This month until today."""
    head = ("day", "channel", "opening", "received", "sold", "given_back", "returned", "left")
    days = [
        settled
        for n in range(1, today.day + 1)
        for settled in await settle_day(connection, mine, today.replace(day=n))
    ]
    return [(*head, "unexplained")] + [
        (
            d.day.isoformat(),
            d.channel,
            d.opening,
            d.received,
            d.sold,
            d.given_back,
            d.returned,
            d.closing,
            ", ".join(f"{line} {units}" for line, units in d.unexplained.items()),
        )
        for d in days
    ]


_EXPORTS = {"setoran": _deposits_table, "harian": _days_table}

routes = [
    Route("/kanal/ekspor/{what}.{ending}", export),
    Route("/kanal", overview),
    Route("/kanal/setoran", add_deposit, methods=["POST"]),
    Route("/kanal/pindah", move, methods=["POST"]),
    Route("/kanal/aturan", set_rule, methods=["POST"]),
]
