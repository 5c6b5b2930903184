"""*Riwayat pembubuhan*, quota by state, and the purchases beside them."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing import documents, store
from meterai.affixing.errors import NoSuchDocument, NotAffixed, NothingRestored
from meterai.affixing.model import Affixing, AffixingState, Document
from meterai.affixing.reservation import AffixingWish
from meterai.channel import store as channels
from meterai.ledger import store as ledger
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.sale import store as orders
from meterai.web.downloads import pdf_download
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.papers import restoration_paper
from meterai.web.session import app_of, signed_in, visitor_of
from meterai.web.words import STATES


async def history(request: Request) -> Response:
    """Every affixing with its state, reason and next step; purchases; quota."""
    await signed_in(request)
    visitor = await visitor_of(request)
    parties = [party.id for party in visitor.holders]
    wanted = request.query_params.get("status")
    chosen = wanted if wanted in {state.value for state in AffixingState} else None
    async with app_of(request).database.reading() as connection:
        entries = await documents.history(connection, parties, state=chosen)
        purchases = await orders.of_parties(connection, parties)
        held = total([h for party in parties for h in await holdings(connection, party)])
    return await page(
        request,
        "history.html",
        entries=entries,
        purchases=purchases,
        held=held,
        chosen=chosen,
        states=STATES,
    )


async def quota(request: Request) -> Response:
    """Units by state, channel by channel, and buying more."""
    await signed_in(request)
    visitor = await visitor_of(request)
    app = app_of(request)
    async with app.database.reading() as connection:
        held = {party: await holdings(connection, party.id) for party in visitor.holders}
        terms = await channels.terms_at(connection, app.channel)
    return await page(
        request,
        "quota.html",
        held=held,
        sums=total([h for rows in held.values() for h in rows]),
        terms=terms,
        open_for_sale=app.provider is not None,
    )


async def _own(request: Request) -> tuple[Document, Affixing]:
    await signed_in(request)
    visitor = await visitor_of(request)
    async with app_of(request).database.reading() as connection:
        affixing = await store.find(connection, request.path_params["id"])
        if affixing is None or affixing.party not in {p.id for p in visitor.holders}:
            raise NoSuchDocument
        return await documents.find(connection, affixing.document), affixing


async def one(request: Request) -> Response:
    """One affixing with its ledger lines."""
    document, affixing = await _own(request)
    async with app_of(request).database.reading() as connection:
        lines = await ledger.transfers_about(connection, affixing.id)
        (entry,) = [
            e
            for e in await documents.history(connection, [affixing.party], size=1000)
            if e.affixing.id == affixing.id
        ]
    return await page(
        request, "affixing.html", document=document, affixing=affixing, lines=lines, entry=entry
    )


async def download(request: Request) -> Response:
    """The stamped file again."""
    document, affixing = await _own(request)
    if affixing.state is not AffixingState.AFFIXED or affixing.object is None:
        raise NotAffixed
    content = await app_of(request).objects.get(affixing.object)
    return pdf_download(content, document.file_name, ending="-bermeterai")


async def certificate(request: Request) -> Response:
    """The restoration certificate."""
    _, affixing = await _own(request)
    if affixing.certificate is None:
        raise NothingRestored
    return pdf_download(
        await restoration_paper(app_of(request), affixing), "bukti-kuota-kembali.pdf"
    )


async def again(request: Request) -> Response:
    """*Bubuhkan ulang* from the history."""
    document, affixing = await _own(request)
    await own_form(request)
    wish = AffixingWish.for_document(document, party=affixing.party)
    granted = await app_of(request).reservations.submit(wish)
    return RedirectResponse(f"/riwayat/{granted.id}", 303)


routes = [
    Route("/riwayat", history),
    Route("/riwayat/{id:uuid}", one),
    Route("/riwayat/{id:uuid}/berkas.pdf", download),
    Route("/riwayat/{id:uuid}/bukti.pdf", certificate),
    Route("/riwayat/{id:uuid}/ulang", again, methods=["POST"]),
    Route("/kuota", quota),
]
