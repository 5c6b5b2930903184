"""A committee checks a folder (*periksa banyak*): live, cross-checked, with a signed record at the end.

Nothing is kept here: each verdict goes back to the browser as a line that only this installation could have
written, and the record is made of the lines that are brought back.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meterai.affixing.reception import refuse_size
from meterai.clock import moment_said, now
from meterai.errors import Invalid
from meterai.pdf.errors import CannotStamp
from meterai.serial.model import grouped
from meterai.verification.batch import Checked
from meterai.verification.model import WORDS, Verdict
from meterai.verification.reasons import CHANGES, SENTENCES
from meterai.verification.record import (
    CHECKER_MAX,
    KIND,
    Mark,
    Record,
    Seen,
    line_of,
    read_lines,
    record_of,
    wording_of,
)
from meterai.verification.verify import verify
from meterai.web import session
from meterai.web.downloads import CSV, pdf_download, table_download
from meterai.web.forms import Form, SentFile, own_form
from meterai.web.pages import page
from meterai.web.words import in_language
from meterai.wiring import App

FILE_MAX = 32 * 1024 * 1024
FILES_WITHOUT_SCRIPT = 100
AT_ONCE = 2
"""Files of one form that the intake has at the same time: others wait for it, too."""
LINES_BYTES_MAX = 24 * 1024 * 1024
PICTURE_PX = 500

TONES: dict[Verdict, str] = {
    Verdict.GENUINE: "good",
    Verdict.GENUINE_OFFLINE: "good",
    Verdict.NEEDS_REVIEW: "wait",
    Verdict.UNREADABLE: "wait",
}
"""Which colour and sign go with a verdict; every other is bad."""


def _mark(app: App) -> Mark:
    return lambda content: app.vault.blind_index(content, b"verdict line")


async def _judge(app: App, file: SentFile) -> Seen:
    refuse_size(len(file.content), FILE_MAX)
    finding = await verify(app.database, app.intake, file.content, twice=False)
    return Seen(file.name, now(), finding)


async def ask(request: Request) -> Response:
    """Which folder, please."""
    return await _page(request, [], [])


async def check_one(request: Request) -> Response:
    """The verdict on one file of a folder, for the script of the page."""
    app = session.app_of(request)
    form = await own_form(request)
    file = form.files.get("berkas")
    if file is None:
        raise Invalid
    seen = await _judge(app, file)
    return JSONResponse(
        _told(seen, session.language_of(request)) | {"line": line_of(seen, _mark(app))}
    )


async def check_many(request: Request) -> Response:
    """The same for several files in one form, without script."""
    app = session.app_of(request)
    form = await own_form(request, files_max=FILES_WITHOUT_SCRIPT)
    files = [file for file in form.files_of("berkas") if file.content]
    if not files:
        raise Invalid
    turn = asyncio.Semaphore(AT_ONCE)

    async def judged(file: SentFile) -> Seen:
        async with turn:
            return await _judge(app, file)

    seen = list(await asyncio.gather(*(judged(file) for file in files)))
    return await _page(request, seen, record_of(seen).rows)


async def _page(request: Request, seen: Sequence[Seen], rows: Sequence[Checked]) -> Response:
    mark = _mark(session.app_of(request))
    language = session.language_of(request)
    return await page(
        request,
        "committee.html",
        rows=[
            _told(one, language) | {"twins": row.twins, "verdict": row.finding.verdict.value}
            for one, row in zip(seen, rows, strict=True)
        ],
        lines="\n".join(line_of(one, mark) for one in seen),
        verdicts=[(v.value, in_language(WORDS[v], language)) for v in Verdict],
        files_without_script=FILES_WITHOUT_SCRIPT,
    )


def _told(seen: Seen, language: str) -> dict[str, object]:
    """A verdict in the words of the page."""
    found = seen.finding
    true_file = found.true_file
    return {
        "name": seen.name,
        "verdict": found.verdict.value,
        "word": in_language(WORDS[found.verdict], language),
        "tone": TONES.get(found.verdict, "bad"),
        "reason": found.reason,
        "sentence": in_language(SENTENCES[found.reason], language),
        "change": None if found.change is None else in_language(CHANGES[found.change], language),
        "serials": list(found.serials),
        "serials_said": [grouped(serial) for serial in found.serials],
        "sha256": found.sha256.hex(),
        "signed_sha256": None if found.signed_sha256 is None else found.signed_sha256.hex(),
        "sealed_at": _moment(found.sealed_at, language),
        "checked_at": _moment(seen.checked_at, language),
        "last_good_bytes": found.last_good_bytes,
        "true_file": None
        if true_file is None
        else {"affixed_at": _moment(true_file.affixed_at, language), "pages": true_file.pages},
    }


def _moment(moment: datetime | None, language: str) -> str | None:
    return None if moment is None else moment_said(moment, language)


async def picture(request: Request) -> Response:
    """How the first page of a file looks, to hold two files side by side."""
    app = session.app_of(request)
    form = await own_form(request)
    file = form.files.get("berkas")
    if file is None:
        raise Invalid
    refuse_size(len(file.content), FILE_MAX)
    try:
        shown = await app.intake.picture(file.content, 1, PICTURE_PX)
    except CannotStamp as error:
        raise Invalid from error
    return Response(shown, media_type="image/webp")


async def record(request: Request) -> Response:
    """The record of the lines that were brought back: a sealed PDF, or the table in it alone."""
    app = session.app_of(request)
    form = await own_form(request, field_bytes_max=LINES_BYTES_MAX)
    lines = form.long_text("hasil")
    found = await asyncio.to_thread(lambda: record_of(read_lines(lines, _mark(app))))
    name = f"berita-acara-{now():%Y%m%d-%H%M}"
    if form.text("bentuk") == "csv":
        return table_download(found.table, f"{name}.csv", CSV)
    return pdf_download(await _paper(app, found, form), f"{name}.pdf")


async def _paper(app: App, found: Record, form: Form) -> bytes:
    facts = found.facts(form.text("pemeriksa")[:CHECKER_MAX] or "-", "server")
    how = f"meterai proof verify FILE --keys {app.settings.base_url}"
    wording = await asyncio.to_thread(wording_of, found, facts, how)
    return await app.write_paper(app.statements.sign(KIND, facts), wording)


routes = [
    Route("/cek/banyak", ask),
    Route("/cek/banyak", check_many, methods=["POST"]),
    Route("/cek/satu", check_one, methods=["POST"]),
    Route("/cek/halaman", picture, methods=["POST"]),
    Route("/cek/berita-acara", record, methods=["POST"]),
]
