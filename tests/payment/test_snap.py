import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterai.clock import now
from meterai.payment.errors import NoticeNotAccepted, NoticeNotUnderstood
from meterai.payment.snap import NOTIFY, SnapProvider
from meterai.signing.messages import MessageKey, make_pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_pair(folder / "payment.key", folder / "payment.pub")
    make_pair(folder / "provider.key", folder / "provider.pub")
    make_pair(folder / "thief.key", folder / "thief.pub")
    return folder


@pytest.fixture
def provider(keys: Path) -> SnapProvider:
    return SnapProvider.load("http://127.0.0.1:9", "meterai", keys)


def notice(**changes: Any) -> bytes:
    body = {
        "originalReferenceNo": "P1",
        "originalPartnerReferenceNo": "M123456789",
        "latestTransactionStatus": "00",
        "amount": {"value": "10500.00", "currency": "IDR"},
        "paidTime": "2026-11-24T10:00:00+07:00",
        "additionalInfo": {"rrn": "R1"},
    }
    return json.dumps(body | changes).encode()


def signed(
    keys: Path, raw: bytes, *, at: datetime | None = None, by: str = "provider"
) -> dict[str, str]:
    timestamp = (at or now()).isoformat(timespec="seconds")
    said = f"POST:{NOTIFY}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()
    key = MessageKey.load(keys / f"{by}.key")
    return {"x-timestamp": timestamp, "x-signature": key.sign(said)}


def test_a_signed_notice_is_read(keys: Path, provider: SnapProvider) -> None:
    raw = notice()
    reported = provider.read_notice(NOTIFY, signed(keys, raw), raw, now())
    assert (reported.reference, reported.amount, reported.external_id) == (
        "M123456789",
        10500,
        "R1",
    )


def test_a_forged_changed_old_or_unsigned_notice_is_not_accepted(
    keys: Path, provider: SnapProvider
) -> None:
    raw = notice()
    good = signed(keys, raw)
    tried: list[tuple[dict[str, str], bytes]] = [
        (signed(keys, raw, by="thief"), raw),
        (good, raw.replace(b"10500", b"99500")),
        (signed(keys, raw, at=now() - timedelta(minutes=6)), raw),
        (signed(keys, raw, at=now() + timedelta(minutes=6)), raw),
        ({}, raw),
        ({**good, "x-signature": "no base64!"}, raw),
        ({**good, "x-timestamp": "yesterday"}, raw),
    ]
    for headers, body in tried:
        with pytest.raises(NoticeNotAccepted):
            provider.read_notice(NOTIFY, headers, body, now())
    with pytest.raises(NoticeNotAccepted):
        provider.read_notice("/v1.0/another/path", good, raw, now())


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"value": "10500.50", "currency": "IDR"}},
        {"amount": {"value": "10500.00", "currency": "USD"}},
        {"amount": {"value": "-5.00", "currency": "IDR"}},
        {"amount": {"value": "many", "currency": "IDR"}},
        {"amount": None},
        {"latestTransactionStatus": "06"},
    ],
)
def test_a_signed_notice_without_sense_is_not_understood(
    keys: Path, provider: SnapProvider, change: dict[str, Any]
) -> None:
    raw = notice(**change)
    with pytest.raises(NoticeNotUnderstood):
        provider.read_notice(NOTIFY, signed(keys, raw), raw, now())
