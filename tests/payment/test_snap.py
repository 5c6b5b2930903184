from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meterai.clock import now
from meterai.payment.errors import NoticeNotAccepted, NoticeNotUnderstood
from meterai.payment.snap import NOTIFY, SnapProvider
from meterai.signing.messages import make_pair
from world.callbacks import notice, signed


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


def test_a_signed_notice_is_read(keys: Path, provider: SnapProvider) -> None:
    raw = notice()
    reported = provider.read_notice(NOTIFY, signed(keys / "provider.key", raw), raw, now())
    assert (reported.reference, reported.amount, reported.external_id) == (
        "M123456789",
        10500,
        "R1",
    )


def test_a_forged_changed_old_or_unsigned_notice_is_not_accepted(
    keys: Path, provider: SnapProvider
) -> None:
    raw = notice()
    good = signed(keys / "provider.key", raw)
    tried: list[tuple[dict[str, str], bytes]] = [
        (signed(keys / "thief.key", raw), raw),
        (good, raw.replace(b"10500", b"99500")),
        (signed(keys / "provider.key", raw, at=now() - timedelta(minutes=6)), raw),
        (signed(keys / "provider.key", raw, at=now() + timedelta(minutes=6)), raw),
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
        provider.read_notice(NOTIFY, signed(keys / "provider.key", raw), raw, now())
