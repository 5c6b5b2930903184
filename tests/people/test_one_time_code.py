"""Signing in with a one-time code, against the real tables."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from meterai.clock import now
from meterai.db.connection import Database
from meterai.ids import new_id
from meterai.people import store
from meterai.people.errors import CodeOver, CodeWrong, TooManyCodes
from meterai.people.model import CODE_TRIES_MAX, CODES_PER_HOUR, Party, Scope
from meterai.people.signin import (
    RequestedCode,
    digest,
    enter_code,
    new_key,
    open_session,
    request_code,
)
from meterai.signing.vault import Vault

PHONE = "+6281200000001"


@dataclass
class Door:
    """Where somebody signs in."""

    database: Database
    vault: Vault

    async def ask(self, phone: str = PHONE) -> RequestedCode:
        async with self.database.transaction() as connection:
            return await request_code(connection, self.vault, phone, now())

    async def enter(
        self, id: UUID, typed: str, *, later: timedelta = timedelta()
    ) -> Party | CodeWrong | CodeOver:
        async with self.database.transaction() as connection:
            return await enter_code(connection, self.vault, id, typed, now() + later)


@pytest.fixture
async def door(database: Database) -> Door:
    return Door(database, Vault(b"k" * 32))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_the_right_code_opens_once_and_the_same_number_is_the_same_person(door: Door) -> None:
    first = await door.ask()
    person = await door.enter(first.id, f" {first.code[:3]}-{first.code[3:]} ")
    assert isinstance(person, Party)
    assert isinstance(await door.enter(first.id, first.code), CodeOver)
    second = await door.ask()
    assert await door.enter(second.id, second.code) == person


async def test_wrong_codes_are_counted_and_after_the_last_try_the_right_one_is_worth_nothing(
    door: Door,
) -> None:
    asked = await door.ask()
    for left in range(CODE_TRIES_MAX - 1, 0, -1):
        answer = await door.enter(asked.id, wrong(asked.code))
        assert isinstance(answer, CodeWrong)
        assert str(left) in answer.sentence("id") + answer.advice("id")
    assert isinstance(await door.enter(asked.id, wrong(asked.code)), CodeOver)
    assert isinstance(await door.enter(asked.id, asked.code), CodeOver)


async def test_a_code_ends_and_an_unknown_request_is_over_too(door: Door) -> None:
    asked = await door.ask()
    assert isinstance(await door.enter(asked.id, asked.code, later=timedelta(minutes=11)), CodeOver)
    assert isinstance(await door.enter(new_id(), asked.code), CodeOver)


async def test_a_number_is_not_flooded_with_codes(door: Door) -> None:
    for _ in range(CODES_PER_HOUR):
        await door.ask()
    with pytest.raises(TooManyCodes):
        await door.ask()
    await door.ask("+6281200000002")


async def test_no_secret_and_no_number_lies_readable_in_the_tables(door: Door) -> None:
    asked = await door.ask()
    person = await door.enter(asked.id, asked.code)
    assert isinstance(person, Party)
    async with door.database.transaction() as connection:
        token = await open_session(connection, person.id, now())
        key = await new_key(connection, person.id, label="x", scopes=frozenset({Scope.READ}))
        tables = await connection.fetch(
            """select table_name from information_schema.tables where table_schema = 'public'"""
        )
        everything = ""
        for table in tables:
            rows = await connection.fetch(f'select t::text as row from "{table["table_name"]}" t')
            everything += "\n".join(row["row"] for row in rows)
    secrets = [token, key, PHONE, PHONE[1:], asked.code]
    for secret in secrets:
        assert secret not in everything
        assert secret.encode().hex() not in everything
    async with door.database.reading() as connection:
        visitor = await store.visitor(connection, digest(token))
        assert visitor.party == person
        assert await store.key_holder(connection, digest(key)) is not None
