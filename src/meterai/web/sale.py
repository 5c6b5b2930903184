"""Paying: for one document, or for quota in advance."""

from dataclasses import replace
from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing import documents, store
from meterai.affixing.errors import NoPlaceYet, QuotaShort
from meterai.affixing.model import Document, Lane
from meterai.affixing.reservation import AffixingWish
from meterai.channel import store as channels
from meterai.channel.model import ChannelId
from meterai.clock import now
from meterai.errors import Invalid, MeteraiError
from meterai.ids import new_id
from meterai.money import Units
from meterai.payment.errors import NoProvider
from meterai.people import store as people
from meterai.people.model import PartyKind, read_phone
from meterai.people.signin import phone_index, seal_phone
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.sale import store as orders
from meterai.sale.checkout import Wish, ask_for_qr, cancel, place
from meterai.sale.counter import redeem_code
from meterai.sale.errors import NoSuchOrder
from meterai.sale.model import Order, OrderState
from meterai.sale.paper import PaperKind, issue_paper
from meterai.web.affixing import document_here
from meterai.web.downloads import pdf_download
from meterai.web.forms import Form, own_form
from meterai.web.pages import page
from meterai.web.papers import invoice_paper, receipt_paper
from meterai.web.qr import qr_svg
from meterai.web.session import app_of, signed_in
from meterai.web.words import DOCUMENT_KINDS
from meterai.wiring import App


async def pay(request: Request) -> Response:
    """The price in its two parts, a telephone number, and then the QR code to pay."""
    app = app_of(request)
    document = await document_here(request)
    if document.place is None:
        return RedirectResponse(f"/bubuhkan/{request.path_params['link']}", 303)
    async with app.database.reading() as connection:
        affixing = await store.newest_of_document(connection, document.id)
        order = await orders.newest_for_document(connection, document.id)
        terms = await channels.terms_at(connection, ChannelId(document.channel))
        held = total(await holdings(connection, document.party))
    if affixing is not None or (order is not None and order.state is OrderState.PAID):
        return RedirectResponse(f"/hasil/{request.path_params['link']}", 303)
    waiting = order if order is not None and order.state is OrderState.PLACED else None
    return await page(
        request,
        "pay.html",
        document=document,
        link=request.path_params["link"],
        price=terms.price(Units(1)),
        order=waiting,
        expired=order is not None and order.state is OrderState.EXPIRED,
        qr=None if waiting is None else await qr_of(app, waiting),
        held=held,
        kinds=DOCUMENT_KINDS,
        open_for_sale=app.provider is not None,
        seconds_left=0
        if waiting is None
        else max(0, int((waiting.expires_at - now()).total_seconds())),
    )


async def qr_of(app: App, order: Order) -> str | None:
    """What the order's QR code says. Raises :class:`NoProvider`."""
    if app.provider is None:
        raise NoProvider
    request = await ask_for_qr(app.database, app.provider, order)
    return request.qris


async def _placed(request: Request) -> tuple[Document, Form]:
    """The document and the form sent for it. Raises :class:`NoPlaceYet` until its mark has a place."""
    document = await document_here(request)
    form = await own_form(request)
    if document.place is None:
        raise NoPlaceYet
    return document, form


async def order_or_use_quota(request: Request) -> Response:
    """Either quota is used at once, or an order is placed under a telephone number."""
    app = app_of(request)
    document, form = await _placed(request)
    link = request.path_params["link"]
    details = documents.Details(
        kind=form.text("jenis") if form.text("jenis") in DOCUMENT_KINDS else None,
        number=form.text("nomor")[:80] or None,
        dated=_date(form.text("tanggal")),
    )
    if form.text("cara") == "kuota":
        await _use_quota(app, document, details, repeat_wanted=form.flag("ulangi"))
        return RedirectResponse(f"/hasil/{link}", 303)
    if app.provider is None:
        raise NoProvider
    phone = read_phone(form.text("telepon"))
    async with app.database.transaction() as connection:
        locked = await documents.lock_all(connection, [document.id])
        order = await orders.newest_for_document(connection, document.id)
        if order is None or order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
            await documents.set_details(connection, document.id, details)
            owner = await people.party(connection, locked[document.id].party)
            if owner is not None and owner.kind is PartyKind.GUEST:
                await people.set_phone(
                    connection,
                    owner.id,
                    phone=seal_phone(app.vault, phone),
                    phone_index=phone_index(app.vault, phone),
                )
            wish = Wish.new(
                document.party,
                ChannelId(document.channel),
                1,
                document.id,
                buyer=phone_index(app.vault, phone),
            )
            await place(connection, wish, app.provider.name)
    return RedirectResponse(f"/bayar/{link}", 303)


async def use_voucher(request: Request) -> Response:
    """The units of a voucher are the document's, which waits to be stamped."""
    app = app_of(request)
    document, form = await _placed(request)
    link = request.path_params["link"]
    async with app.database.transaction() as connection:
        said = await redeem_code(connection, app.vault, form.text("kode"), document.party, now())
    if isinstance(said, MeteraiError):
        raise said
    await _use_quota(app, document, documents.Details(None, None, None), repeat_wanted=True)
    return RedirectResponse(f"/hasil/{link}", 303)


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise Invalid from error


async def _use_quota(
    app: App, document: Document, details: documents.Details, *, repeat_wanted: bool
) -> None:
    async with app.database.transaction() as connection:
        await documents.set_details(connection, document.id, details)
        held = await holdings(connection, document.party)
    channel = next((h.channel for h in held if h.available > 0), None)
    if channel is None:
        raise QuotaShort
    await app.reservations.submit(
        AffixingWish(
            id=new_id(),
            document=document.id,
            party=document.party,
            channel=ChannelId(channel),
            lane=Lane.PEOPLE,
            repeat_wanted=repeat_wanted,
        )
    )


async def payment_state(request: Request) -> Response:
    """Whether the order of this document is paid, in a few bytes."""
    document = await document_here(request)
    async with app_of(request).database.reading() as connection:
        order = await orders.newest_for_document(connection, document.id)
    state = "none" if order is None else order.state.value
    return JSONResponse({"state": state, "final": state in ("paid", "expired", "cancelled")})


async def cancel_order(request: Request) -> Response:
    """The order is taken back before paying; another number or channel may be chosen."""
    document = await document_here(request)
    await own_form(request)
    app = app_of(request)
    async with app.database.transaction() as connection:
        order = await orders.newest_for_document(connection, document.id)
        if order is None:
            raise NoSuchOrder
        await cancel(connection, order.id, document.party)
    return RedirectResponse(f"/bayar/{request.path_params['link']}", 303)


async def document_qr(request: Request) -> Response:
    """The QR code to pay, as a picture that can be saved."""
    app = app_of(request)
    document = await document_here(request)
    async with app.database.reading() as connection:
        order = await orders.newest_for_document(connection, document.id)
    return await qr_picture(app, order)


async def qr_picture(app: App, order: Order | None) -> Response:
    """The QR code to pay a waiting order, as a picture that can be saved."""
    if order is None or order.state is not OrderState.PLACED:
        raise NoSuchOrder
    text = await qr_of(app, order)
    if text is None:
        raise NoSuchOrder
    return Response(
        qr_svg(text), media_type="image/svg+xml", headers={"cache-control": "private, max-age=900"}
    )


async def document_receipt(request: Request) -> Response:
    """*Kuitansi* for the order of this document."""
    app = app_of(request)
    document = await document_here(request)
    async with app.database.reading() as connection:
        order = await orders.newest_for_document(connection, document.id)
    return await _receipt(app, order)


async def _receipt(app: App, order: Order | None) -> Response:
    if order is None or order.state is not OrderState.PAID:
        raise NoSuchOrder
    async with app.database.transaction() as connection:
        paper = await issue_paper(connection, order, PaperKind.RECEIPT, now())
    return pdf_download(await receipt_paper(app, order, paper), f"kuitansi-{order.reference}.pdf")


async def buy_quota(request: Request) -> Response:
    """An order for quota in advance; on to paying it."""
    party = await signed_in(request)
    app = app_of(request)
    form = await own_form(request)
    if app.provider is None:
        raise NoProvider
    async with app.database.reading() as connection:
        number = await people.phone_index_of(connection, party.id)
    wish = Wish.new(party.id, app.channel, form.whole("keping", 1), buyer=number)
    order = await app.orders.submit(replace(wish, provider=app.provider.name))
    return RedirectResponse(f"/pesanan/{order.id}", 303)


async def _own_order(request: Request) -> Order:
    party = await signed_in(request)
    async with app_of(request).database.reading() as connection:
        order = await orders.find(connection, request.path_params["id"])
    if order is None or order.party != party.id:
        raise NoSuchOrder
    return order


async def order_page(request: Request) -> Response:
    """One order of quota: the QR code to pay, or what became of it."""
    app = app_of(request)
    order = await _own_order(request)
    waiting = order.state is OrderState.PLACED
    left = max(0, int((order.expires_at - now()).total_seconds()))
    return await page(
        request,
        "order.html",
        order=order,
        qr=await qr_of(app, order) if waiting and left else None,
        seconds_left=left,
    )


async def order_qr(request: Request) -> Response:
    """Its QR code as a picture."""
    return await qr_picture(app_of(request), await _own_order(request))


async def order_receipt(request: Request) -> Response:
    """Its *kuitansi*."""
    return await _receipt(app_of(request), await _own_order(request))


async def order_invoice(request: Request) -> Response:
    """Its *tagihan*."""
    app = app_of(request)
    order = await _own_order(request)
    async with app.database.transaction() as connection:
        paper = await issue_paper(connection, order, PaperKind.INVOICE, now())
    return pdf_download(await invoice_paper(app, order, paper), f"tagihan-{order.reference}.pdf")


async def order_state(request: Request) -> Response:
    """Whether it is paid, in a few bytes."""
    order = await _own_order(request)
    final = order.state is not OrderState.PLACED
    return JSONResponse({"state": order.state.value, "final": final})


routes = [
    Route("/bayar/{link}", pay),
    Route("/bayar/{link}", order_or_use_quota, methods=["POST"]),
    Route("/bayar/{link}/keadaan.json", payment_state),
    Route("/bayar/{link}/qris.svg", document_qr),
    Route("/bayar/{link}/batal", cancel_order, methods=["POST"]),
    Route("/bayar/{link}/voucher", use_voucher, methods=["POST"]),
    Route("/hasil/{link}/kuitansi.pdf", document_receipt),
    Route("/kuota/beli", buy_quota, methods=["POST"]),
    Route("/pesanan/{id:uuid}", order_page),
    Route("/pesanan/{id:uuid}/keadaan.json", order_state),
    Route("/pesanan/{id:uuid}/qris.svg", order_qr),
    Route("/pesanan/{id:uuid}/kuitansi.pdf", order_receipt),
    Route("/pesanan/{id:uuid}/tagihan.pdf", order_invoice),
]
