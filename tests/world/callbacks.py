"""What a payment provider writes when it reports a payment, and how it signs that (SNAP BI, asymmetric)."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from meterai.clock import now
from meterai.payment.snap import NOTIFY
from meterai.signing.messages import MessageKey


def notice(reference: str = "M123456789", **changes: Any) -> bytes:
    """A payment of Rp10.500 for this reference, but for the changes."""
    body = {
        "originalReferenceNo": "P1",
        "originalPartnerReferenceNo": reference,
        "latestTransactionStatus": "00",
        "amount": {"value": "10500.00", "currency": "IDR"},
        "paidTime": "2026-11-24T10:00:00+07:00",
        "additionalInfo": {"rrn": "R1"},
    }
    return json.dumps(body | changes).encode()


def signed(key: Path, raw: bytes, *, at: datetime | None = None) -> dict[str, str]:
    """The headers of a report by whoever holds this key, at this moment or now."""
    timestamp = (at or now()).isoformat(timespec="seconds")
    said = f"POST:{NOTIFY}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
    return {"x-timestamp": timestamp, "x-signature": MessageKey.load(key).sign(said)}
