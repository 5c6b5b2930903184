"""A payment comes in: matched to its order, and the document it was for is reserved in the same commit."""

from uuid import UUID

from meterai.affixing import documents
from meterai.affixing.model import Affixing, Lane
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.channel.model import ChannelId
from meterai.db.connection import Connection
from meterai.errors import MeteraiError
from meterai.ids import kin
from meterai.sale import store as orders
from meterai.sale.matching import Match, match

_FIRST = 9


async def take_payment(
    connection: Connection, notice: UUID
) -> tuple[Match, Affixing | MeteraiError | None]:
    """The payment is credited or unplaced; if its order was for a document, that waits to be affixed.

    When the document cannot be reserved (it was deleted meanwhile, say) the units stay available to the
    buyer, and the reason is returned.
    """
    document = await connection.fetchval(
        """select p.document from payment_notice n join purchase p on p.reference = n.reference
           where n.id = $1""",
        notice,
    )
    if document is not None:
        # Documents are locked before orders and accounts, by everybody.
        await documents.lock_all(connection, [document])
    matched = await match(connection, notice)
    order = matched.order
    if order is None or order.document is None:
        return matched, None
    wish = AffixingWish(
        id=kin(order.id, _FIRST),
        document=order.document,
        party=order.party,
        channel=ChannelId(order.channel),
        lane=Lane.PEOPLE,
        repeat_wanted=True,
    )
    (answer,) = await reserve_all(connection, [wish])
    return matched, answer


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
        assert order.document is not None
        wish = AffixingWish(
            kin(order.id, _FIRST),
            order.document,
            order.party,
            ChannelId(order.channel),
            Lane.PEOPLE,
            repeat_wanted=True,
        )
        (answer,) = await reserve_all(connection, [wish])
        reserved += isinstance(answer, Affixing)
    return reserved
