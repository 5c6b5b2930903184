"""A payment comes in: matched to its order, and the document it was for is reserved in the same commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from meterai.affixing import documents
from meterai.affixing.model import Affixing, Lane
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection
from meterai.errors import Busy, MeteraiError
from meterai.ids import kin
from meterai.payment import store as payments
from meterai.payment.model import NoticeState, PaymentNotice, Reported
from meterai.sale import store as orders
from meterai.sale.matching import Match, match_all
from meterai.sale.model import Order

_log = structlog.get_logger(__name__)

_FIRST = 9


@dataclass(frozen=True, slots=True)
class Report:
    """A payment as somebody reports it, and by which way the news came (``callback``, ``inquiry`` …)."""

    reported: Reported
    how: str


Taken = tuple[Match, Affixing | MeteraiError | None]
"""What became of a payment, and of the document it was for."""


async def take_reports(
    connection: Connection, reports: Sequence[Report]
) -> list[PaymentNotice | MeteraiError]:
    """Each reported payment is recorded once and, if nothing hinders it, credited or unplaced.

    What hinders matching never undoes the recording: the clock matches later what is left here.
    """
    recorded = await payments.record_notices(connection, [(r.reported, r.how) for r in reports])
    answers: list[PaymentNotice | MeteraiError] = [
        said if isinstance(said, MeteraiError) else said[0] for said in recorded
    ]
    new = [
        notice.id
        for notice in answers
        if not isinstance(notice, MeteraiError) and notice.state is NoticeState.NEW
    ]
    if new:
        try:
            async with connection.transaction():
                await take_payments(connection, list(dict.fromkeys(new)))
        except Busy:
            raise
        except MeteraiError as error:
            _log.warning("matching_postponed", payments=len(new), code=error.code)
    return answers


async def take_payment(connection: Connection, notice: UUID) -> Taken:
    """The payment is credited or unplaced; if its order was for a document, that waits to be affixed.

    When the document cannot be reserved (it was deleted meanwhile, say) the units stay available to the
    buyer, and the reason is returned.
    """
    return (await take_payments(connection, [notice]))[notice]


async def take_payments(connection: Connection, notices: Sequence[UUID]) -> dict[UUID, Taken]:
    """See :func:`take_payment`, for many at once."""
    rows = await connection.fetch(
        """select distinct p.document from payment_notice n join purchase p on p.reference = n.reference
           where n.id = any($1::uuid[]) and p.document is not null""",
        notices,
    )
    if rows:
        # Documents are locked before orders and accounts, by everybody.
        await documents.lock_all(connection, [row["document"] for row in rows])
    matched = await match_all(connection, notices)
    wishes: dict[UUID, AffixingWish] = {}
    for id, said in matched.items():
        if said.order is not None and said.order.document is not None:
            wishes[id] = _wish_of(said.order)
    answers = dict(
        zip(wishes, await reserve_all(connection, list(wishes.values())), strict=True)
        if wishes
        else ()
    )
    return {id: (said, answers.get(id)) for id, said in matched.items()}


def _wish_of(order: Order) -> AffixingWish:
    assert order.document is not None
    return AffixingWish(
        id=kin(order.id, _FIRST),
        document=order.document,
        party=order.party,
        channel=ChannelId(order.channel),
        lane=Lane.PEOPLE,
        repeat_wanted=True,
    )


async def reserve_paid_documents(connection: Connection, *, size: int = 100) -> int:
    """Orders that were paid for a document of which nothing was ever affixed are reserved now.

    Heals what a crash or an earlier refusal left; returns how many were reserved.
    """
    rows = await connection.fetch(
        """select id from purchase p where state = 'paid' and document is not null
               and paid_at > now() - interval '1 day'
               and exists (select 1 from document d where d.id = p.document and d.deleted_at is null)
               and not exists (select 1 from affixing a where a.document = p.document)
           order by paid_at limit $1""",
        size,
    )
    reserved = 0
    for row in rows:
        order = await orders.find(connection, row["id"])
        assert order is not None
        (answer,) = await reserve_all(connection, [_wish_of(order)])
        reserved += isinstance(answer, Affixing)
    return reserved
