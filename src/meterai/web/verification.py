"""Checking a stamped file: public, one file, no captcha, one verdict with its reason."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterai.affixing.reception import refuse_size
from meterai.errors import Invalid
from meterai.serial import store as serials
from meterai.serial.model import SerialState, read_number
from meterai.verification.model import WORDS
from meterai.verification.reasons import CHECKS, SENTENCES
from meterai.verification.verify import verify
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.session import app_of

FILE_MAX = 32 * 1024 * 1024


async def ask(request: Request) -> Response:
    """Which file, please."""
    return await page(request, "check.html")


async def check(request: Request) -> Response:
    """The verdict on the file that was sent; it is not kept."""
    app = app_of(request)
    form = await own_form(request)
    sent = form.files.get("berkas")
    if sent is None or not sent.content:
        raise Invalid
    refuse_size(len(sent.content), FILE_MAX)
    finding = await verify(app.database, app.intake, sent.content)
    expected = read_number(form.text("seri")) if form.text("seri") else None
    return await page(
        request,
        "verdict.html",
        finding=finding,
        file_name=sent.name,
        word=WORDS[finding.verdict],
        checks=CHECKS,
        sentence=SENTENCES[finding.reason],
        other_serial=expected is not None and expected not in finding.serials,
    )


async def scanned(request: Request) -> Response:
    """What a QR code opens: what is known of the serial, and that a scan alone proves no file."""
    app = app_of(request)
    number = read_number(request.path_params["serial"])
    given = request.query_params.get("m", "")
    genuine_code = number is not None and app.vault.is_short_mac(number.encode(), given)
    known = None
    if number is not None and genuine_code:
        async with app.database.reading() as connection:
            known = await serials.find(connection, number)
    return await page(
        request,
        "serial.html",
        status=200 if known else 404,
        number=number or "",
        genuine_code=genuine_code,
        serial=known,
        SerialState=SerialState,
    )


routes = [
    Route("/cek", ask),
    Route("/cek", check, methods=["POST"]),
    Route("/c/{serial}", scanned),
]
