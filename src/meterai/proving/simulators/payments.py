"""A payment provider to test with: speaks SNAP BI from the other side, and misbehaves on demand.

``POST /simulate/pay`` with ``{"reference": …, "how": …}`` pays a QR code or a virtual account as a customer
would; ``how`` is ``normal``, ``lost`` (paid, but the callback never comes), ``late`` (it comes after
``seconds``), ``twice`` (again and again), ``forged`` (signed by somebody else; nothing was paid),
``wrong_amount`` (a rupiah short) or ``again`` (the same code is paid a second time).
``POST /simulate/outage`` with ``{"seconds": …, "kind": "down" | "slow"}`` makes every answer fail or linger.
``POST /simulate/settlement`` with ``{"gap": n}`` gives the account of all payments and refunds as CSV, every
n-th line left out.
"""

import csv
import hashlib
import http.client
import io
import json
import queue
import secrets
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog

from meterai.clock import WIB, monotonic, now
from meterai.ids import new_id
from meterai.payment.qris import write
from meterai.payment.snap_messages import (
    CREATE_VA,
    DELETE_VA,
    GENERATE,
    NOTIFY,
    NOTIFY_VA,
    PAID,
    QUERY,
    REFUND,
    STATUS_VA,
    TOKEN,
)
from meterai.payment.snap_signing import mac, mac_fits, to_sign_with_token
from meterai.signing.messages import MessageKey, PartnerKey

_log = structlog.get_logger(__name__)
_RETRIES_S = (0, 1, 5, 15, 60)
Answer = tuple[int, dict[str, Any] | str]


@dataclass(frozen=True, slots=True)
class Code:
    """What can be paid: a QR code or a virtual account."""

    reference: str
    number: str
    amount: int
    shown: str
    kind: str


class Book:
    """What the simulator remembers, in a small file of its own."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        # A log survives the death of this process without a flush to the disk for every row; of what
        # a simulator knows nothing has to outlive the machine.
        self._db.executescript(
            """pragma journal_mode = wal;
               pragma synchronous = off;
               create table if not exists code (reference text primary key, number text, amount int,
                   shown text, kind text);
               create table if not exists payment (rrn text primary key, reference text, amount int,
                   paid_at text);
               create index if not exists payment_reference on payment (reference);
               create table if not exists refund (partner text primary key, number text, rrn text,
                   amount int, at text);
               create index if not exists refund_rrn on refund (rrn);"""
        )

    def issue(self, reference: str, amount: int, kind: str, shown: str) -> Code:
        """What was issued for a reference; the same when asked again."""
        with self._lock:
            self._db.execute(
                "insert or ignore into code values (?, ?, ?, ?, ?)",
                (reference, new_id().hex, amount, shown, kind),
            )
        code = self.code(reference)
        assert code is not None
        return code

    def code(self, reference: str) -> Code | None:
        """What was issued for a reference."""
        with self._lock:
            row = self._db.execute(
                "select reference, number, amount, shown, kind from code where reference = ?",
                (reference,),
            ).fetchone()
        return None if row is None else Code(*row)

    def close(self, reference: str) -> None:
        """Nothing can be paid for the reference any more."""
        with self._lock:
            self._db.execute("update code set kind = 'closed' where reference = ?", (reference,))

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

    def give_back(self, partner: str, rrn: str, amount: int) -> str | None:
        """The number of a refund, the same when asked again; None when there is not so much to give."""
        with self._lock:
            known = self._db.execute(
                "select number from refund where partner = ? and rrn = ? and amount = ?",
                (partner, rrn, amount),
            ).fetchone()
            if known:
                return str(known[0])
            left = self._db.execute(
                """select amount - coalesce((select sum(amount) from refund r where r.rrn = p.rrn), 0)
                   from payment p where rrn = ?""",
                (rrn,),
            ).fetchone()
            if left is None or left[0] < amount:
                return None
            number = new_id().hex
            self._db.execute(
                "insert into refund values (?, ?, ?, ?, ?)",
                (partner, number, rrn, amount, _iso(now())),
            )
            return number

    def account(self) -> list[tuple[str, str, str, int, str]]:
        """All payments and refunds: kind, number, reference, amount, moment."""
        with self._lock:
            return self._db.execute(
                """select 'payment', case when c.kind = 'va' then 'VA-' || rrn else rrn end, p.reference,
                          p.amount, paid_at
                   from payment p left join code c on c.reference = p.reference
                   union all
                   select 'refund', partner, p.reference, r.amount, at
                   from refund r join payment p on p.rrn = r.rrn order by 5"""
            ).fetchall()


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
        keys = folder.parent / "keys"
        self._key = MessageKey.load(keys / "provider.key")
        self._partner = PartnerKey.load(keys / "payment.pub")
        secret = keys / "payment.secret"
        self._secret = secret.read_bytes().strip() if secret.exists() else None
        self._tokens: dict[str, float] = {}
        self._call_back = call_back
        self._outage = ("none", 0.0)
        self._calls: queue.Queue[tuple[str, dict[str, Any], int]] = queue.Queue()
        threading.Thread(target=self._caller, daemon=True).start()

    def answer(self, path: str, headers: Any, raw: bytes, method: str = "POST") -> Answer:
        """Status and body for one request."""
        asked = json.loads(raw or b"{}")
        if path == "/simulate/outage":
            self._outage = (asked["kind"], monotonic() + float(asked["seconds"]))
            return 200, {}
        if path == "/simulate/settlement":
            return 200, self._settlement(int(asked.get("gap", 0)))
        if path == "/simulate/pay":
            return self._pay(asked)
        kind, until = self._outage
        if monotonic() < until:
            if kind == "slow":
                time.sleep(min(until - monotonic(), 12))
            return 503, {"responseCode": "5030000", "responseMessage": "Service Unavailable"}
        if path == TOKEN:
            return self._give_token(headers)
        if not self._signed(method, path, headers, raw):
            return 401, {"responseCode": "4010000", "responseMessage": "Unauthorized. Signature"}
        return self._serve(path, asked)

    def _serve(self, path: str, asked: dict[str, Any]) -> Answer:
        if path == GENERATE:
            return self._generate(asked)
        if path == QUERY:
            return self._query(asked["originalPartnerReferenceNo"])
        if path == REFUND:
            return self._refund(asked)
        if path == CREATE_VA:
            shown = asked["virtualAccountNo"]
            self.book.issue(asked["trxId"], _rupiah(asked["totalAmount"]), "va", shown)
            return 200, {"responseCode": "2002700", "virtualAccountData": asked}
        if path == STATUS_VA:
            return self._va_status(asked)
        if path == DELETE_VA:
            self.book.close(asked["trxId"])
            return 200, {"responseCode": "2003100", "virtualAccountData": asked}
        return 404, {"responseCode": "4040000", "responseMessage": "Not Found"}

    def _signed(self, method: str, path: str, headers: Any, raw: bytes) -> bool:
        timestamp, signature = headers.get("x-timestamp", ""), headers.get("x-signature", "")
        if self._secret is None:
            said = f"{method}:{path}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
            return self._partner.signed(said, signature)
        token = headers.get("authorization", "").removeprefix("Bearer ")
        said = to_sign_with_token(method, path, token, raw, timestamp)
        return self._tokens.get(token, 0) > monotonic() and mac_fits(self._secret, said, signature)

    def _give_token(self, headers: Any) -> Answer:
        client, timestamp = headers.get("x-client-key", ""), headers.get("x-timestamp", "")
        if not self._partner.signed(f"{client}|{timestamp}".encode(), headers["x-signature"]):
            return 401, {"responseCode": "4017300", "responseMessage": "Unauthorized. Signature"}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = monotonic() + 900
        return 200, {"responseCode": "2007300", "accessToken": token, "expiresIn": "900"}

    def _generate(self, asked: dict[str, Any]) -> Answer:
        reference, amount = asked["partnerReferenceNo"], _rupiah(asked["amount"])
        code = self.book.issue(reference, amount, "qris", _qris(reference, amount))
        return 200, {
            "responseCode": "2004700",
            "responseMessage": "Successful",
            "referenceNo": code.number,
            "partnerReferenceNo": reference,
            "qrContent": code.shown,
        }

    def _query(self, reference: str) -> Answer:
        code, paid = self.book.code(reference), self.book.payment(reference)
        if code is None:
            return 404, {"responseCode": "4045101", "responseMessage": "Transaction Not Found"}
        done = {"responseCode": "2005100"}
        if paid is None:
            return 200, _notice(code, "", code.amount, "", "03") | done
        rrn, amount, paid_at = paid
        return 200, _notice(code, rrn, amount, paid_at) | done

    def _va_status(self, asked: dict[str, Any]) -> Answer:
        paid = self.book.payment(asked["trxId"])
        said = {"virtualAccountNo": asked["virtualAccountNo"], "trxId": asked["trxId"]}
        if paid is None:
            said["paymentFlagStatus"] = "03"
        else:
            said |= _va_facts(*paid) | {"paymentFlagStatus": PAID}
        return 200, {"responseCode": "2002600", "virtualAccountData": said}

    def _refund(self, asked: dict[str, Any]) -> Answer:
        rrn = asked["additionalInfo"]["rrn"]
        number = self.book.give_back(asked["partnerRefundNo"], rrn, _rupiah(asked["refundAmount"]))
        if number is None:
            return 404, {"responseCode": "4047801", "responseMessage": "Transaction Not Found"}
        return 200, {
            "responseCode": "2007800",
            "refundNo": number,
            "partnerRefundNo": asked["partnerRefundNo"],
            "refundAmount": asked["refundAmount"],
        }

    def _pay(self, asked: dict[str, Any]) -> Answer:
        reference, how = asked["reference"], asked.get("how", "normal")
        code = self.book.code(reference)
        if code is None or code.kind == "closed":
            return 404, {"error": "no such code"}
        amount = code.amount - (how == "wrong_amount")
        if how == "forged":
            self._calls.put(("forged", _notice(code, "FORGED", amount, _iso(now())), 0))
            return 200, {"rrn": "FORGED"}
        if how != "again" and self.book.payment(reference) is not None:
            return 409, {"error": "paid already"}
        rrn, paid_at = self.book.pay(reference, amount)
        if code.kind == "va":
            path = NOTIFY_VA
            body = {"virtualAccountNo": code.shown, "trxId": reference} | _va_facts(
                rrn, amount, paid_at
            )
        else:
            path, body = NOTIFY, _notice(code, rrn, amount, paid_at)
        if how == "late":
            self._call_later(float(asked.get("seconds", 5)), (path, body, 0))
            return 200, {"rrn": rrn}
        for _ in range({"lost": 0, "twice": 3}.get(how, 1)):
            self._calls.put((path, body, 0))
        return 200, {"rrn": rrn}

    def _settlement(self, gap: int) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("kind", "external_id", "reference", "amount", "at"))
        for n, line in enumerate(self.book.account(), 1):
            if not gap or n % gap:
                writer.writerow(line)
        return out.getvalue()

    def _caller(self) -> None:
        while True:
            path, body, tried = self._calls.get()
            try:
                self._notify(path, body)
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                _log.warning("callback_failed", tried=tried, error=str(error))
                if path != "forged" and tried + 1 < len(_RETRIES_S):
                    self._call_later(_RETRIES_S[tried + 1], (path, body, tried + 1))

    def _call_later(self, seconds: float, call: tuple[str, dict[str, Any], int]) -> None:
        again = threading.Timer(seconds, self._calls.put, [call])
        again.daemon = True
        again.start()

    def _notify(self, path: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body, separators=(",", ":")).encode()
        forged = path == "forged"
        path = NOTIFY if forged else path
        timestamp = _iso(now())
        headers = {"content-type": "application/json", "x-timestamp": timestamp}
        if forged:
            headers["x-signature"] = "Zm9yZ2Vk"
        elif self._secret is None:
            said = f"POST:{path}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
            headers["x-signature"] = self._key.sign(said)
        else:
            token = self._ask_for_token()
            headers["authorization"] = f"Bearer {token}"
            headers["x-signature"] = mac(
                self._secret, to_sign_with_token("POST", path, token, raw, timestamp)
            )
        self._post(path, raw, headers)

    def _ask_for_token(self) -> str:
        timestamp = _iso(now())
        headers = {
            "content-type": "application/json",
            "x-client-key": "snap",
            "x-timestamp": timestamp,
            "x-signature": self._key.sign(f"snap|{timestamp}".encode()),
        }
        given = json.loads(self._post(TOKEN, b'{"grantType":"client_credentials"}', headers))
        return str(given["accessToken"])

    def _post(self, path: str, raw: bytes, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(self._call_back + path, data=raw, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())


def _rupiah(amount: dict[str, str]) -> int:
    return int(amount["value"].split(".")[0])


def _va_facts(rrn: str, amount: int, paid_at: str) -> dict[str, Any]:
    return {
        "paymentRequestId": rrn,
        "paidAmount": {"value": f"{amount}.00", "currency": "IDR"},
        "trxDateTime": paid_at,
    }


def _notice(code: Code, rrn: str, amount: int, paid_at: str, status: str = PAID) -> dict[str, Any]:
    return {
        "responseMessage": "Successful",
        "originalReferenceNo": code.number,
        "originalPartnerReferenceNo": code.reference,
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
                status, body = simulator.answer(self.path, self.headers, raw, self.command)
            except (ValueError, KeyError) as error:
                status, body = 400, {"error": str(error)}
            sent = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_DELETE = do_POST  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: object) -> None:
            """Nothing: requests are not logged one by one."""

    return Handler


def serve(folder: Path, port: int, call_back: str) -> None:
    """Answers on 127.0.0.1 until told to stop (SIGTERM)."""
    simulator = Simulator(folder, call_back)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(simulator))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
