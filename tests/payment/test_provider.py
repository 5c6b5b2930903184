"""Our side and the simulator's, over HTTP, in both signatures: what they agree on, and what they refuse."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from meterai.clock import now
from meterai.ids import new_id
from meterai.money import Rupiah
from meterai.payment import qris
from meterai.payment.errors import NoticeNotAccepted, ProviderDeclines, ProviderUnavailable
from meterai.payment.provider import Payback
from meterai.payment.snap import SnapProvider
from meterai.payment.snap_messages import NOTIFY_VA
from meterai.payment.snap_signing import iso, mac, to_sign_with_token, token_for
from meterai.proving.simulators.payments import Simulator, handler
from meterai.sale.model import reference_of
from meterai.signing.messages import make_pair

AMOUNT = Rupiah(10_500)


@pytest.fixture(params=["keys", "secret"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    make_pair(folder / "payment.key", folder / "payment.pub")
    make_pair(folder / "provider.key", folder / "provider.pub")
    if request.param == "secret":
        (folder / "payment.secret").write_text("a client secret of some length\n")
    return folder


@asynccontextmanager
async def a_bank(keys: Path) -> AsyncIterator[tuple[Simulator, SnapProvider]]:
    bank = Simulator(keys.parent / "simulator", "http://127.0.0.1:9")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(bank))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider = SnapProvider.load(f"http://127.0.0.1:{server.server_port}", "meterai", keys)
    try:
        yield bank, provider
    finally:
        await provider.close()
        server.shutdown()
        server.server_close()


def pay(bank: Simulator, reference: str, how: str = "normal") -> None:
    asked = f'{{"reference":"{reference}","how":"{how}"}}'.encode()
    assert bank.answer("/simulate/pay", {}, asked)[0] == 200


async def test_a_qr_code_is_issued_once_paid_found_and_paid_back(keys: Path) -> None:
    async with a_bank(keys) as (bank, provider):
        reference = reference_of(new_id())
        until = now() + timedelta(minutes=15)
        issued = await provider.issue_qr(reference, AMOUNT, until)
        assert (await provider.issue_qr(reference, AMOUNT, until)) == issued
        assert qris.read(issued.qris).bill == reference
        assert await provider.inquire(reference) is None
        pay(bank, reference)
        found = await provider.inquire(reference)
        assert found is not None
        assert (found.reference, found.amount) == (reference, AMOUNT)
        wish = Payback("R1", reference, found.external_id, Rupiah(10_000), "unused")
        paid = await provider.pay_back(wish)
        assert await provider.pay_back(wish) == paid  # asked twice, paid once
        with pytest.raises(ProviderDeclines):
            await provider.pay_back(Payback("R2", reference, found.external_id, AMOUNT, "unused"))


async def test_a_virtual_account_is_opened_paid_found_and_closed(keys: Path) -> None:
    async with a_bank(keys) as (bank, provider):
        reference, other = reference_of(new_id()), reference_of(new_id())
        until = now() + timedelta(minutes=15)
        number = await provider.issue_va(reference, AMOUNT, until)
        assert number == await provider.issue_va(reference, AMOUNT, until)
        assert number != await provider.issue_va(other, AMOUNT, until)
        assert number.isdecimal()
        assert await provider.inquire(reference, "va") is None
        pay(bank, reference)
        found = await provider.inquire(reference, "va")
        assert found is not None
        assert (found.reference, found.amount) == (reference, AMOUNT)
        await provider.close_va(other)
        asked = f'{{"reference":"{other}"}}'.encode()
        assert bank.answer("/simulate/pay", {}, asked)[0] == 404


async def test_an_outage_is_told_apart_from_a_refusal_and_heals(keys: Path) -> None:
    async with a_bank(keys) as (bank, provider):
        bank.answer("/simulate/outage", {}, b'{"kind":"down","seconds":60}')
        with pytest.raises(ProviderUnavailable):
            await provider.issue_qr("M12345678", AMOUNT, now())
        bank.answer("/simulate/outage", {}, b'{"kind":"down","seconds":0}')
        await provider.issue_qr("M12345678", AMOUNT, now())
        with pytest.raises(ProviderDeclines):
            await provider.inquire("M00000000")


async def test_a_simulator_takes_no_request_that_somebody_else_signed(keys: Path) -> None:
    async with a_bank(keys) as (bank, provider):
        status, _ = bank.answer("/v1.0/qr/qr-mpm-query", {"x-signature": "Zm9v"}, b"{}")
        assert status == 401
        assert provider.name == "snap"


def test_a_notice_with_the_secret_needs_a_token_of_ours_and_an_honest_body(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make_pair(keys / "payment.key", keys / "payment.pub")
    make_pair(keys / "provider.key", keys / "provider.pub")
    (keys / "payment.secret").write_text("the secret")
    provider = SnapProvider.load("http://127.0.0.1:9", "meterai", keys)
    moment = now()
    raw = (
        b'{"virtualAccountNo":"888","paymentRequestId":"7","trxId":"M123456789",'
        b'"paidAmount":{"value":"10500.00","currency":"IDR"},"trxDateTime":"2026-11-25T10:00:00+07:00"}'
    )

    def headers(token: str, body: bytes = raw) -> dict[str, str]:
        said = to_sign_with_token("POST", NOTIFY_VA, token, body, iso(moment))
        return {
            "x-timestamp": iso(moment),
            "x-signature": mac(b"the secret", said),
            "authorization": f"Bearer {token}",
        }

    good = token_for(b"the secret", "snap", int(moment.timestamp()) + 60)
    reported = provider.read_notice(NOTIFY_VA, headers(good), raw, moment)
    assert (reported.external_id, reported.amount) == ("VA-7", 10_500)
    stale = token_for(b"the secret", "snap", int(moment.timestamp()) - 1)
    for bad in (
        headers(stale),
        headers("none"),
        headers(good, raw.replace(b"10500", b"99500")),
        {},
    ):
        with pytest.raises(NoticeNotAccepted):
            provider.read_notice(NOTIFY_VA, bad, raw, moment)


async def test_the_settlement_file_of_the_simulator_has_gaps_on_demand(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make_pair(keys / "payment.key", keys / "payment.pub")
    make_pair(keys / "provider.key", keys / "provider.pub")
    async with a_bank(keys) as (bank, provider):
        for n in range(4):
            await provider.issue_qr(f"M0000000{n}", AMOUNT, now())
            pay(bank, f"M0000000{n}", "lost")
        _, whole = bank.answer("/simulate/settlement", {}, b"{}")
        _, gappy = bank.answer("/simulate/settlement", {}, b'{"gap":2}')
        assert (str(whole).count("\n"), str(gappy).count("\n")) == (5, 3)
