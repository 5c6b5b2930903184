"""Checking a stamped file: public, one file, no captcha, one verdict with its reason."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterai.affixing.reception import refuse_size
from meterai.errors import NotFound, Text
from meterai.intake.errors import TooHeavy
from meterai.serial import store as serials
from meterai.serial.model import SerialState, read_number
from meterai.signing.statement import Statement
from meterai.verification.model import WORDS, Finding, Verdict
from meterai.verification.reasons import CHANGES, CHECKS, SENTENCES
from meterai.verification.verify import verify
from meterai.web import session
from meterai.web.downloads import pdf_download
from meterai.web.forms import Form, SentFile, own_form
from meterai.web.pages import page
from meterai.web.session import app_of
from meterai.web.words import statement_kind
from meterai.wiring import App

FILE_MAX = 32 * 1024 * 1024


class NothingWhole(NotFound):
    """No part of the file is as it was sealed."""

    code = "nothing_whole"
    says = Text(
        "Tidak ada bagian berkas ini yang masih utuh seperti saat disegel.",
        "No part of this file is still as it was sealed.",
    )
    next_step = Text("Minta berkas aslinya.", "Ask for the original file.")


async def ask(request: Request) -> Response:
    """Which file, please."""
    return await page(request, "check.html")


async def _examined(request: Request) -> tuple[Form, SentFile, Finding]:
    """The form, the file that it brought, and the verdict on that."""
    app = app_of(request)
    form = await own_form(request)
    sent = form.file("berkas")
    refuse_size(len(sent.content), FILE_MAX)
    return form, sent, await verify(app.database, app.intake, sent.content)


async def check(request: Request) -> Response:
    """The verdict on the file that was sent; it is not kept."""
    app = app_of(request)
    form, sent, finding = await _examined(request)
    stated = None
    if finding.verdict in (Verdict.NOT_A_STAMP, Verdict.UNREADABLE):
        stated = await _statement_in(app, sent.content)
    expected = read_number(form.text("seri")) if form.text("seri") else None
    return await page(
        request,
        "verdict.html",
        finding=finding,
        file_name=sent.name,
        word=WORDS[finding.verdict],
        checks=CHECKS,
        changes=CHANGES,
        stated=stated,
        statement_word=""
        if stated is None
        else statement_kind(stated.kind, session.language_of(request)),
        sentence=SENTENCES[finding.reason],
        other_serial=expected is not None and expected not in finding.serials,
    )


async def _statement_in(app: App, content: bytes) -> Statement | None:
    """What a receipt, certificate or record of ours says that somebody brings to be checked."""
    try:
        return await app.intake.read(content)
    except TooHeavy:
        return None


async def last_good(request: Request) -> Response:
    """The beginning of the file that is still as it was sealed, to be saved. The file is sent once more:
    it was not kept.
    """
    _, sent, finding = await _examined(request)
    if finding.last_good_bytes is None:
        raise NothingWhole
    return pdf_download(sent.content[: finding.last_good_bytes], sent.name, ending="-utuh")


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
        coded=bool(given),
        serial=known,
        SerialState=SerialState,
    )


routes = [
    Route("/cek", ask),
    Route("/cek", check, methods=["POST"]),
    Route("/cek/utuh", last_good, methods=["POST"]),
    Route("/c/{serial}", scanned),
]
