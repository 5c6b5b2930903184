"""The line to an authority: HTTP over connections that are kept open, with limits; no answer is judged here."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, Self

import aiohttp

CONNECTIONS_MAX = 32
"""Open at a time to one authority; more questions wait for one to be free."""


class Unreachable(Exception):
    """No answer came, or not in time, or more than was allowed."""


class Reply(Protocol):
    """What came back."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def content(self) -> bytes:
        """The whole body."""


class Line(Protocol):
    """Asks by POST; an httpx client is one, too."""

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Reply:
        """The reply. Raises :class:`Unreachable`, or what the library of the line raises."""


@dataclass(frozen=True, slots=True)
class Said:
    """See :class:`Reply`."""

    status_code: int
    content: bytes


class OpenLine:
    """Connections kept open. Proxies of the environment are not asked, and nobody is followed elsewhere."""

    def __init__(self, session: aiohttp.ClientSession, reply_max: int) -> None:
        self._session = session
        self._reply_max = reply_max

    @classmethod
    @asynccontextmanager
    async def open(cls, *, timeout_s: float, reply_max: int) -> AsyncIterator[Self]:
        """A line on which every question is over after ``timeout_s``; closed at the end."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit_per_host=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        ) as session:
            yield cls(session, reply_max)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Said:
        """See :class:`Line`."""
        try:
            try:
                return await self._post(url, content, headers)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # It closed a connection that had rested; asking once more does no harm.
                return await self._post(url, content, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Said:
        async with self._session.post(
            url, data=content, headers=headers, allow_redirects=False
        ) as reply:
            if (reply.content_length or 0) > self._reply_max:
                raise Unreachable("too long")
            parts, size = [], 0
            async for part in reply.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > self._reply_max:
                    raise Unreachable("too long")
            return Said(reply.status, b"".join(parts))
