"""*Acara* and *terutang*: what an intake asks for, and what duty a document owes."""

from datetime import date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterai.channel import event as events
from meterai.channel import store as channels
from meterai.clock import WIB, now
from meterai.errors import Invalid, Text
from meterai.money import Units
from meterai.treasury.advice import advise
from meterai.web.pages import page
from meterai.web.session import app_of
from meterai.web.stock import channels_shown
from meterai.web.words import DOCUMENT_KINDS

SELLERS_SHOWN = 6


async def event_page(request: Request) -> Response:
    """The deadline, what to bring, how to place the mark, where to buy, and the start of it all."""
    app = app_of(request)
    moment = now()
    async with app.database.reading() as connection:
        event = await events.find(connection, request.path_params["code"])
        history = await events.rules_of(connection, event.code, moment)
        terms = await channels.terms_at(connection, event.channel)
    rules = history[0]
    left = rules.left(moment)
    sellers = [c for c in await channels_shown(request) if c["state"] in ("in_stock", "low")]
    sellers.sort(key=lambda c: c["id"] != event.channel)
    return await page(
        request,
        "event.html",
        event=event,
        rules=rules,
        earlier=[r for r in history[1:] if r.deadline != rules.deadline],
        left=None if left is None else time_left(left),
        price=terms.price(Units(rules.units)),
        terms=terms,
        sellers=sellers[:SELLERS_SHOWN],
        advice={paper.kind: advise(paper.kind, moment.date()) for paper in rules.papers},
    )


def time_left(left: timedelta) -> Text:
    """So that a person can feel it: days and hours, or hours and minutes."""
    hours, seconds = divmod(left.seconds, 3600)
    if left.days:
        return Text(f"{left.days} hari {hours} jam", f"{left.days} days {hours} h")
    return Text(f"{hours} jam {seconds // 60} menit", f"{hours} h {seconds // 60} min")


async def duty_page(request: Request) -> Response:
    """Does my document owe duty, when, and who owes it: by date and clause."""
    asked = request.query_params
    kind = asked.get("jenis", "")
    try:
        day = date.fromisoformat(asked.get("tanggal") or f"{now().astimezone(WIB).date()}")
        typed = asked.get("nilai", "").replace(".", "").strip()
        amount = int(typed[:18]) if typed else None
    except ValueError as error:
        raise Invalid from error
    if kind and kind not in DOCUMENT_KINDS:
        raise Invalid
    abroad = asked.get("luar") == "1"
    advice = advise(kind, day, amount=amount, from_abroad=abroad) if kind else None
    return await page(
        request,
        "duty.html",
        kinds=DOCUMENT_KINDS,
        kind=kind,
        date_of=day,
        amount=amount,
        abroad=abroad,
        advice=advice,
        since=None if advice is None else datetime.combine(advice.valid_from, time(), WIB),
    )


routes = [Route("/acara/{code}", event_page), Route("/terutang", duty_page)]
