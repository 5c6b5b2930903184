import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from meterai.signing.line import OpenLine, Unreachable

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[str]:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.close()


def said(body: bytes, head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


async def question(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return await reader.readexactly(size)


async def ask(line: OpenLine, url: str) -> bytes:
    return (await line.post(url, content=b"q", headers={"Content-Type": "x/y"})).content


async def test_a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_replaced() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for number in range(2):
            await question(reader)
            writer.write(said(b"%d.%d" % (connections, number)))

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        assert [await ask(line, url) for _ in range(4)] == [b"1.0", b"1.1", b"2.0", b"2.1"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_more_than_was_allowed_is_no_answer(*, chunked: bool) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await question(reader)
        if chunked:
            part = b"64\r\n" + b"x" * 100 + b"\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + part * 3)
        else:
            writer.write(said(b"x" * 101))
        await writer.drain()

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        with pytest.raises(Unreachable, match="too long"):
            await ask(line, url)


async def test_silence_ends_in_time() -> None:
    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(handle) as url, OpenLine.open(timeout_s=0.05, reply_max=100) as line:
        with pytest.raises(Unreachable):
            await ask(line, url)


async def test_nobody_is_followed_elsewhere() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await question(reader)
        writer.write(
            b"HTTP/1.1 307 -\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
        )

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        assert (await line.post(url, content=b"q", headers={})).status_code == 307


async def test_nobody_there_is_unreachable() -> None:
    async with OpenLine.open(timeout_s=5, reply_max=100) as line:
        with pytest.raises(Unreachable):
            await ask(line, "http://127.0.0.1:9/")
