"""The ledger's side of a refund: held when asked for, posted when paid, voided when declined.

A refunded unit goes back to the stock it was bought from: its channel deposited the duty for it. What the terms
keep of the duty moves to the channel's fee. Ids are kin of the refund's: doing it twice is doing it once.
"""

from uuid import UUID

from meterai.db.connection import Connection
from meterai.ids import kin
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import Kind, Ledger, Limit, Transfer, ending, pending
from meterai.ledger.store import AccountKey
from meterai.payment.model import MoneyAccount, MoneyMove
from meterai.quota.model import UnitMove
from meterai.quota.stock import available_key, stock_key
from meterai.refund.model import Offer, Refund, RefundKind
from meterai.sale.model import Order

_UNITS, _DUTY, _FEE, _WITHHELD = 1, 2, 3, 4
_POSTED, _VOIDED = 10, 20


async def hold_units(
    connection: Connection, refund: Refund, order: Order, offered: Offer, provider: str
) -> None:
    """The units are set aside to go back to the stock, the rupiah to go back to the payer.

    Raises :class:`meterai.ledger.errors.NotEnough`.
    """
    duty = _key(MoneyAccount.DUTY, order.channel)
    fee = _key(MoneyAccount.SERVICE_FEE, order.channel)
    outside = _key(MoneyAccount.PROVIDER, provider)
    available, stock = available_key(order.party, order.channel), stock_key(order.channel)
    wanted: list[tuple[int, int, tuple[AccountKey, AccountKey], int]] = [
        (_UNITS, UnitMove.REFUNDED, (available, stock), offered.units),
        (_DUTY, MoneyMove.REFUNDED, (duty, outside), offered.duty),
        (_FEE, MoneyMove.REFUNDED, (fee, outside), offered.service_fee),
        (_WITHHELD, MoneyMove.WITHHELD, (duty, fee), offered.withheld_duty),
    ]
    await _hold(connection, refund.id, wanted)


async def hold_payment(connection: Connection, refund: Refund, provider: str) -> None:
    """An unplaced payment is set aside to go back to the payer."""
    owed, outside = _key(MoneyAccount.UNPLACED, provider), _key(MoneyAccount.PROVIDER, provider)
    await _hold(
        connection, refund.id, [(_DUTY, MoneyMove.REFUNDED, (owed, outside), refund.amount)]
    )


async def _hold(
    connection: Connection,
    refund: UUID,
    wanted: list[tuple[int, int, tuple[AccountKey, AccountKey], int]],
) -> None:
    accounts = await ledger.open_accounts(
        connection, {key for _, _, keys, _ in wanted for key in keys}
    )
    group = [
        pending(
            kin(refund, number),
            code=code,
            debit=accounts[giver],
            credit=accounts[taker],
            amount=amount,
            ref=refund,
        )
        for number, code, (giver, taker), amount in wanted
        if amount
    ]
    await journal.record(connection, *group)


def _key(code: MoneyAccount, scope: str) -> AccountKey:
    limit = Limit.NONE if code is MoneyAccount.PROVIDER else Limit.DEBITS_MUST_NOT_EXCEED_CREDITS
    return AccountKey(Ledger.RUPIAH, code, None, scope, limit)


async def post(connection: Connection, refund: Refund) -> None:
    """The money went back; the units are in the stock."""
    await _end(connection, refund, Kind.POSTED, _POSTED)


async def void(connection: Connection, refund: Refund) -> None:
    """Units and rupiah are where they were."""
    await _end(connection, refund, Kind.VOIDED, _VOIDED)


async def _end(connection: Connection, refund: Refund, kind: Kind, offset: int) -> None:
    numbers = [_DUTY] if refund.kind is RefundKind.PAYMENT else [_UNITS, _DUTY, _FEE, _WITHHELD]
    held = await ledger.transfers(connection, [kin(refund.id, number) for number in numbers])
    group: list[Transfer] = [
        ending(
            kin(refund.id, offset + number),
            kind,
            pending_id=kin(refund.id, number),
            code=held[kin(refund.id, number)].code,
            ref=refund.id,
        )
        for number in numbers
        if kin(refund.id, number) in held
    ]
    await journal.record(connection, *group)
