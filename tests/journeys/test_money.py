"""Money and stock on the pages: a distributor takes stock and sells, a citizen gets money back."""

import asyncio
import json
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from journeys.steps import PAYING, choose_place, order, pay
from journeys.test_pages import assert_usable
from meterai.clock import WIB, now
from world.demo import Demo, books, meterai

pytestmark = pytest.mark.browser


def enter(page: Page, role: str) -> None:
    """With one tap."""
    page.goto(f"/demo/masuk/{role}")


def number_in(page: Page, card: str, label: str) -> int:
    """A number of a channel's card."""
    section = page.locator("section", has=page.get_by_role("heading", name=re.compile(card)))
    text = section.locator("dl.counts div", has_text=label).locator("dd").inner_text()
    return int(text.replace(".", ""))


def test_a_distributor_deposits_takes_stock_and_hands_it_down(page: Page) -> None:
    code = f"{page.viewport_size['width']:015d}"  # type: ignore[index]  # every page here has a size
    enter(page, "distributor")
    page.goto("/kanal")
    before = number_in(page, "Mitra Contoh", "Stok")
    assert_usable(page)
    page.get_by_label("Jumlah (rupiah)").fill("2.000.000")
    page.get_by_label("Kode billing").fill(code)
    page.get_by_role("button", name="Catat setoran").click()
    expect(page.get_by_text(code)).to_be_visible()
    take(page, "pusat", "mitra-contoh", 200)
    expect(page.get_by_role("alert")).to_contain_text("Setoran di muka tidak cukup")
    enter(page, "officer")
    page.goto("/operator/uang")
    assert_usable(page)
    row = page.locator("tr", has_text=code)
    row.get_by_label("NTPN").fill(f"A{code}")
    row.get_by_role("button", name="Pastikan").click()
    expect(page.locator("tr", has_text=code)).to_have_count(0)
    enter(page, "distributor")
    page.goto("/kanal")
    take(page, "pusat", "mitra-contoh", 200)
    take(page, "mitra-contoh", "loket-contoh", 50)
    assert number_in(page, "Mitra Contoh", "Stok") == before + 150
    expect(page.locator("strong", has_text="balance")).to_have_count(0)


def take(page: Page, giver: str, taker: str, units: int) -> None:
    """Stock moves."""
    page.get_by_label("Dari", exact=True).select_option(giver)
    page.get_by_label("Ke", exact=True).select_option(taker)
    page.get_by_label("Jumlah keping").fill(str(units))
    page.get_by_role("button", name="Pindahkan").click()


def test_a_citizen_gets_the_money_for_one_unit_back(page: Page) -> None:
    enter(page, "citizen")
    page.goto("/kuota")
    page.get_by_label("Jumlah keping").fill("3")
    page.get_by_role("button", name="Lanjut membayar").click()
    page.get_by_role("button", name=PAYING).click()
    page.get_by_role("link", name="Uang kembali").click(timeout=20_000)
    expect(page.get_by_role("button", name=re.compile("Kembalikan Rp10.000"))).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name=re.compile("Kembalikan Rp")).click()
    page.wait_for_url("**/uang-kembali/**")
    expect(page.get_by_role("status").first).to_contain_text(
        re.compile("Sedang dikirim|Uang dikembalikan")
    )
    for _ in range(20):
        if "Uang dikembalikan" in page.get_by_role("status").first.inner_text():
            break
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.get_by_role("status").first).to_contain_text("Uang dikembalikan")
    assert_usable(page)


def test_the_board_says_where_to_buy_and_how_far_it_is(page: Page) -> None:
    page.goto("/stok?kota=yogyakarta")
    assert_usable(page)
    expect(page.locator("tr", has_text="Loket Malioboro")).to_contain_text("± 1 km")


def test_stock_json_is_fresh_and_tells_no_numbers(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/stock.json")
    assert answer.headers["access-control-allow-origin"] == "*"
    channels = answer.json()["channels"]
    assert {c["state"] for c in channels} <= {"in_stock", "low", "sold_out", "disrupted"}
    assert {"langsung", "mitra-contoh", "loket-contoh"} <= {c["id"] for c in channels}
    assert "pusat" not in {c["id"] for c in channels}
    assert not any("units" in key or "free" in key for c in channels for key in c)


def test_a_stranger_sees_no_refund_of_others(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto("/demo/masuk/owner")
    answer = page.request.get("/uang-kembali/00000000-0000-7000-8000-000000000000")
    assert answer.status == 404
    context.close()


def test_an_officer_lays_the_providers_file_beside_the_books(page: Page) -> None:
    enter(page, "citizen")
    page.goto("/kuota")
    page.get_by_label("Jumlah keping").fill("1")
    page.get_by_role("button", name="Lanjut membayar").click()
    address = page.url
    reference = page.locator(".qris code").inner_text()
    number = f"BERKAS-{reference}"
    moment = now().astimezone(WIB).isoformat()
    head = "kind,external_id,reference,amount,at\n"
    enter(page, "officer")
    send_file(page, f"{head}payment,{number},{reference},10000,{moment}\n")
    assert_usable(page)
    assert counted(page, "Baru diketahui") == counted(page, "Jadi kuota") == 1
    send_file(page, f"{head}payment,{number},{reference},10500,{moment}\n")
    expect(page.locator("tr", has_text=number)).to_contain_text("Rp10.500")
    expect(page.locator("tr", has_text=number)).to_contain_text("jumlahnya berbeda")
    assert_usable(page)
    enter(page, "citizen")
    page.goto(address)
    expect(page.locator(".chip")).to_contain_text("Berhasil")


def send_file(page: Page, content: str) -> None:
    """The provider's file of today is matched."""
    page.goto("/operator/uang")
    file = {"name": "hari-ini.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.locator("#berkas").set_input_files(file)  # type: ignore[arg-type]  # a dict is a FilePayload
    page.get_by_role("button", name="Cocokkan").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Penyelesaian penyedia")


def counted(page: Page, label: str) -> int:
    """A number of the page."""
    return int(page.locator("dl.counts div", has_text=label).locator("dd").inner_text())


def test_an_applicant_starts_at_the_event_and_buys_there(page: Page, letter: Path) -> None:
    page.goto("/acara/cpns")
    expect(page.get_by_text("tinggal")).to_be_visible()
    expect(page.get_by_text("Diperpanjang; sebelumnya")).to_be_visible()
    expect(page.get_by_text("PMK 78/2024 Pasal 4").first).to_be_visible()
    assert_usable(page)
    page.set_input_files("#berkas", letter)
    page.wait_for_url("**/bubuhkan/**", timeout=20_000)
    choose_place(page)
    order(page)
    expect(page.locator(".money .sum")).to_contain_text("Rp10.000")
    pay(page)
    expect(page.get_by_text("Berhasil dibubuhkan")).to_be_visible(timeout=30_000)
    receipt = page.request.get(page.url + "/kuitansi.pdf")
    assert receipt.status == 200


def test_the_advice_says_when_who_and_by_which_clause(page: Page) -> None:
    page.goto("/terutang")
    page.get_by_label("Jenis dokumen").select_option("receipt")
    page.get_by_label("Jumlah uang").fill("5000000")
    page.get_by_role("button", name="Lihat jawaban").click()
    expect(page.get_by_role("status").first).to_contain_text("Tidak terutang")
    page.get_by_label("Jumlah uang").fill("5000001")
    page.get_by_role("button", name="Lihat jawaban").click()
    expect(page.get_by_role("status").first).to_contain_text("saat diserahkan")
    assert_usable(page)


async def plant(demo: Demo, units: int) -> None:
    """Somebody with the database's own keys changes what an order says, by so many units."""
    async with books(demo) as connection:
        await connection.execute(
            """update purchase set units = units + $1 where id = (
                   select id from purchase where state = 'paid' order by id limit 1)""",
            units,
        )


def test_an_auditor_finds_a_planted_difference_of_one_unit(
    phone: BrowserContext, demo: Demo, tmp_path: Path
) -> None:
    page = phone.new_page()
    buy(page)
    enter(page, "auditor")
    page.goto("/auditor")
    expect(page.get_by_text("Semua invarian terpenuhi")).to_be_visible()
    assert_usable(page)
    clean = downloaded(page, tmp_path / "clean.zip")
    in_its_own_loop(plant(demo, 1))
    try:
        page.reload()
        expect(page.get_by_text("-1 keping")).to_be_visible()
        expect(page.locator(".invariants")).to_contain_text("units moved")
        assert_usable(page)
        planted = downloaded(page, tmp_path / "planted.zip")
    finally:
        in_its_own_loop(plant(demo, -1))
    good = meterai(demo.data_dir, "audit", str(clean), "--json")
    assert good.returncode == 0, good.stdout + good.stderr
    found = meterai(demo.data_dir, "audit", str(planted), "--json")
    assert found.returncode == 1
    (line,) = json.loads(found.stdout)["contradictions"]
    assert "(-1)" in line["detail"]


def buy(page: Page) -> None:
    """The citizen pays for a unit."""
    enter(page, "citizen")
    page.goto("/kuota")
    page.get_by_label("Jumlah keping").fill("1")
    page.get_by_role("button", name="Lanjut membayar").click()
    page.get_by_role("button", name=PAYING).click()
    expect(page.get_by_role("link", name="Kuitansi")).to_be_visible(timeout=20_000)


def downloaded(page: Page, file: Path) -> Path:
    """The package of this moment."""
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Unduh paket").click()
    downloading.value.save_as(file)
    return file


def in_its_own_loop(what: Coroutine[Any, Any, None]) -> None:
    """Playwright's own loop runs in this thread, so this needs another one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, what).result()
