"""The demo's own pages: one-tap roles, breaking things, paying in play money. Only in a demo, on loopback."""

from typing import Any

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing import documents
from meterai.clock import now
from meterai.errors import Busy, NotFound
from meterai.people import store as people
from meterai.people.model import Scope
from meterai.people.signin import digest, new_key, open_session
from meterai.proving import faults
from meterai.proving.roles import COMPANY, ROLES
from meterai.proving.sample import sample_letter
from meterai.web.downloads import pdf_download
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.people import home_of, safe_path
from meterai.web.session import app_of, start_session


async def demo(request: Request) -> Response:
    """What can be tried here."""
    app = app_of(request)
    async with app.database.reading() as connection:
        fault = await faults.armed(connection)
        back = await documents.newest_restored(connection, size=5)
    return await page(request, "demo.html", roles=ROLES, fault=fault, kinds=faults.KINDS, back=back)


async def enter(request: Request) -> Response:
    """Signed in as one of the demo's people, with one tap."""
    chosen = next((r for r in ROLES if r.key == request.path_params["who"]), None)
    if chosen is None:
        raise NotFound
    async with app_of(request).database.transaction() as connection:
        token = await open_session(connection, chosen.party.id, now())
        visitor = await people.visitor(connection, digest(token))
    answer = RedirectResponse(home_of(visitor), 303)
    start_session(answer, token)
    return answer


async def break_something(request: Request) -> Response:
    """*Rusakkan sekarang*: the next affixing will fail, and its unit will come back by itself."""
    form = await own_form(request)
    kind = form.text("jenis")
    async with app_of(request).database.transaction() as connection:
        if kind in faults.KINDS:
            await faults.arm(connection, kind)
        else:
            await faults.disarm(connection)
    return RedirectResponse("/demo#rusak", 303)


async def pay(request: Request) -> Response:
    """*Bayar (simulasi)*: what a banking application would do."""
    app = app_of(request)
    form = await own_form(request)
    await _simulator(
        app.settings.payment_url, form.text("pesanan"), form.text("bagaimana", "normal")
    )
    return RedirectResponse(safe_path(form.text("lanjut")) or "/", 303)


async def _simulator(url: str | None, reference: str, how: str) -> dict[str, Any]:
    assert url is not None
    try:
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.post(
                f"{url}/simulate/pay", json={"reference": reference, "how": how}
            )
    except httpx.HTTPError as error:
        raise Busy from error
    return dict(msgspec.json.decode(answer.content))


async def api_key(request: Request) -> Response:
    """A key of the demo company, for the command line."""
    async with app_of(request).database.transaction() as connection:
        key = await new_key(connection, COMPANY.id, label="demo", scopes=frozenset(Scope))
    return JSONResponse({"key": key})


async def sample(_request: Request) -> Response:
    """A letter to try the stamp on."""
    return pdf_download(sample_letter(), "contoh-surat-pernyataan.pdf")


routes = [
    Route("/demo", demo),
    Route("/demo/masuk/{who}", enter),
    Route("/demo/rusakkan", break_something, methods=["POST"]),
    Route("/demo/bayar", pay, methods=["POST"]),
    Route("/demo/kunci-api", api_key, methods=["POST"]),
    Route("/demo/contoh.pdf", sample),
]
