"""A payment provider to test with: speaks SNAP BI over HTTP, remembers its payments, loses callbacks on demand.

``POST /simulate/pay`` with ``{"reference": …, "how": …}`` pays a QR code as a customer would; ``how`` is
``normal``, ``lost`` (paid, but the callback never comes), ``twice`` (the callback comes again and again),
``wrong_amount`` (a rupiah short) or ``again`` (the same code is paid a second time).
"""

import hashlib
import http.client
import json
import queue
import signal
import sqlite3
import threading
import urllib.error
import urllib.request
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog

from meterai.clock import WIB, now
from meterai.ids import new_id
from meterai.payment.qris import write
from meterai.payment.snap import GENERATE, NOTIFY, PAID, QUERY
from meterai.signing.messages import MessageKey, PartnerKey

_log = structlog.get_logger(__name__)
_RETRIES_S = (0, 1, 5, 15, 60)


class Book:
    """What the simulator remembers, in a small file of its own."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute(
            """create table if not exists code (reference text primary key, number text, amount int,
                   qr text, until text)"""
        )
        self._db.execute(
            """create table if not exists payment (rrn text primary key, reference text, amount int,
                   paid_at text)"""
        )

    def issue(self, reference: str, amount: int, until: str) -> tuple[str, str]:
        """The provider's number and the QRIS text for a reference; the same ones when asked again."""
        with self._lock:
            known = self._db.execute(
                "select number, qr from code where reference = ?", (reference,)
            ).fetchone()
            if known:
                return known[0], known[1]
            number, qr = new_id().hex, _qris(reference, amount)
            self._db.execute(
                "insert into code values (?, ?, ?, ?, ?)", (reference, number, amount, qr, until)
            )
            return number, qr

    def code(self, reference: str) -> tuple[str, int] | None:
        """The provider's number and the amount of a reference."""
        with self._lock:
            row = self._db.execute(
                "select number, amount from code where reference = ?", (reference,)
            ).fetchone()
        return None if row is None else (row[0], row[1])

    def pay(self, reference: str, amount: int) -> tuple[str, str]:
        """A payment is remembered; returns its retrieval number and moment."""
        rrn, paid_at = new_id().hex[-12:].upper(), _iso(now())
        with self._lock:
            self._db.execute(
                "insert into payment values (?, ?, ?, ?)", (rrn, reference, amount, paid_at)
            )
        return rrn, paid_at

    def payment(self, reference: str) -> tuple[str, int, str] | None:
        """The first payment of a reference: retrieval number, amount, moment."""
        with self._lock:
            row = self._db.execute(
                "select rrn, amount, paid_at from payment where reference = ? order by rowid limit 1",
                (reference,),
            ).fetchone()
        return None if row is None else (row[0], row[1], row[2])


def _qris(reference: str, amount: int) -> str:
    merchant = write([("00", "ID.CO.QRIS.WWW"), ("02", "ID0000000000000"), ("03", "UMI")])
    return write(
        [
            ("00", "01"),
            ("01", "12"),
            ("51", merchant[: merchant.rindex("6304")]),
            ("52", "9399"),
            ("53", "360"),
            ("54", str(amount)),
            ("58", "ID"),
            ("59", "CONTOH METERAI"),
            ("60", "JAKARTA"),
            ("62", f"01{len(reference):02d}{reference}"),
        ]
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(WIB).replace(microsecond=0).isoformat()


class Simulator:
    """The provider: answers, and calls back from a thread of its own."""

    def __init__(self, folder: Path, call_back: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.book = Book(folder / "payments.sqlite3")
        self._key = MessageKey.load(folder.parent / "keys" / "provider.key")
        self._partner = PartnerKey.load(folder.parent / "keys" / "payment.pub")
        self._call_back = call_back
        self._calls: queue.Queue[tuple[dict[str, Any], int]] = queue.Queue()
        threading.Thread(target=self._caller, daemon=True).start()

    def answer(self, path: str, headers: Any, raw: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body for one request."""
        if path == "/simulate/pay":
            return self._pay(json.loads(raw))
        timestamp = headers.get("x-timestamp", "")
        said = f"POST:{path}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
        if not self._partner.signed(said, headers.get("x-signature", "")):
            return 401, {"responseCode": "4010000", "responseMessage": "Unauthorized. Signature"}
        asked = json.loads(raw)
        if path == GENERATE:
            return self._generate(asked)
        if path == QUERY:
            return self._query(asked["originalPartnerReferenceNo"])
        return 404, {"responseCode": "4040000", "responseMessage": "Not Found"}

    def _generate(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        reference = asked["partnerReferenceNo"]
        amount = int(asked["amount"]["value"].split(".")[0])
        number, qr = self.book.issue(reference, amount, asked["validityPeriod"])
        return 200, {
            "responseCode": "2004700",
            "responseMessage": "Successful",
            "referenceNo": number,
            "partnerReferenceNo": reference,
            "qrContent": qr,
        }

    def _query(self, reference: str) -> tuple[int, dict[str, Any]]:
        code, paid = self.book.code(reference), self.book.payment(reference)
        if code is None:
            return 404, {"responseCode": "4045101", "responseMessage": "Transaction Not Found"}
        number, amount = code
        if paid is None:
            return 200, _notice(reference, number, "", amount, "", "03") | {
                "responseCode": "2005100"
            }
        rrn, amount, paid_at = paid
        return 200, _notice(reference, number, rrn, amount, paid_at) | {"responseCode": "2005100"}

    def _pay(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        reference, how = asked["reference"], asked.get("how", "normal")
        code = self.book.code(reference)
        if code is None:
            return 404, {"error": "no such code"}
        number, amount = code
        if how == "wrong_amount":
            amount -= 1
        if how != "again" and self.book.payment(reference) is not None:
            return 409, {"error": "paid already"}
        rrn, paid_at = self.book.pay(reference, amount)
        body = _notice(reference, number, rrn, amount, paid_at)
        for _ in range({"lost": 0, "twice": 3}.get(how, 1)):
            self._calls.put((body, 0))
        return 200, {"rrn": rrn}

    def _caller(self) -> None:
        while True:
            body, tried = self._calls.get()
            try:
                self._notify(body)
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                _log.warning("callback_failed", tried=tried, error=str(error))
                if tried + 1 < len(_RETRIES_S):
                    again = threading.Timer(
                        _RETRIES_S[tried + 1], self._calls.put, [(body, tried + 1)]
                    )
                    again.daemon = True
                    again.start()

    def _notify(self, body: dict[str, Any]) -> None:
        raw = json.dumps(body, separators=(",", ":")).encode()
        timestamp = _iso(now())
        said = f"POST:{NOTIFY}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
        request = urllib.request.Request(
            self._call_back + NOTIFY,
            data=raw,
            headers={
                "content-type": "application/json",
                "x-timestamp": timestamp,
                "x-signature": self._key.sign(said),
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


def _notice(
    reference: str, number: str, rrn: str, amount: int, paid_at: str, status: str = PAID
) -> dict[str, Any]:
    return {
        "responseMessage": "Successful",
        "originalReferenceNo": number,
        "originalPartnerReferenceNo": reference,
        "latestTransactionStatus": status,
        "amount": {"value": f"{amount}.00", "currency": "IDR"},
        "paidTime": paid_at or None,
        "additionalInfo": {"rrn": rrn} if rrn else {},
    }


def handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    """What an HTTP server needs to let the simulator answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                status, body = simulator.answer(self.path, self.headers, raw)
            except (ValueError, KeyError) as error:
                status, body = 400, {"error": str(error)}
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Nothing: requests are not logged one by one."""

    return Handler


def serve(folder: Path, port: int, call_back: str) -> None:
    """Answers on 127.0.0.1 until told to stop (SIGTERM)."""
    simulator = Simulator(folder, call_back)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(simulator))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
