"""The line to an authority: HTTP/1.1 over connections kept open, with limits; no answer is judged here.

A time stamp is asked for on every seal, and a general HTTP client costs nearly as much processor time as the
signature itself. Little is needed: POST, a length or chunks, the next question on the same connection.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self
from urllib.parse import urlsplit

CONNECTIONS_MAX = 32
"""Open at a time to one authority; more questions wait for one to be free."""
HEAD_MAX = 16 * 1024


class Unreachable(Exception):
    """No answer came, or not in time, or more than was allowed, or none that can be understood."""


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


@dataclass(frozen=True, slots=True)
class _Where:
    """An address taken apart."""

    secure: bool
    host: str
    port: int
    path: str
    name: str
    """As the ``Host`` header wants it."""


@lru_cache(maxsize=64)
def _where(url: str) -> _Where:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise Unreachable("address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(sign <= " " for sign in path):
        raise Unreachable("address")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return _Where(secure, parts.hostname, port, path, parts.netloc)


@dataclass(frozen=True, slots=True)
class _Wire:
    """One open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Gone(Exception):
    """A connection that had rested was closed by the other side meanwhile: nothing of an answer came."""


class OpenLine:
    """Connections kept open. Proxies of the environment are not asked, and nobody is followed elsewhere."""

    def __init__(self, *, timeout_s: float, reply_max: int) -> None:
        self._timeout_s = timeout_s
        self._reply_max = reply_max
        self._resting: dict[_Where, list[_Wire]] = {}
        self._room: dict[_Where, asyncio.Semaphore] = {}
        self._secure: ssl.SSLContext | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, *, timeout_s: float, reply_max: int) -> AsyncIterator[Self]:
        """A line on which every question is over after ``timeout_s``; closed at the end."""
        line = cls(timeout_s=timeout_s, reply_max=reply_max)
        try:
            yield line
        finally:
            for wires in line._resting.values():
                for wire in wires:
                    wire.writer.close()

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Said:
        """See :class:`Line`."""
        where = _where(url)
        question = _question(where, content, headers)
        room = self._room.setdefault(where, asyncio.Semaphore(CONNECTIONS_MAX))
        try:
            async with asyncio.timeout(self._timeout_s), room:
                while resting := self._resting.get(where):
                    try:
                        return await self._ask(resting.pop(), where, question)
                    except _Gone:
                        continue  # asking once more does no harm
                return await self._ask(await self._connect(where), where, question)
        except (_Gone, TimeoutError, OSError, EOFError, ValueError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def _connect(self, where: _Where) -> _Wire:
        if where.secure and self._secure is None:
            self._secure = ssl.create_default_context()
        reader, writer = await asyncio.open_connection(
            where.host, where.port, ssl=self._secure if where.secure else None, limit=HEAD_MAX
        )
        return _Wire(reader, writer)

    async def _ask(self, wire: _Wire, where: _Where, question: bytes) -> Said:
        stays = False
        try:
            wire.writer.write(question)
            said, stays = await self._answer(wire.reader)
        finally:
            if stays:
                self._resting.setdefault(where, []).append(wire)
            else:
                wire.writer.close()
        return said

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Said, bool]:
        """What was said, and whether the connection stays open."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise (_Gone() if not error.partial else error) from error
        except ConnectionError as error:
            raise _Gone from error
        except asyncio.LimitOverrunError as error:
            raise ValueError("too long") from error
        first, _, rest = head.partition(b"\r\n")
        version, status = first[:9], first[9:12]
        if version not in (b"HTTP/1.1 ", b"HTTP/1.0 ") or not status.isdigit():
            raise ValueError("no HTTP")
        fields = _fields(rest)
        stays = version == b"HTTP/1.1 " and b"close" not in fields.get(b"connection", b"")
        if b"transfer-encoding" in fields:
            if fields[b"transfer-encoding"] != b"chunked" or b"content-length" in fields:
                raise ValueError("no HTTP")
            return Said(int(status), await self._chunks(reader)), stays
        if b"content-length" not in fields:
            return Said(int(status), await self._until_closed(reader)), False
        size = _number(fields[b"content-length"], 10)
        self._allow(size)
        return Said(int(status), await reader.readexactly(size)), stays

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            line = await reader.readuntil(b"\r\n")
            length = _number(line.partition(b";")[0].strip(), 16)
            if length == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    continue  # trailers
                return b"".join(parts)
            size += length
            self._allow(size)
            parts.append(await reader.readexactly(length))
            if await reader.readexactly(2) != b"\r\n":
                raise ValueError("no HTTP")

    async def _until_closed(self, reader: asyncio.StreamReader) -> bytes:
        said = b""
        while part := await reader.read(self._reply_max + 1):
            said += part
            self._allow(len(said))
        return said

    def _allow(self, size: int) -> None:
        if size > self._reply_max:
            raise ValueError("too long")


def _question(where: _Where, content: bytes, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {where.path} HTTP/1.1\r\nHost: {where.name}\r\n{lines}Content-Length: {len(content)}\r\n\r\n"
    return head.encode("ascii") + content


def _fields(lines: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for line in lines.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            key = name.lower()
            if key == b"content-length" and key in found:
                raise ValueError("no HTTP")
            found[key] = value.strip().lower()
    return found


def _number(digits: bytes, base: int) -> int:
    if not digits or not digits.isalnum() or len(digits) > 10:
        raise ValueError("no HTTP")
    return int(digits, base)
