"""Vouchers: units in ten signs. Whoever brings the code gets them, once; until then the giver may revoke it.

A code is found by its keyed digest and stored sealed; its units stand in an account of their own. A voucher of
a counter's block is *kept*: its units are still the channel's, and nobody has paid for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from meterai.channel.errors import NoSuchVoucher, TooManyMisses, VoucherOver
from meterai.channel.model import ChannelId
from meterai.channel.voucher_code import new_voucher_code, read_code
from meterai.db.connection import Connection, Row
from meterai.db.outbox import put
from meterai.ids import kin, new_id
from meterai.ledger import journal
from meterai.ledger import store as ledger
from meterai.ledger.model import single
from meterai.people.signin import Vault
from meterai.quota.model import UnitMove
from meterai.quota.stock import available_key, vouchers_key

_CODE = b"voucher"
_FILL, _REDEEM, _BACK = 1, 2, 3
MISSES_MAX = 10
"""Wrong codes that one party may try in an hour."""


class VoucherState(Enum):
    """The life of a voucher."""

    KEPT = "kept"
    """In a counter's block; not sold yet."""
    LIVE = "live"
    """Whoever brings the code gets the units."""
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    """Taken back before anybody used it."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """One voucher as it stands, without its code."""

    id: UUID
    channel: ChannelId
    units: int
    state: VoucherState
    giver: UUID | None
    shift: UUID | None
    purchase: UUID | None
    made_at: datetime
    redeemed_by: UUID | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gift:
    """Units of somebody that shall be in a voucher; ``id`` makes a repetition harmless."""

    id: UUID
    giver: UUID
    channel: ChannelId
    units: int
    shift: UUID | None = None
    purchase: UUID | None = None


_COLUMNS = "id, channel, units, state, giver, shift, purchase, made_at, redeemed_by, ended_at"


def _voucher(row: Row) -> Voucher:
    return Voucher(**dict(row.items()) | {"state": VoucherState(row["state"])})


async def wrap(connection: Connection, vault: Vault, gift: Gift) -> Voucher:
    """The units are in a voucher. Raises :class:`meterai.ledger.errors.NotEnough`."""
    known = await connection.fetchrow(f"select {_COLUMNS} from voucher where id = $1", gift.id)
    if known is not None:
        return _voucher(known)
    code = new_voucher_code()
    row = await connection.fetchrow(
        f"""insert into voucher (id, channel, code_index, code, units, state, giver, shift, purchase)
            values ($1, $2, $3, $4, $5, 'live', $6, $7, $8) returning {_COLUMNS}""",
        gift.id,
        gift.channel,
        code_index(vault, code),
        vault.seal(code.encode(), _CODE),
        gift.units,
        gift.giver,
        gift.shift,
        gift.purchase,
    )
    assert row is not None
    await fill(connection, gift)
    return _voucher(row)


async def fill(connection: Connection, gift: Gift) -> None:
    """The units have moved into the voucher."""
    await _move(connection, gift.id, _FILL, gift.giver, gift.channel, gift.units)


async def keep(
    connection: Connection, vault: Vault, shift: UUID, channel: ChannelId, count: int
) -> None:
    """A block of so many vouchers over one unit each is there for the shift."""
    codes = [new_voucher_code() for _ in range(count)]
    await connection.execute(
        """insert into voucher (id, channel, code_index, code, units, state, shift)
           select id, $1, code_index, code, 1, 'kept', $2
           from unnest($3::uuid[], $4::bytea[], $5::bytea[]) as w (id, code_index, code)""",
        channel,
        shift,
        [new_id() for _ in codes],
        [code_index(vault, code) for code in codes],
        [vault.seal(code.encode(), _CODE) for code in codes],
    )


def code_index(vault: Vault, code: str) -> bytes:
    """What a code is found by."""
    return vault.blind_index(code.encode(), _CODE)


async def code_of(connection: Connection, vault: Vault, id: UUID) -> str:
    """The ten signs, for whoever may see them."""
    sealed = await connection.fetchval("select code from voucher where id = $1", id)
    assert isinstance(sealed, bytes)
    return vault.open(sealed, _CODE).decode()


async def codes_kept(connection: Connection, vault: Vault, shift: UUID) -> list[tuple[UUID, str]]:
    """The codes of a shift's block that are not sold yet."""
    rows = await connection.fetch(
        "select id, code from voucher where shift = $1 and state = 'kept' order by id", shift
    )
    return [(row["id"], vault.open(row["code"], _CODE).decode()) for row in rows]


async def lock_by_code(connection: Connection, vault: Vault, typed: str, party: UUID) -> Voucher:
    """The voucher of this code, locked. A wrong one is counted against ``party``, in the caller's transaction.

    Raises :class:`TooManyMisses` and :class:`NoSuchVoucher`.
    """
    missed = await connection.fetchval(
        "select count(*) from voucher_miss where party = $1 and at > now() - interval '1 hour'",
        party,
    )
    if missed >= MISSES_MAX:
        raise TooManyMisses
    code = read_code(typed)
    row = None
    if code is not None:
        row = await connection.fetchrow(
            f"select {_COLUMNS} from voucher where code_index = $1 for update",
            code_index(vault, code),
        )
    if row is None:
        raise NoSuchVoucher
    return _voucher(row)


async def count_miss(connection: Connection, party: UUID) -> None:
    """One more wrong code of this party."""
    await connection.execute("insert into voucher_miss (party) values ($1)", party)


async def lock(connection: Connection, id: UUID) -> Voucher:
    """The voucher, locked. Raises :class:`NoSuchVoucher`."""
    row = await connection.fetchrow(f"select {_COLUMNS} from voucher where id = $1 for update", id)
    if row is None:
        raise NoSuchVoucher
    return _voucher(row)


async def find(connection: Connection, id: UUID) -> Voucher:
    """The voucher. Raises :class:`NoSuchVoucher`."""
    row = await connection.fetchrow(f"select {_COLUMNS} from voucher where id = $1", id)
    if row is None:
        raise NoSuchVoucher
    return _voucher(row)


async def of_giver(connection: Connection, givers: Sequence[UUID]) -> list[Voucher]:
    """The vouchers that these parties gave, newest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from voucher where giver = any($1::uuid[])
            order by made_at desc limit 100""",
        givers,
    )
    return [_voucher(row) for row in rows]


async def of_shift(connection: Connection, shift: UUID) -> list[Voucher]:
    """The vouchers that a shift sold, newest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from voucher where shift = $1 and purchase is not null
            order by made_at desc, id desc limit 500""",
        shift,
    )
    return [_voucher(row) for row in rows]


async def redeem(connection: Connection, voucher: Voucher, party: UUID) -> None:
    """The units are the party's; the same party again changes nothing.

    ``voucher`` is locked. Raises :class:`VoucherOver`.
    """
    if voucher.state is VoucherState.REDEEMED and voucher.redeemed_by == party:
        return
    if voucher.state is not VoucherState.LIVE:
        raise VoucherOver
    await connection.execute(
        "update voucher set state = 'redeemed', redeemed_by = $2, ended_at = now() where id = $1",
        voucher.id,
        party,
    )
    await _move(connection, voucher.id, _REDEEM, party, voucher.channel, voucher.units)
    await put(connection, "voucher.redeemed", [(voucher.id, {"units": voucher.units})])


async def revoke(connection: Connection, voucher: Voucher) -> None:
    """The units are the giver's again. ``voucher`` is locked. Raises :class:`VoucherOver`."""
    if voucher.state is not VoucherState.LIVE or voucher.giver is None:
        raise VoucherOver
    await connection.execute(
        "update voucher set state = 'revoked', ended_at = now() where id = $1", voucher.id
    )
    await _move(connection, voucher.id, _BACK, voucher.giver, voucher.channel, voucher.units)


async def _move(
    connection: Connection, id: UUID, number: int, party: UUID, channel: ChannelId, units: int
) -> None:
    held, wrapped = available_key(party, channel), vouchers_key(channel)
    accounts = await ledger.open_accounts(connection, [held, wrapped])
    inward = number == _FILL
    await journal.record(
        connection,
        single(
            kin(id, number),
            code=UnitMove.REDEEMED if number == _REDEEM else UnitMove.VOUCHED,
            debit=accounts[held if inward else wrapped],
            credit=accounts[wrapped if inward else held],
            amount=units,
            ref=id,
        ),
    )
