"""The SQL of people. Takes a connection; never commits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai.db.connection import Connection, Row
from meterai.people.model import (
    CompanyRole,
    Membership,
    Party,
    PartyKind,
    Role,
    Visitor,
)

_PARTY = "p.id, p.kind, p.name, p.language"


def _party(row: Row) -> Party:
    return Party(row["id"], PartyKind(row["kind"]), row["name"], row["language"])


async def add_party(
    connection: Connection,
    party: Party,
    *,
    phone: bytes | None = None,
    phone_index: bytes | None = None,
) -> None:
    """The party exists; a repetition changes nothing."""
    await connection.execute(
        """insert into party (id, kind, name, phone, phone_index, language)
           values ($1, $2, $3, $4, $5, $6) on conflict do nothing""",
        party.id,
        party.kind.value,
        party.name,
        phone,
        phone_index,
        party.language,
    )


async def set_phone(
    connection: Connection, party: UUID, *, phone: bytes, phone_index: bytes
) -> None:
    """The telephone number of a guest is this one."""
    await connection.execute(
        "update party set phone = $2, phone_index = $3 where id = $1", party, phone, phone_index
    )


async def phone_of(connection: Connection, party: UUID) -> bytes | None:
    """The encrypted telephone number, if there is one."""
    found = await connection.fetchval("select phone from party where id = $1", party)
    assert found is None or isinstance(found, bytes)
    return found


async def phone_index_of(connection: Connection, party: UUID) -> bytes | None:
    """The keyed index of the telephone number, if there is one: equal for the same number."""
    found = await connection.fetchval("select phone_index from party where id = $1", party)
    assert found is None or isinstance(found, bytes)
    return found


async def person_with_phone(connection: Connection, phone_index: bytes) -> Party | None:
    """The person who proved this number."""
    row = await connection.fetchrow(
        f"select {_PARTY} from party p where kind = 'person' and phone_index = $1", phone_index
    )
    return None if row is None else _party(row)


async def party(connection: Connection, id: UUID) -> Party | None:
    """The party with this id."""
    row = await connection.fetchrow(f"select {_PARTY} from party p where id = $1", id)
    return None if row is None else _party(row)


async def give_role(
    connection: Connection, person: UUID, role: Role, channel: str | None = None
) -> None:
    """The person has the role, for one channel where given."""
    await connection.execute(
        """insert into duty_role (person, role, channel) values ($1, $2, $3)
           on conflict do nothing""",
        person,
        role.value,
        channel,
    )


async def channels_of(connection: Connection, person: UUID, role: Role) -> list[str]:
    """The channels for which the person has the role."""
    rows = await connection.fetch(
        """select channel from duty_role
           where person = $1 and role = $2 and channel is not null order by channel""",
        person,
        role.value,
    )
    return [row["channel"] for row in rows]


async def join(connection: Connection, company: UUID, person: UUID, role: CompanyRole) -> None:
    """The person is a member of the company with this role."""
    await connection.execute(
        """insert into membership (company, person, role) values ($1, $2, $3)
           on conflict (company, person) do update set role = excluded.role""",
        company,
        person,
        role.value,
    )


async def visitor(connection: Connection, token_hash: bytes) -> Visitor:
    """Who this session belongs to; a stranger when it is unknown or over."""
    # One question, for it is asked for every page: arrays instead of rows of their own.
    row = await connection.fetchrow(
        f"""select {_PARTY},
                array(select distinct role from duty_role where person = p.id) as roles,
                array(select (c.id, c.kind, c.name, c.language, m.role)
                      from membership m join party c on c.id = m.company
                      where m.person = p.id order by c.name) as companies
            from session s join party p on p.id = s.party
            where s.token_hash = $1 and s.expires_at > now()""",
        token_hash,
    )
    if row is None:
        return Visitor()
    return Visitor(
        _party(row),
        frozenset(Role(role) for role in row["roles"]),
        tuple(
            Membership(Party(id, PartyKind(kind), name, language), CompanyRole(role))
            for id, kind, name, language, role in row["companies"]
        ),
    )


async def open_session(
    connection: Connection, token_hash: bytes, party: UUID, expires_at: datetime
) -> None:
    """A session exists; the token itself is never stored."""
    await connection.execute(
        "insert into session (token_hash, party, expires_at) values ($1, $2, $3)",
        token_hash,
        party,
        expires_at,
    )


async def close_session(connection: Connection, token_hash: bytes) -> None:
    """The session is over."""
    await connection.execute("delete from session where token_hash = $1", token_hash)


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time code as the store knows it."""

    id: UUID
    phone: bytes
    code_mac: bytes
    tries: int
    expires_at: datetime
    used_at: datetime | None


async def add_code(
    connection: Connection,
    id: UUID,
    *,
    phone: bytes,
    phone_index: bytes,
    code_mac: bytes,
    expires_at: datetime,
) -> None:
    """A one-time code waits to be entered."""
    await connection.execute(
        """insert into one_time_code (id, phone, phone_index, code_mac, expires_at)
           values ($1, $2, $3, $4, $5)""",
        id,
        phone,
        phone_index,
        code_mac,
        expires_at,
    )


async def codes_since(connection: Connection, phone_index: bytes, since: datetime) -> int:
    """How many codes this number was sent since a moment; the number is locked for this
    transaction, so that two requests at once cannot both be the last allowed one.
    """
    await connection.execute(
        "select pg_advisory_xact_lock($1)", int.from_bytes(phone_index[:7], "big")
    )
    found = await connection.fetchval(
        "select count(*) from one_time_code where phone_index = $1 and created_at > $2",
        phone_index,
        since,
    )
    assert isinstance(found, int)
    return found


async def lock_code(connection: Connection, id: UUID) -> IssuedCode | None:
    """The code, locked until the transaction ends."""
    row = await connection.fetchrow(
        """select id, phone, code_mac, tries, expires_at, used_at
           from one_time_code where id = $1 for update""",
        id,
    )
    return None if row is None else IssuedCode(**dict(row.items()))


async def count_try(connection: Connection, id: UUID, *, used: bool) -> None:
    """One more try was made; ``used`` when it was the right code."""
    await connection.execute(
        """update one_time_code set tries = tries + 1,
                  used_at = case when $2 then now() else used_at end where id = $1""",
        id,
        used,
    )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as its owner sees it; the key itself is shown once and never stored."""

    id: UUID
    label: str
    shown: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


async def add_key(
    connection: Connection,
    id: UUID,
    *,
    party: UUID,
    label: str,
    shown: str,
    key_hash: bytes,
    scopes: tuple[str, ...],
) -> None:
    """The key opens the API for its party."""
    await connection.execute(
        """insert into api_key (id, party, label, shown, key_hash, scopes)
           values ($1, $2, $3, $4, $5, $6)""",
        id,
        party,
        label,
        shown,
        key_hash,
        list(scopes),
    )


async def key_holder(
    connection: Connection, key_hash: bytes
) -> tuple[Party, frozenset[str]] | None:
    """Whose key this is and what it may do; None when unknown or revoked."""
    row = await connection.fetchrow(
        f"""select {_PARTY}, k.scopes from api_key k join party p on p.id = k.party
            where k.key_hash = $1 and k.revoked_at is null""",
        key_hash,
    )
    return None if row is None else (_party(row), frozenset(row["scopes"]))


async def keys_of(connection: Connection, party: UUID) -> list[ApiKey]:
    """The keys of a party, newest first."""
    rows = await connection.fetch(
        """select id, label, shown, scopes, created_at, revoked_at from api_key
           where party = $1 order by created_at desc""",
        party,
    )
    return [ApiKey(**dict(row.items()) | {"scopes": tuple(row["scopes"])}) for row in rows]


async def revoke_key(connection: Connection, party: UUID, id: UUID) -> None:
    """The key opens nothing any more."""
    await connection.execute(
        """update api_key set revoked_at = coalesce(revoked_at, now())
           where id = $1 and party = $2""",
        id,
        party,
    )
