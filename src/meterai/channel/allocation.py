"""Moving stock: issued to the centre, taken for a deposit, moved within a family, returned.

Only transfers move units. What a rule forbids is decided under the lock of the accounts it rests on.
"""

from uuid import UUID

from meterai.channel import stock, store
from meterai.channel.errors import DepositShort, FloorReached, NotOneFamily, SoldOut
from meterai.channel.model import Channel, ChannelId, Move, Why
from meterai.db.connection import Connection
from meterai.db.outbox import put
from meterai.errors import Invalid
from meterai.ids import kin, new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.errors import NotEnough
from meterai.ledger.model import Ledger, Transfer, single
from meterai.ledger.store import AccountKey
from meterai.money import Units
from meterai.payment.model import MoneyAccount, MoneyMove
from meterai.quota.stock import allocate, issue, stock_key

ISSUER = "issuer"
UNITS_MAX = 1_000_000_000


async def issue_units(
    connection: Connection, id: UUID, channel: ChannelId, units: Units, by: UUID | None = None
) -> None:
    """The issuer made new units and has them in a channel's stock; a repetition changes nothing."""
    _demand_some(units)
    if await stock.add_allocation(connection, Move(id, channel, channel, units, by), Why.ISSUED):
        await issue(connection, id, channel, units)


async def move(connection: Connection, wish: Move, *, by_rule: bool = False) -> Why:
    """The units stand in the taker's stock; a repetition changes nothing.

    Raises :class:`NotOneFamily`, :class:`FloorReached`, :class:`DepositShort`, :class:`SoldOut`.
    """
    _demand_some(wish.units)
    giver, taker = (
        await store.find(connection, wish.giver),
        await store.find(connection, wish.taker),
    )
    why = await _why(connection, giver, taker, by_rule=by_rule)
    if not await stock.add_allocation(connection, wish, why):
        return why
    accounts = await ledger.open_accounts(
        connection, [stock_key(giver.id), stock_key(taker.id), *_duty_keys(giver, taker)]
    )
    await _keep_floor(connection, wish, accounts)
    units = allocate(
        wish.id,
        giver=accounts[stock_key(giver.id)],
        taker=accounts[stock_key(taker.id)],
        units=wish.units,
    )
    duty = await _duty(connection, wish, accounts, giver, taker)
    try:
        await journal.record(connection, *duty, units)
    except NotEnough as error:
        prepaid = why is Why.TOPPED_UP and not await _covers(connection, wish, accounts)
        raise (DepositShort(units=wish.units) if prepaid else SoldOut()) from error
    event = {"giver": giver.id, "taker": taker.id, "units": wish.units, "why": why.value}
    await put(connection, "stock.moved", [(wish.id, event)])
    return why


def _demand_some(units: int) -> None:
    if not 0 < units <= UNITS_MAX:
        raise Invalid


async def _why(connection: Connection, giver: Channel, taker: Channel, *, by_rule: bool) -> Why:
    if giver.id == taker.id:
        raise NotOneFamily
    if giver.kind == ISSUER:
        return Why.TOPPED_UP
    if taker.kind == ISSUER:
        return Why.RETURNED
    if await stock.head_of(connection, giver.id) != await stock.head_of(connection, taker.id):
        raise NotOneFamily
    return Why.REFILLED if by_rule else Why.MOVED


async def _keep_floor(connection: Connection, wish: Move, accounts: dict[AccountKey, int]) -> None:
    """Refuses while the giver's account is locked: no sale can come in between."""
    balances = await ledger.lock_balances(connection, sorted(accounts.values()))
    free = balances[accounts[stock_key(wish.giver)]].free
    rule = await stock.rule_of(connection, wish.giver)
    if free < wish.units:
        raise SoldOut
    if free - wish.units < rule.floor:
        raise FloorReached(channel=wish.giver, floor=rule.floor)


def _duty_keys(giver: Channel, taker: Channel) -> list[AccountKey]:
    """The taker's (or, for a return, the giver's) deposited duty; nothing moves within a family."""
    if ISSUER not in (giver.kind, taker.kind) or giver.kind == taker.kind:
        return []
    channel = taker.id if giver.kind == ISSUER else giver.id
    return [
        AccountKey(Ledger.RUPIAH, code, None, channel)
        for code in (MoneyAccount.PREPAID_DUTY, MoneyAccount.STOCKED_DUTY)
    ]


async def _duty(
    connection: Connection,
    wish: Move,
    accounts: dict[AccountKey, int],
    giver: Channel,
    taker: Channel,
) -> list[Transfer]:
    """Deposited duty is used for the stock (PP 86/2021 art. 10), or free again when it is returned."""
    keys = _duty_keys(giver, taker)
    if not keys:
        return []
    prepaid, stocked = (accounts[key] for key in keys)
    channel = taker.id if giver.kind == ISSUER else giver.id
    terms = await store.terms_at(connection, channel)
    debit, credit = (prepaid, stocked) if giver.kind == ISSUER else (stocked, prepaid)
    return [
        single(
            kin(wish.id, 2),
            code=MoneyMove.STOCKED,
            debit=debit,
            credit=credit,
            amount=terms.duty * wish.units,
            ref=wish.id,
        )
    ]


async def _covers(connection: Connection, wish: Move, accounts: dict[AccountKey, int]) -> bool:
    key = AccountKey(Ledger.RUPIAH, MoneyAccount.PREPAID_DUTY, None, wish.taker)
    balances = await ledger.lock_balances(connection, [accounts[key]])
    terms = await store.terms_at(connection, wish.taker)
    return balances[accounts[key]].free >= terms.duty * wish.units


async def refill(connection: Connection) -> list[Move]:
    """Channels that are low and have a rule for it are filled up from their parents, as far as those can."""
    done = []
    for channel, wanted, parent in await stock.to_refill(connection):
        (giver,) = await stock.states(connection, [parent])
        units = min(wanted, giver.free - giver.rule.floor)
        if units <= 0 or giver.channel.kind == ISSUER:
            continue  # what comes from the issuer needs a deposit, and so a person
        wish = Move(new_id(), parent, channel.id, Units(units))
        try:
            async with connection.transaction():
                await move(connection, wish, by_rule=True)
        except (FloorReached, SoldOut):
            continue  # somebody was faster; the next round sees it
        done.append(wish)
    return done
