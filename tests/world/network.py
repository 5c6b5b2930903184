"""A network of channels: the issuer, two distributors, and a counter and an event below the first."""

from dataclasses import replace

from meterai.channel import allocation
from meterai.channel import store as channels
from meterai.channel.allocation import issue_units
from meterai.channel.model import Channel, ChannelId, Move, Outlet
from meterai.db.connection import Connection
from meterai.ids import kin, new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Ledger, Limit, single
from meterai.ledger.store import AccountKey
from meterai.money import Units
from meterai.payment.model import MoneyAccount, MoneyMove
from world.trade import TERMS

CENTRE, FIRST, SECOND = ChannelId("pusat"), ChannelId("satu"), ChannelId("dua")
COUNTER, EVENT = ChannelId("loket"), ChannelId("acara")


async def open_network(connection: Connection, *, issued: int = 1000) -> None:
    """Everybody sells under the usual terms; only the centre has stock."""
    for id, kind, parent in (
        (CENTRE, "issuer", None),
        (FIRST, "distributor", CENTRE),
        (SECOND, "distributor", CENTRE),
        (COUNTER, "counter", FIRST),
        (EVENT, "event", FIRST),
    ):
        await channels.open_channel(connection, Channel(id, id.capitalize(), kind, parent))
        await channels.set_terms(connection, replace(TERMS, channel=id))
    await issue_units(connection, new_id(), CENTRE, Units(issued))


async def open_counter(connection: Connection, *, units: int) -> None:
    """The network stands, and the counter has these units and an outlet."""
    await open_network(connection)
    await prepay(connection, FIRST, units * 10_000)
    for giver, taker in ((CENTRE, FIRST), (FIRST, COUNTER)):
        await allocation.move(connection, Move(new_id(), giver, taker, Units(units)))
    await channels.add_outlet(connection, Outlet("pasar", COUNTER, "Pasar", "Jalan"))


async def prepay(connection: Connection, channel: ChannelId, amount: int) -> None:
    """The channel deposited so much duty ahead."""
    prepaid = AccountKey(Ledger.RUPIAH, MoneyAccount.PREPAID_DUTY, None, channel)
    treasury = AccountKey(Ledger.RUPIAH, MoneyAccount.TREASURY, None, "kas-negara", Limit.NONE)
    accounts = await ledger.open_accounts(connection, [prepaid, treasury])
    id = new_id()
    await journal.record(
        connection,
        single(
            kin(id, 1),
            code=MoneyMove.DEPOSITED,
            debit=accounts[treasury],
            credit=accounts[prepaid],
            amount=amount,
            ref=id,
        ),
    )
