"""Signing in with a one-time code, sessions, API keys, and the telephone numbers behind them."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from meterai.db.connection import Connection
from meterai.ids import new_id, new_token
from meterai.people import store
from meterai.people.errors import CodeOver, CodeWrong, TooManyCodes
from meterai.people.model import (
    CODE_LIFETIME,
    CODE_TRIES_MAX,
    CODES_PER_HOUR,
    SESSION_LIFETIME,
    Party,
    PartyKind,
    Scope,
)


class Vault(Protocol):
    """What keeps telephone numbers unreadable at rest; handed in by wiring."""

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypted for this context."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypted; fails when the context is another."""

    def blind_index(self, value: bytes, purpose: bytes) -> bytes:
        """A keyed digest: equal values are found without being read."""


_PHONE = b"phone"
_CODE = b"one-time code"


def phone_index(vault: Vault, phone: str) -> bytes:
    """What a telephone number is found by."""
    return vault.blind_index(phone.encode(), _PHONE)


def seal_phone(vault: Vault, phone: str) -> bytes:
    """The number as it is stored."""
    return vault.seal(phone.encode(), _PHONE)


def open_phone(vault: Vault, sealed: bytes) -> str:
    """The number as it is called."""
    return vault.open(sealed, _PHONE).decode()


@dataclass(frozen=True, slots=True)
class RequestedCode:
    """A code to be sent; ``id`` stands in the form, ``code`` only in the message."""

    id: UUID
    code: str


async def request_code(
    connection: Connection, vault: Vault, phone: str, now: datetime
) -> RequestedCode:
    """A six-digit code waits for ten minutes. Raises :class:`TooManyCodes`."""
    index = phone_index(vault, phone)
    if await store.codes_since(connection, index, now - timedelta(hours=1)) >= CODES_PER_HOUR:
        raise TooManyCodes
    requested = RequestedCode(new_id(), f"{secrets.randbelow(1_000_000):06d}")
    await store.add_code(
        connection,
        requested.id,
        phone=seal_phone(vault, phone),
        phone_index=index,
        code_mac=_code_mac(vault, requested.id, requested.code),
        expires_at=now + CODE_LIFETIME,
    )
    return requested


async def enter_code(
    connection: Connection, vault: Vault, id: UUID, typed: str, now: datetime
) -> Party | CodeWrong | CodeOver:
    """The person behind the number, known from now on; or why not.

    The reason is returned, not raised: the counted try must be committed.
    """
    issued = await store.lock_code(connection, id)
    if issued is None or issued.used_at is not None or issued.expires_at <= now:
        return CodeOver()
    if issued.tries >= CODE_TRIES_MAX:
        return CodeOver()
    digits = "".join(sign for sign in typed if sign.isdigit())
    right = hmac.compare_digest(_code_mac(vault, id, digits), issued.code_mac)
    await store.count_try(connection, id, used=right)
    if not right:
        left = CODE_TRIES_MAX - issued.tries - 1
        return CodeWrong(left=left) if left else CodeOver()
    return await person_of(connection, vault, open_phone(vault, issued.phone))


async def person_of(connection: Connection, vault: Vault, phone: str) -> Party:
    """The person with this proven number, made if new."""
    index = phone_index(vault, phone)
    known = await store.person_with_phone(connection, index)
    if known is not None:
        return known
    person = Party(new_id(), PartyKind.PERSON, None, "id")
    await store.add_party(connection, person, phone=seal_phone(vault, phone), phone_index=index)
    return await store.person_with_phone(connection, index) or person


def _code_mac(vault: Vault, id: UUID, code: str) -> bytes:
    return vault.blind_index(id.bytes + code.encode(), _CODE)


async def open_session(connection: Connection, party: UUID, now: datetime) -> str:
    """A new session token for the party; it is worth nothing after 30 days or signing out."""
    token = new_token()
    await store.open_session(connection, digest(token), party, now + SESSION_LIFETIME)
    return token


async def new_key(
    connection: Connection, party: UUID, *, label: str, scopes: frozenset[Scope]
) -> str:
    """A new API key for the party, shown this once."""
    key = f"mk_{new_token()}{new_token()}"
    await store.add_key(
        connection,
        new_id(),
        party=party,
        label=label,
        shown=key[:9],
        key_hash=digest(key),
        scopes=tuple(sorted(scope.value for scope in scopes)),
    )
    return key


def digest(secret: str) -> bytes:
    """What is stored of a secret of 128 or more random bits: its SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()
