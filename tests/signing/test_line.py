import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meterai.clock import now
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


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """Key and certificate of 127.0.0.1, signed by itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "contoh.test")])
    moment = now()
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key, chain = folder / "key.pem", folder / "chain.pem"
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key, chain


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


async def test_chunks_and_bodies_that_end_with_the_connection_are_read() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await question(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
        await question(reader)  # the connection is still good
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nto the end")
        await writer.drain()

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        assert await ask(line, url) == b"abcde"
        assert await ask(line, url) == b"to the end"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n",
        b"",
    ],
)
async def test_what_is_no_whole_answer_is_none(answer: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await question(reader)
        writer.write(answer)

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        with pytest.raises(Unreachable):
            await ask(line, url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///x", "tsa", "http://127.0.0.1/a b"])
async def test_an_address_that_makes_no_sense_is_unreachable(url: str) -> None:
    async with OpenLine.open(timeout_s=5, reply_max=100) as line:
        with pytest.raises(Unreachable):
            await ask(line, url)


async def test_an_authority_with_an_untrusted_certificate_is_unreachable(tmp_path: Path) -> None:
    key, chain = own_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    asked = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await question(reader))
        writer.write(said(b"ok"))

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        port = server.sockets[0].getsockname()[1]
        async with OpenLine.open(timeout_s=5, reply_max=100) as line:
            with pytest.raises(Unreachable):
                await ask(line, f"https://127.0.0.1:{port}/")
            line._secure = ssl.create_default_context(cafile=str(chain))
            assert await ask(line, f"https://127.0.0.1:{port}/") == b"ok"
    finally:
        server.close()
    assert asked == [b"q"]


async def test_no_more_connections_are_open_at_a_time_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meterai.signing.line.CONNECTIONS_MAX", 3)
    there, most = 0, 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal there, most
        there += 1
        most = max(most, there)
        try:
            while True:
                await question(reader)
                await asyncio.sleep(0.01)
                writer.write(said(b"ok"))
        finally:
            there -= 1

    async with listening(handle) as url, OpenLine.open(timeout_s=5, reply_max=100) as line:
        assert set(await asyncio.gather(*(ask(line, url) for _ in range(12)))) == {b"ok"}
    assert most == 3


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
