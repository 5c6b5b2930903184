"""Asking time-stamp authorities over HTTP (RFC 3161 §3.4), with fail-over; nothing unchecked is passed on."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import httpx
from asn1crypto import tsp

from meterai.clock import monotonic
from meterai.signing.der import SEQUENCE, integer, octets, oid, small_integer, tlv
from meterai.signing.errors import TimeStampUnavailable
from meterai.signing.keys import read_chain
from meterai.signing.line import Line, OpenLine, Unreachable
from meterai.signing.oids import SHA256_IDENTIFIER
from meterai.signing.quick_token import Answer, Pinned, read_answer
from meterai.signing.signed_data import BadSignedData
from meterai.signing.tokens import Token, read_token

TIMEOUT_S = 4.0
REST_S = 15.0
"""An authority that failed is asked last for so long: not every seal shall wait for its time-out."""
TOKEN_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Authority:
    """Where to ask. Its certificate must be among the pinned ones."""

    url: str
    policy: str | None = None
    """The policy (dotted OID) that its tokens must name; None accepts its usual one."""

    @classmethod
    def at(cls, address: str) -> Self:
        """From ``https://tsa.example/#1.2.3``; the part after the ``#`` may be left out."""
        url, _, policy = address.partition("#")
        return cls(url, policy or None)


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What an authority said."""

    token: bytes
    """The time-stamp token: a ContentInfo in DER."""
    time: datetime
    authority: str


class Unacceptable(Exception):
    """What one authority answered is no acceptable token."""


class TimeStamps:
    """The authorities, in order of preference, over connections that are kept open."""

    def __init__(
        self,
        line: Line,
        authorities: Sequence[Authority],
        pinned: Sequence[bytes],
    ) -> None:
        self._line = line
        self._authorities = tuple(authorities)
        self._pinned = Pinned(pinned)
        self._rests_until: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        urls: Sequence[str],
        trust: Path,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> AsyncIterator[Self]:
        """The authorities at ``urls``, whose certificates are in the folder ``trust``; closed at the end.

        An address may name the policy that is asked for and demanded after a ``#``, as a dotted number.
        """
        pinned = read_chain((trust / "time-stamps.pem").read_bytes())
        async with OpenLine.open(timeout_s=timeout_s, reply_max=TOKEN_MAX) as line:
            yield cls(line, [Authority.at(url) for url in urls], pinned)

    async def stamp(self, imprint: bytes) -> TimeStamp:
        """A token over ``imprint`` (a SHA-256) that holds.

        Raises :class:`TimeStampUnavailable` when no authority gave one.
        """
        for authority in self._in_order():
            try:
                stamp = await self._ask(authority, imprint)
            except (Unreachable, httpx.HTTPError, Unacceptable):
                self._rests_until[authority.url] = monotonic() + REST_S
            else:
                self._rests_until.pop(authority.url, None)
                return stamp
        raise TimeStampUnavailable

    def _in_order(self) -> list[Authority]:
        now = monotonic()
        # sorted() keeps the order of preference among the rested and among the resting
        return sorted(self._authorities, key=lambda a: self._rests_until.get(a.url, 0) > now)

    async def _ask(self, authority: Authority, imprint: bytes) -> TimeStamp:
        nonce = secrets.randbits(63)
        response = await self._line.post(
            authority.url,
            content=request_of(imprint, nonce, authority.policy),
            headers={"Content-Type": "application/timestamp-query"},
        )
        if response.status_code != httpx.codes.OK or len(response.content) > TOKEN_MAX:
            raise Unacceptable(f"status {response.status_code}")
        token, said = read_answer(response.content, imprint, self._pinned) or self._read_with_care(
            response.content, imprint
        )
        _check_answers(said, nonce, authority)
        return TimeStamp(token, said.time, authority.url)

    def _read_with_care(self, response: bytes, imprint: bytes) -> Answer:
        token = _token_in(response)
        try:
            said = read_token(token, imprint, self._pinned.certificates)
        except BadSignedData as error:
            raise Unacceptable(error.why) from error
        self._pinned.pass_riders(token)
        return Answer(token, said)


_CERTIFICATE_WANTED = b"\x01\x01\xff"


def request_of(imprint: bytes, nonce: int, policy: str | None = None) -> bytes:
    """A time-stamp request in DER (RFC 3161 §2.4.1)."""
    return tlv(
        SEQUENCE,
        small_integer(1),
        tlv(SEQUENCE, SHA256_IDENTIFIER, octets(imprint)),
        b"" if policy is None else oid(policy),
        integer(nonce),
        _CERTIFICATE_WANTED,
    )


def _token_in(response: bytes) -> bytes:
    try:
        answer = tsp.TimeStampResp.load(response, strict=True)
        if answer["status"]["status"].native not in {"granted", "granted_with_mods"}:
            raise Unacceptable("not granted")
        token: bytes = answer["time_stamp_token"].dump()
    except (ValueError, TypeError, KeyError) as error:
        raise Unacceptable("malformed") from error
    return token


def _check_answers(said: Token, nonce: int, authority: Authority) -> None:
    """The token answers this very question, under the wanted policy."""
    if said.nonce != nonce:
        raise Unacceptable("another nonce")
    if authority.policy is not None and said.policy != authority.policy:
        raise Unacceptable("another policy")
