"""*Stok*: where one can buy now, for everybody, from a small file that the clock renews."""

from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterai.channel.board import board, kilometres
from meterai.clock import now
from meterai.web.pages import page
from meterai.web.session import app_of

STALE_S = 10
CITIES = {
    "banda-aceh": ("Banda Aceh", 5.55, 95.32),
    "medan": ("Medan", 3.59, 98.67),
    "padang": ("Padang", -0.95, 100.35),
    "palembang": ("Palembang", -2.99, 104.76),
    "jakarta": ("Jakarta", -6.2, 106.82),
    "bandung": ("Bandung", -6.91, 107.61),
    "semarang": ("Semarang", -6.99, 110.42),
    "yogyakarta": ("Yogyakarta", -7.8, 110.37),
    "surabaya": ("Surabaya", -7.26, 112.75),
    "denpasar": ("Denpasar", -8.67, 115.21),
    "kupang": ("Kupang", -10.17, 123.6),
    "pontianak": ("Pontianak", -0.03, 109.33),
    "banjarmasin": ("Banjarmasin", -3.32, 114.59),
    "samarinda": ("Samarinda", -0.5, 117.15),
    "makassar": ("Makassar", -5.15, 119.43),
    "manado": ("Manado", 1.49, 124.84),
    "ambon": ("Ambon", -3.7, 128.18),
    "jayapura": ("Jayapura", -2.53, 140.72),
}
"""Where somebody may be, so that "how far" needs no leave to see a location."""


async def stock_json(request: Request) -> Response:
    """``stock.json``: at most ten seconds old, from the file on disk while it is fresh."""
    content = await _content(request)
    return Response(
        content,
        media_type="application/json",
        headers={"cache-control": "public, max-age=3", "access-control-allow-origin": "*"},
    )


async def _content(request: Request) -> bytes:
    app = app_of(request)
    file = app.settings.public_dir / "stock.json"
    if file.exists() and now().timestamp() - file.stat().st_mtime <= STALE_S:
        return file.read_bytes()
    async with app.database.reading() as connection:
        return msgspec.json.encode(await board(connection, now()))


async def channels_shown(request: Request) -> list[dict[str, Any]]:
    """The rows of the board, best first."""
    return list(msgspec.json.decode(await _content(request))["channels"])


async def stock_page(request: Request) -> Response:
    """The same as a page, nearest first within each level when a city is chosen."""
    shown = msgspec.json.decode(await _content(request))
    city = CITIES.get(request.query_params.get("kota", ""))
    for channel in shown["channels"]:
        distances = [
            distance
            for outlet in channel["outlets"]
            if city is not None
            and (distance := kilometres(city[1:], outlet["latitude"], outlet["longitude"]))
            is not None
        ]
        channel["kilometres"] = min(distances) if distances else None
    if city is not None:
        order = ["in_stock", "low", "sold_out", "disrupted"]
        # What is bought online is near everybody: it stands before what is a way away.
        shown["channels"].sort(key=lambda c: (order.index(c["state"]), c["kilometres"] or 0))
    return await page(
        request,
        "stock.html",
        board=shown,
        at=datetime.fromisoformat(shown["at"]),
        cities=CITIES,
        chosen=request.query_params.get("kota"),
    )


routes = [Route("/stok", stock_page), Route("/stock.json", stock_json)]
