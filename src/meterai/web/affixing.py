"""Where the mark shall stand, and what became of it: the pages behind a document's secret link."""

import contextlib

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing import documents, store
from meterai.affixing.errors import (
    AlreadyUnderWay,
    DocumentDeleted,
    NoSuchDocument,
    NotAffixed,
    NothingRestored,
    PageMissing,
)
from meterai.affixing.model import Affixing, AffixingState, Document, Lane
from meterai.affixing.placing import (
    CORNERS,
    as_suggested,
    corner_place,
    exact_place,
    first_choice,
    mark_mm_on,
    page_at,
)
from meterai.affixing.reservation import AffixingWish
from meterai.affixing.restoration import cancel as cancel_affixing
from meterai.ids import tidy_code
from meterai.pdf.findings import sentence_of
from meterai.pdf.inspection import Inspection
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.sale import store as orders
from meterai.sale.model import OrderState
from meterai.serial import store as serials
from meterai.web.downloads import pdf_download
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.papers import restoration_paper
from meterai.web.session import app_of, language_of
from meterai.web.words import state as state_words

PICTURE_PX = 720


async def document_here(request: Request) -> Document:
    """The document behind this address. Raises :class:`NoSuchDocument` and :class:`DocumentDeleted`."""
    async with app_of(request).database.reading() as connection:
        document = await documents.behind_link(connection, request.path_params["link"])
    if document.deleted_at is not None and not request.url.path.startswith("/hasil/"):
        raise DocumentDeleted
    return document


async def place(request: Request) -> Response:
    """The page with the suggested place of the mark."""
    document = await document_here(request)
    wanted = request.query_params.get("hal")
    number = int(wanted) if wanted and wanted.isdecimal() else None
    where = request.query_params.get("letak", "saran")
    if where not in (*CORNERS, "saran", "sendiri"):
        where = "saran"
    return await _place_page(request, document, number, where)


async def _place_page(
    request: Request, document: Document, number: int | None, where: str
) -> Response:
    app = app_of(request)
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    chosen = document.place
    number = number or (chosen.page if chosen else first_choice(inspection))
    page_at(inspection, number)
    if where == "sendiri" and chosen is not None and chosen.page == number:
        at = chosen
    elif where in CORNERS:
        at = corner_place(inspection, number, CORNERS[where])
    else:
        source = await app.objects.get(document.object)
        at = as_suggested(await app.intake.suggest(source, number))
    shape = inspection.shapes[number - 1]
    return await page(
        request,
        "place.html",
        document=document,
        notes=[sentence_of(f, language_of(request)) for f in inspection.findings],
        link=request.path_params["link"],
        number=number,
        shape=shape,
        at=at,
        where=where,
        mark_mm=mark_mm_on(shape),
    )


async def set_place(request: Request) -> Response:
    """The chosen place is kept; on to paying."""
    document = await document_here(request)
    form = await own_form(request)
    link = request.path_params["link"]
    number = form.whole("hal", document.pages)
    where = form.text("letak", "sendiri")
    if form.flag("lihat"):
        return RedirectResponse(f"/bubuhkan/{link}?hal={number}&letak={where}", 303)
    inspection = msgspec.json.decode(document.inspection, type=Inspection)
    page_at(inspection, number)
    if where in CORNERS:
        chosen = corner_place(inspection, number, CORNERS[where])
    else:
        left, top = form.number("kiri"), form.number("atas")
        chosen = exact_place(inspection, number, left_mm=left, top_mm=top)
    async with app_of(request).database.transaction() as connection:
        await documents.set_place(
            connection, document.id, chosen, still_to_sign=form.flag("masih_ditandatangani")
        )
    return RedirectResponse(f"/bayar/{link}", 303)


async def picture(request: Request) -> Response:
    """A page of the document as the intake renders it."""
    document = await document_here(request)
    app = app_of(request)
    source = await app.objects.get(document.object)
    number = request.path_params["page"]
    if not 1 <= number <= document.pages:
        raise PageMissing(pages=document.pages)
    shown = await app.intake.picture(source, number, PICTURE_PX)
    return Response(
        shown, media_type="image/webp", headers={"cache-control": "private, max-age=3600"}
    )


async def result(request: Request) -> Response:
    """What became of the document: progress, download, or the unit that came back."""
    app = app_of(request)
    document = await document_here(request)
    link = request.path_params["link"]
    async with app.database.reading() as connection:
        affixing = await store.newest_of_document(connection, document.id)
        order = await orders.newest_for_document(connection, document.id)
        held = total(await holdings(connection, document.party))
        numbers = [] if affixing is None else await serials.of_affixing(connection, affixing.id)
        ahead = 0
        if affixing is not None and affixing.state is AffixingState.WAITING:
            ahead = await store.ahead_of(connection, affixing)
    if affixing is None and (order is None or order.state is not OrderState.PAID):
        return RedirectResponse(f"/bayar/{link}" if document.place else f"/bubuhkan/{link}", 303)
    return await page(
        request,
        "result.html",
        document=document,
        affixing=affixing,
        order=order,
        held=held,
        serials=[serial.number for serial in numbers],
        ahead=ahead,
        link=link,
        under_way=affixing is None or not affixing.state.final,
    )


async def progress(request: Request) -> Response:
    """The same in a few bytes, for the page to ask again and again."""
    document = await document_here(request)
    async with app_of(request).database.reading() as connection:
        affixing = await store.newest_of_document(connection, document.id)
        order = await orders.newest_for_document(connection, document.id)
    if affixing is None:
        paid = order is not None and order.state is OrderState.PAID
        return JSONResponse({"state": "received" if paid else "unpaid", "final": False})
    return JSONResponse(
        {
            "state": affixing.state.value,
            "label": state_words(affixing, language_of(request)),
            "final": affixing.state.final,
        }
    )


async def _newest(request: Request) -> tuple[Document, Affixing]:
    document = await document_here(request)
    async with app_of(request).database.reading() as connection:
        affixing = await store.newest_of_document(connection, document.id)
    if affixing is None:
        raise NotAffixed
    return document, affixing


async def download(request: Request) -> Response:
    """The stamped file; only what is settled is ever handed out."""
    document, affixing = await _newest(request)
    if document.deleted_at is not None:
        raise DocumentDeleted
    if affixing.state is not AffixingState.AFFIXED or affixing.object is None:
        raise NotAffixed
    content = await app_of(request).objects.get(affixing.object)
    return pdf_download(content, document.file_name, ending="-bermeterai")


async def certificate(request: Request) -> Response:
    """The restoration certificate, as a sealed PDF or as the bare statement."""
    _, affixing = await _newest(request)
    if affixing.certificate is None:
        raise NothingRestored
    if request.url.path.endswith(".jws"):
        return Response(
            affixing.certificate,
            media_type="application/jose",
            headers={"content-disposition": 'attachment; filename="bukti-kuota-kembali.jws"'},
        )
    content = await restoration_paper(app_of(request), affixing)
    return pdf_download(content, "bukti-kuota-kembali.pdf")


async def again(request: Request) -> Response:
    """*Bubuhkan ulang*: the restored unit, a new serial, the same file and place; no upload."""
    document, _ = await _newest(request)
    await own_form(request)
    wish = AffixingWish.for_document(document, lane=Lane.PEOPLE)
    with contextlib.suppress(AlreadyUnderWay):  # a second tap finds what the first one began
        await app_of(request).reservations.submit(wish)
    return RedirectResponse(f"/hasil/{request.path_params['link']}", 303)


async def cancel(request: Request) -> Response:
    """Taken back while it waited; the unit is available again."""
    document, affixing = await _newest(request)
    await own_form(request)
    app = app_of(request)
    async with app.database.transaction() as connection:
        await cancel_affixing(connection, app.statements, affixing.id, document.party)
    return RedirectResponse(f"/hasil/{request.path_params['link']}", 303)


async def delete(request: Request) -> Response:
    """*Hapus sekarang*: the files are gone; history, receipt and registry stay."""
    document = await document_here(request)
    await own_form(request)
    app = app_of(request)
    async with app.database.transaction() as connection:
        newest = await store.newest_of_document(connection, document.id)
        if newest is not None and not newest.state.final:
            raise NotAffixed
        names = await documents.delete(connection, document.id)
    for name in names:
        await app.objects.delete(name)
    return RedirectResponse(f"/hasil/{request.path_params['link']}", 303)


async def track(request: Request) -> Response:
    """What a short code shows: the status, nothing that opens a file."""
    async with app_of(request).database.reading() as connection:
        try:
            document = await documents.with_code(connection, tidy_code(request.path_params["code"]))
        except NoSuchDocument:
            document = None
        affixing = (
            None if document is None else await store.newest_of_document(connection, document.id)
        )
    return await page(
        request,
        "track.html",
        status=200 if document else 404,
        code=tidy_code(request.path_params["code"]),
        known=document is not None,
        received_at=None if document is None else document.received_at,
        affixing=affixing,
    )


routes = [
    Route("/bubuhkan/{link}", place),
    Route("/bubuhkan/{link}", set_place, methods=["POST"]),
    Route("/bubuhkan/{link}/halaman/{page:int}.webp", picture),
    Route("/hasil/{link}", result),
    Route("/hasil/{link}/keadaan.json", progress),
    Route("/hasil/{link}/berkas.pdf", download),
    Route("/hasil/{link}/bukti.pdf", certificate),
    Route("/hasil/{link}/bukti.jws", certificate),
    Route("/hasil/{link}/ulang", again, methods=["POST"]),
    Route("/hasil/{link}/batal", cancel, methods=["POST"]),
    Route("/hasil/{link}/hapus", delete, methods=["POST"]),
    Route("/lacak/{code}", track),
]
