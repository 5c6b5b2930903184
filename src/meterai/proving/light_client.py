"""An HTTP client that costs almost nothing, so that a bench measures the server and not its own client.

Profiling showed why: under fifty at once a general client spent more of the machine on looking through its
pool of connections than the server on its pages.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, headers in small letters (the last of each name), every cookie set, and the body."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class LightClient:
    """One browser's one connection, kept open; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._wire is not None:
            self._wire[1].close()

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """What the server answered. Raises :class:`OSError` when the connection broke."""
        if self._wire is None:
            self._wire = await asyncio.open_connection(self._host, self._port, limit=2**20)
        reader, writer = self._wire
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}"] if method == "POST" else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        said = [line.partition(": ")[::2] for line in head[1:] if line]
        known = {name.lower(): value for name, value in said}
        cookies = [value for name, value in said if name.lower() == "set-cookie"]
        content = await _body(reader, known)
        if known.get("connection") == "close":
            writer.close()
            self._wire = None
        return Reply(int(head[0].split(" ")[1]), known, cookies, content)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts: list[bytes] = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts)
