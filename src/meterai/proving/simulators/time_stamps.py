"""A time-stamp authority (RFC 3161) on 127.0.0.1, with the demo certificate and a switch for trouble.

``POST /`` answers a time-stamp query. ``PUT /mode`` sets how: ``up``, ``down`` (answers 503), ``slow 2.5``
(seconds before each answer), ``wrong`` (tokens for another question). ``GET /mode`` says it.
"""

import hashlib
import signal
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from asn1crypto import algos, cms, core, tsp, x509

from meterai.clock import now
from meterai.signing.keys import FileKey

POLICY = "1.3.6.1.4.1.99999.1"
"""A policy of our own, below a number that nobody has."""
REJECTION = bytes.fromhex("30053003020102")
"""A response with status 2 and no token (RFC 3161 §2.4.2)."""
QUERY_MAX = 4096
SLOW_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Stamper:
    """The authority itself, without a network: queries in, answers out."""

    key: FileKey

    @classmethod
    def load(cls, folder: Path) -> Self:
        """With the time-stamp key of a demo PKI in ``folder``."""
        return cls(FileKey.load(folder / "time-stamps.key", folder / "time-stamps-chain.pem"))

    def answer(self, query: bytes, moment: datetime, number: int, *, wrong: bool = False) -> bytes:
        """The response to ``query``, both in DER; a query that makes no sense is rejected.

        ``wrong`` changes the nonce, as an answer to somebody else would.
        """
        try:
            asked = tsp.TimeStampReq.load(query, strict=True)
            info = _info(asked, moment, number, wrong=wrong)
            token = self._token(info)
        except (ValueError, TypeError, KeyError):
            return REJECTION
        granted = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})
        encoded: bytes = granted.dump()
        return encoded

    def _token(self, info: bytes) -> cms.ContentInfo:
        leaf = x509.Certificate.load(self.key.chain[0])
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", cms.ContentType("tst_info")),
                _attribute("message_digest", core.OctetString(hashlib.sha256(info).digest())),
                _attribute("signing_certificate_v2", _bound(self.key.chain[0])),
            ]
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                            {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
                        )
                    }
                ),
                "digest_algorithm": {"algorithm": "sha256"},
                "signature_algorithm": {"algorithm": "sha256_rsa"},
                "signed_attrs": attributes,
                "signature": self.key.sign_now(attributes.dump()),
            }
        )
        data = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": cms.ParsableOctetString(info),
                },
                "certificates": [x509.Certificate.load(der) for der in self.key.chain[:2]],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": data})


def _info(asked: tsp.TimeStampReq, moment: datetime, number: int, *, wrong: bool) -> bytes:
    fields = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": asked["message_imprint"],
        "serial_number": number,
        "gen_time": moment.replace(microsecond=0),
        "accuracy": {"seconds": 1},
    }
    nonce = asked["nonce"].native
    if nonce is not None:
        fields["nonce"] = nonce + 1 if wrong else nonce
    encoded: bytes = tsp.TSTInfo(fields).dump()
    return encoded


def _attribute(kind: str, value: core.Asn1Value) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": (value,)})


def _bound(certificate: bytes) -> tsp.SigningCertificateV2:
    return tsp.SigningCertificateV2(
        {
            "certs": [
                {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                    "cert_hash": hashlib.sha256(certificate).digest(),
                }
            ]
        }
    )


class TimeStampServer:
    """The authority behind a port of 127.0.0.1, while it is used as a context."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.mode = "up"
        self._stamper = Stamper.load(folder)
        self._numbers = iter(range(time.time_ns(), sys.maxsize))
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _door_of(self))
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        """Where to send queries."""
        return f"http://127.0.0.1:{self._http.server_port}/"

    def answer(self, query: bytes) -> bytes | None:
        """The response in the present mode; None is silence."""
        if self.mode == "down":
            return None
        if self.mode.startswith("slow "):
            time.sleep(min(float(self.mode.split()[1]), SLOW_MAX_S))
        with self._lock:
            number = next(self._numbers)
        return self._stamper.answer(query, now(), number, wrong=self.mode == "wrong")

    def serve(self) -> None:
        """Answers until :meth:`stop`."""
        self._http.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """No question is answered any more."""
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _door_of(server: TimeStampServer) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        """HTTP/1.1, connections kept open, nothing logged."""

        protocol_version = "HTTP/1.1"
        timeout = 60
        wbufsize = -1  # head and body in one packet, or the other side waits 40 ms for the second

        def do_POST(self) -> None:
            response = server.answer(self._body())
            if response is None:
                self._say(503, b"", "text/plain")
            else:
                self._say(200, response, "application/timestamp-reply")

        def do_PUT(self) -> None:
            mode = self._body().decode("ascii", "replace").strip()
            known = self.path == "/mode" and _understood(mode)
            if known:
                server.mode = mode
            self._say(200 if known else 400, server.mode.encode(), "text/plain")

        def do_GET(self) -> None:
            known = self.path == "/mode"
            self._say(200 if known else 404, server.mode.encode() if known else b"", "text/plain")

        def _body(self) -> bytes:
            size = int(self.headers.get("Content-Length", "0"))
            if size > QUERY_MAX:
                self.close_connection = True
                return b""
            return self.rfile.read(size)

        def _say(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A query is nobody's business."""

    return Door


def _understood(mode: str) -> bool:
    if mode in {"up", "down", "wrong"}:
        return True
    word, _, seconds = mode.partition(" ")
    return word == "slow" and seconds.replace(".", "", 1).isdigit()


def main(folder: Path, port: int) -> None:
    """Serves time stamps with the demo PKI in ``folder`` until SIGTERM or SIGINT."""
    server = TimeStampServer(folder, port)

    def stop(*_: object) -> None:
        # shutdown() waits for serve_forever(), which this very thread runs
        threading.Thread(target=server.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
