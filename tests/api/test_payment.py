"""What the payment provider's door takes in, over HTTP: the provider's word, and nobody else's."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from meterai.payment.snap import NOTIFY
from meterai.signing.messages import make_pair
from world.callbacks import notice, signed
from world.demo import Demo, books


async def report(demo: Demo, raw: bytes, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient() as provider:
        return await provider.post(f"{demo.url}{NOTIFY}", content=raw, headers=headers)


async def recorded(demo: Demo, reference: str) -> list[Any]:
    async with books(demo) as connection:
        rows = await connection.fetch(
            "select state, reason from payment_notice where reference = $1", reference
        )
    return [(row["state"], row["reason"]) for row in rows]


@pytest.mark.parametrize("forgery", ["unsigned", "by a thief", "changed afterwards"])
async def test_a_forged_callback_is_answered_401_and_leaves_nothing_behind(
    demo: Demo, tmp_path: Path, forgery: str
) -> None:
    reference = f"M{int.from_bytes(forgery.encode()[:6])}"
    raw = notice(reference, additionalInfo={"rrn": f"R-{reference}"})
    headers: dict[str, str] = {}
    if forgery == "by a thief":
        make_pair(tmp_path / "thief.key", tmp_path / "thief.pub")
        headers = signed(tmp_path / "thief.key", raw)
    if forgery == "changed afterwards":
        headers = signed(demo.data_dir / "keys" / "provider.key", raw)
        raw = raw.replace(b"10500.00", b"10.00")
    answer = await report(demo, raw, headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "payment_notice_not_accepted"
    assert await recorded(demo, reference) == []


async def test_money_for_an_order_nobody_knows_is_kept_for_a_person_to_see(demo: Demo) -> None:
    raw = notice("M777000777", additionalInfo={"rrn": "R-M777000777"})
    headers = signed(demo.data_dir / "keys" / "provider.key", raw)
    for _ in range(2):  # reported twice, recorded once
        answer = await report(demo, raw, headers)
        assert answer.status_code == 200
    assert await recorded(demo, "M777000777") == [("unplaced", "no_order")]
