"""A time-stamp authority (RFC 3161) on 127.0.0.1, with the demo certificate and a switch for trouble.

``POST /`` answers a time-stamp query. ``PUT /mode`` sets how: ``up``, ``down`` (answers 503), ``slow 2.5``
(seconds before each answer), ``hang`` (never answers), and tokens for another question: ``wrong`` (nonce),
``wrong imprint``, ``wrong policy``. ``GET /mode`` says it.
"""

import asyncio
import hashlib
import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, cast

import uvloop
from asn1crypto import x509

from meterai.clock import now
from meterai.signing.der import (
    SEQUENCE,
    element_at,
    elements_in,
    integer,
    octets,
    oid,
    set_of,
    small_integer,
    tlv,
)
from meterai.signing.keys import FileKey
from meterai.signing.oids import SHA256_IDENTIFIER, SIGNED_DATA, TST_INFO
from meterai.signing.seal import SIGNATURE_IDENTIFIERS

POLICY = "1.3.6.1.4.1.99999.1"
"""A policy of our own, below a number that nobody has."""
REJECTION = bytes.fromhex("30053003020102")
"""A response with status 2 and no token (RFC 3161 §2.4.2)."""
QUERY_MAX = 4096
SLOW_MAX_S = 30.0
MODES = ("up", "down", "hang", "wrong", "wrong imprint", "wrong policy")

_GRANTED = tlv(SEQUENCE, small_integer(0))
_ACCURACY = tlv(SEQUENCE, small_integer(1))


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: the imprint as it stands in the query, and the nonce in DER, if there is one."""

    imprint: bytes
    nonce: bytes

    @classmethod
    def read(cls, query: bytes) -> Self:
        """From DER. Raises ``ValueError``."""
        tag, _, start, end = element_at(query, 0)
        if tag != SEQUENCE or end != len(query):
            raise ValueError("no query")
        version, imprint, *rest = elements_in(query, start, end)
        if query[version[1] : version[3]] != b"\x02\x01\x01" or imprint[0] != SEQUENCE:
            raise ValueError("no query")
        nonce = next((query[e[1] : e[3]] for e in rest if e[0] == 0x02), b"")
        return cls(query[imprint[1] : imprint[3]], nonce)


class Stamper:
    """The authority itself, without a network: queries in, answers out."""

    def __init__(self, key: FileKey) -> None:
        self.key = key
        leaf = x509.Certificate.load(key.chain[0])
        number = leaf["tbs_certificate"]["serial_number"].dump()
        self._signer_id = tlv(SEQUENCE, leaf.issuer.dump(), number)
        self._certificates = set_of(*dict.fromkeys(key.chain[:2]), tag=0xA0)
        bound = tlv(SEQUENCE, octets(hashlib.sha256(key.chain[0]).digest()))
        self._constant = (
            _attribute("1.2.840.113549.1.9.3", TST_INFO),
            _attribute("1.2.840.113549.1.9.16.2.47", tlv(SEQUENCE, tlv(SEQUENCE, bound))),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """With the time-stamp key of a demo PKI in ``folder``."""
        return cls(FileKey.load(folder / "time-stamps.key", folder / "time-stamps-chain.pem"))

    def answer(self, query: bytes, moment: datetime, number: int, mode: str = "up") -> bytes:
        """The response to ``query``, both in DER; a query that makes no sense is rejected.

        The ``wrong`` modes answer as if somebody had asked another question.
        """
        try:
            asked = Query.read(query)
        except (ValueError, IndexError):
            return REJECTION
        return tlv(SEQUENCE, _GRANTED, self._token(_info(asked, moment, number, mode)))

    def _token(self, info: bytes) -> bytes:
        digest = _attribute("1.2.840.113549.1.9.4", octets(hashlib.sha256(info).digest()))
        attributes = sorted((*self._constant, digest))
        signer = tlv(
            SEQUENCE,
            small_integer(1),
            self._signer_id,
            SHA256_IDENTIFIER,
            tlv(0xA0, *attributes),
            SIGNATURE_IDENTIFIERS[self.key.algorithm],
            octets(self.key.sign_now(tlv(0x31, *attributes))),
        )
        data = tlv(
            SEQUENCE,
            small_integer(3),
            set_of(SHA256_IDENTIFIER),
            tlv(SEQUENCE, TST_INFO, tlv(0xA0, octets(info))),
            self._certificates,
            set_of(signer),
        )
        return tlv(SEQUENCE, SIGNED_DATA, tlv(0xA0, data))


def _attribute(kind: str, value: bytes) -> bytes:
    return tlv(SEQUENCE, oid(kind), set_of(value))


def _info(asked: Query, moment: datetime, number: int, mode: str) -> bytes:
    """TSTInfo (RFC 3161 §2.4.2)."""
    imprint, nonce, policy = asked.imprint, asked.nonce, POLICY
    if mode == "wrong" and nonce:
        nonce = integer(int.from_bytes(nonce[2:], "big") ^ 1)
    elif mode == "wrong imprint":
        imprint = imprint[:-1] + bytes((imprint[-1] ^ 1,))
    elif mode == "wrong policy":
        policy += ".2"
    return tlv(
        SEQUENCE,
        small_integer(1),
        oid(policy),
        imprint,
        integer(number),
        tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode()),
        _ACCURACY,
        nonce,
    )


class TimeStampServer:
    """The authority behind a port of 127.0.0.1: in a thread of its own while it is used as a context."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.mode = "up"
        self.answered = 0
        self.port = port
        self._stamper = Stamper.load(folder)
        self._numbers: Iterator[int] = itertools.count(time.time_ns())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """Where to send queries."""
        return f"http://127.0.0.1:{self.port}/"

    def answer(self, query: bytes) -> bytes:
        """The response in the present mode."""
        self.answered += 1
        return self._stamper.answer(query, now(), next(self._numbers), self.mode)

    def run(self, *, until_signal: bool = False) -> None:
        """Answers until :meth:`stop`, or a signal."""
        uvloop.run(self._serve(until_signal=until_signal))

    async def _serve(self, *, until_signal: bool) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        if until_signal:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._over.set)
        http = await self._loop.create_server(lambda: _Door(self), "127.0.0.1", self.port)
        self.port = http.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        http.close()

    def stop(self) -> None:
        """No question is answered any more."""
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the authority did not begin")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(10)


class _Door(asyncio.Protocol):
    """HTTP/1.1, connections kept open, nothing logged."""

    def __init__(self, server: TimeStampServer) -> None:
        self._server = server
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        self._read += data
        while True:
            head, end, rest = self._read.partition(b"\r\n\r\n")
            if not end:
                return
            size = _length(head)
            if size > QUERY_MAX:
                self._say(200, REJECTION, "application/timestamp-reply")
                self._transport.close()
                return
            if len(rest) < size:
                return
            self._read = rest[size:]
            method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
            self._do(method, path, rest[:size])

    def _do(self, method: bytes, path: bytes, body: bytes) -> None:
        mode = self._server.mode
        if method == b"POST":
            if mode.startswith("slow "):
                wait = min(float(mode.split()[1]), SLOW_MAX_S)
                asyncio.get_running_loop().call_later(wait, self._stamp, body)
            elif mode == "down":
                self._say(503, b"", "text/plain")
            elif mode != "hang":
                self._stamp(body)
            return
        known = path == b"/mode"
        wanted = body.decode("ascii", "replace").strip()
        if method == b"PUT" and known:
            known = _understood(wanted)
            if known:
                self._server.mode = wanted
            self._say(200 if known else 400, self._server.mode.encode(), "text/plain")
        else:
            self._say(200 if known else 404, mode.encode() if known else b"", "text/plain")

    def _stamp(self, query: bytes) -> None:
        self._say(200, self._server.answer(query), "application/timestamp-reply")

    def _say(self, status: int, body: bytes, kind: str) -> None:
        if self._transport.is_closing():
            return
        head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def _understood(mode: str) -> bool:
    if mode in MODES:
        return True
    word, _, seconds = mode.partition(" ")
    return word == "slow" and seconds.replace(".", "", 1).isdigit()


def main(folder: Path, port: int) -> None:
    """Serves time stamps with the demo PKI in ``folder`` until SIGTERM or SIGINT."""
    TimeStampServer(folder, port).run(until_signal=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
