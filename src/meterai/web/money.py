"""*Uang masuk dan keluar*, for officers: what fits nowhere, what is unusable, what goes back, deposits."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.affixing.paid import take_payments
from meterai.channel import stock
from meterai.clock import WIB, now
from meterai.db.connection import Connection
from meterai.errors import Invalid
from meterai.payment import store as payments
from meterai.payment.errors import NoProvider
from meterai.payment.settlement import read, take_in
from meterai.people.model import Role
from meterai.refund import payout, store
from meterai.refund.asking import claim
from meterai.treasury import deposits
from meterai.web.forms import Form, own_form
from meterai.web.pages import page
from meterai.web.session import app_of, with_role


async def money(request: Request) -> Response:
    """Everything about money that a person has to see or decide."""
    await with_role(request, Role.OFFICER)
    async with app_of(request).database.reading() as connection:
        return await page(
            request,
            "money.html",
            unplaced=await payments.unplaced(connection, size=50),
            letters=await payments.letters(connection),
            waiting=await store.waiting(connection),
            ended=await store.newest(connection, size=20),
            deposits=[d for d in await deposits.deposits(connection) if d.confirmed_at is None],
            alarms=sorted(await stock.alarms(connection)),
            today=now().astimezone(WIB).date(),
        )


def _does(
    act: Callable[[Connection, UUID, UUID, Form], Awaitable[object]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        visitor = await with_role(request, Role.OFFICER)
        assert visitor.party is not None
        form = await own_form(request)
        async with app_of(request).database.transaction() as connection:
            await act(connection, request.path_params["id"], visitor.party.id, form)
        return RedirectResponse("/operator/uang", 303)

    return answer


async def _approve(connection: Connection, id: UUID, person: UUID, _form: Form) -> None:
    await payout.approve(connection, id, person)


async def _decline(connection: Connection, id: UUID, _person: UUID, _form: Form) -> None:
    await payout.decline(connection, id)


async def _again(connection: Connection, id: UUID, _person: UUID, _form: Form) -> None:
    await payout.try_again(connection, id)


async def _by_hand(connection: Connection, id: UUID, _person: UUID, form: Form) -> None:
    number = form.text("nomor")[:60]
    if not number:
        raise Invalid
    await payout.pay_by_hand(connection, id, number)


async def _claim(connection: Connection, id: UUID, person: UUID, _form: Form) -> None:
    await claim(connection, id, now(), by=person)


async def _confirm(connection: Connection, id: UUID, person: UUID, form: Form) -> None:
    await deposits.confirm(connection, id, form.text("ntpn"), person)


async def settlement(request: Request) -> Response:
    """The provider's file of a day is laid beside the books; what differs is listed to the rupiah.

    Sending the same file again changes nothing and shows the same.
    """
    visitor = await with_role(request, Role.OFFICER)
    assert visitor.party is not None
    app = app_of(request)
    form = await own_form(request)
    if app.provider is None:
        raise NoProvider
    try:
        day = date.fromisoformat(form.text("hari"))
        content = form.files["berkas"].content
    except (ValueError, KeyError) as error:
        raise Invalid from error
    wanted = [line.external_id for line in read(content) if line.kind == "refund"]
    async with app.database.transaction() as connection:
        laid = await take_in(
            connection,
            app.provider.name,
            day,
            content,
            refunds=await store.paid_amounts(connection, wanted),
            by=visitor.party.id,
        )
        placed = await take_payments(connection, laid.found) if laid.found else {}
    return await page(
        request,
        "settlement.html",
        laid=laid,
        day_of_file=day,
        credited=sum(match.order is not None for match, _ in placed.values()),
    )


routes = [
    Route("/operator/uang", money),
    Route("/operator/uang/berkas", settlement, methods=["POST"]),
    Route("/operator/uang/kembali/{id:uuid}/setujui", _does(_approve), methods=["POST"]),
    Route("/operator/uang/kembali/{id:uuid}/tolak", _does(_decline), methods=["POST"]),
    Route("/operator/uang/kembali/{id:uuid}/ulang", _does(_again), methods=["POST"]),
    Route("/operator/uang/kembali/{id:uuid}/tangan", _does(_by_hand), methods=["POST"]),
    Route("/operator/uang/pembayaran/{id:uuid}/kembalikan", _does(_claim), methods=["POST"]),
    Route("/operator/uang/setoran/{id:uuid}/pasti", _does(_confirm), methods=["POST"]),
]
