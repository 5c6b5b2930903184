"""The counter: three taps, a voucher, also with the cable out; and nobody uses a code twice."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from journeys.conftest import PHONE
from journeys.steps import PAYING, bring, choose_place
from journeys.test_pages import assert_usable
from world.cable import Cable, a_cable
from world.demo import Demo, meterai

pytestmark = pytest.mark.browser


@pytest.fixture
def cable(demo: Demo) -> Iterator[Cable]:
    port = urlsplit(demo.url).port
    assert port is not None
    with a_cable(port) as cable:
        yield cable


@pytest.fixture
def counter(browser: Browser, cable: Cable) -> Iterator[Page]:
    """The clerk's tablet, with an open shift, whose page is ready to be cut off."""
    context = browser.new_context(viewport=PHONE, base_url=cable.url, locale="id-ID")  # type: ignore[arg-type]  # a dict is a ViewportSize
    page = context.new_page()
    open_shift(page)
    yield page
    cable.put_back()
    page.goto("/loket")
    if page.get_by_role("heading", name="Jual meterai").count():
        close_shift(page, remark="sisa uji")
    context.close()


def open_shift(page: Page) -> None:
    page.goto("/demo/masuk/clerk")
    page.goto("/loket")
    page.get_by_label("Uang di laci sekarang").fill("50000")
    page.get_by_label("Voucher cadangan").fill("4")
    page.get_by_role("button", name="Buka giliran").click()
    page.locator("[data-ready]").wait_for()
    expect(page.locator("[data-left]")).to_have_text("4")


def close_shift(page: Page, counted: int = 0, remark: str = "") -> None:
    page.get_by_text("Tutup giliran").first.click()
    page.get_by_label("Uang yang dihitung").fill(str(counted))
    page.get_by_label("Sebab selisih").fill(remark)
    page.get_by_role("button", name="Tutup giliran").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Giliran ditutup")


def sell(page: Page, units: int) -> list[str]:
    """Three taps: how many, cash, print. Returns the codes."""
    page.get_by_label(re.compile(f"^{units} · ")).check()
    page.get_by_role("button", name="Tunai").click()
    expect(page.locator("[data-sold]")).to_be_visible()
    codes: list[str] = page.locator("[data-codes] li").all_inner_texts()
    assert len(codes) == units
    return codes


def use(page: Page, code: str) -> None:
    page.goto("/tukar")
    page.get_by_label("Kode voucher").fill(code)
    page.get_by_role("button", name="Tukar").click()


def test_a_clerk_sells_with_the_cable_out_and_nothing_is_used_twice(
    counter: Page, cable: Cable, browser: Browser, demo: Demo
) -> None:
    assert_usable(counter)
    cable.pull()
    counter.goto("/loket")  # the page opens from the device itself
    expect(counter.locator("[data-light]")).to_contain_text("Terputus")
    codes = sell(counter, 2) + sell(counter, 1)
    assert len(set(codes)) == 3
    counter.reload()
    expect(counter.locator("[data-left]")).to_have_text("1")
    expect(counter.locator("[data-unsent]")).to_have_text("3")
    counter.get_by_label(re.compile("^2 · ")).check()
    counter.get_by_role("button", name="Tunai").click()
    expect(counter.locator("[data-stuck]")).to_be_visible()

    home = browser.new_context(viewport=PHONE, base_url=demo.url).new_page()  # type: ignore[arg-type]  # a dict is a ViewportSize
    home.goto("/demo/masuk/citizen")
    use(home, codes[0].lower())  # the buyer is home before the counter is back
    expect(home).to_have_url(re.compile("/kuota$"))
    home.goto("/demo/masuk/owner")
    use(home, codes[0])
    expect(home.get_by_role("alert")).to_contain_text("sudah dipakai")

    cable.put_back()
    expect(counter.locator("[data-unsent]")).to_have_text("0", timeout=20_000)
    expect(counter.locator("[data-light]")).to_contain_text("Tersambung")
    use(home, codes[1])
    expect(home).to_have_url(re.compile("/kuota$"))
    counter.goto("/loket")
    expect(counter.get_by_text("Rp31.500").first).to_be_visible()
    close_shift(counter, 50_000 + 31_500)
    expect(counter.locator(".money .sum")).to_contain_text("Rp0")
    home.context.close()
    audited = meterai(demo.data_dir, "audit", "--json")
    assert audited.returncode == 0, audited.stdout


def test_a_second_device_of_the_same_clerk_gets_no_codes(
    counter: Page, browser: Browser, demo: Demo
) -> None:
    other = browser.new_context(base_url=demo.url).new_page()
    other.goto("/demo/masuk/clerk")
    other.goto("/loket")
    expect(other.locator("[data-light]")).to_contain_text("Tersambung")
    expect(other.locator("[data-left]")).to_have_text("0")
    expect(counter.locator("[data-left]")).to_have_text("4")
    other.get_by_role("button", name="Tunai").click()  # sold by the centre instead
    expect(other.locator("code").first).to_have_text(re.compile(r"^\w{5} \w{5}$"))
    assert_usable(other)
    other.context.close()


def test_a_voucher_stamps_a_document_without_an_account(
    counter: Page, browser: Browser, demo: Demo, letter: Path
) -> None:
    (code,) = sell(counter, 1)
    home = browser.new_context(viewport=PHONE, base_url=demo.url).new_page()  # type: ignore[arg-type]  # a dict is a ViewportSize
    home.goto(f"/tukar#{code.replace(' ', '')}")
    bring(home, letter)
    choose_place(home)
    expect(home.get_by_label("Kode voucher")).to_have_value(code.replace(" ", ""))
    assert_usable(home)
    home.get_by_role("button", name="Pakai voucher").click()
    expect(home.get_by_text("Berhasil dibubuhkan")).to_be_visible(timeout=30_000)
    home.context.close()


def test_a_walk_in_pays_by_qris(counter: Page) -> None:
    counter.get_by_label(re.compile("^2 · ")).check()
    counter.get_by_role("button", name="QRIS").click()
    counter.get_by_role("button", name=PAYING).click()
    expect(counter.locator(".big code")).to_have_text(re.compile(r"^\w{5} \w{5}$"), timeout=20_000)


def test_a_supervisor_undoes_a_sale_and_the_difference_is_named(
    counter: Page, browser: Browser, demo: Demo
) -> None:
    sell(counter, 1)
    expect(counter.locator("[data-unsent]")).to_have_text("0", timeout=20_000)
    counter.goto("/loket")
    counter.get_by_text("Penjualan giliran ini").click()
    counter.get_by_label("Sebab pembatalan").fill("salah orang")
    counter.get_by_role("button", name="Minta batal").click()
    boss = browser.new_context(base_url=demo.url).new_page()
    boss.goto("/demo/masuk/distributor")
    boss.goto("/loket/penyelia")
    assert_usable(boss)
    boss.locator("tr", has_text="salah orang").get_by_role("button", name="Setujui").click()
    expect(boss.get_by_role("heading", level=1)).to_have_text("Penyelia loket")
    expect(boss.locator("tr", has_text="salah orang")).to_have_count(0)
    counter.goto("/loket")
    counter.get_by_text("Tutup giliran").first.click()
    counter.get_by_label("Uang yang dihitung").fill("49000")
    counter.get_by_role("button", name="Tutup giliran").click()
    expect(counter.get_by_role("alert").first).to_contain_text("berselisih")
    counter.goto("/loket")
    close_shift(counter, 49_000, "kembalian kurang")
    assert_usable(counter)
    boss.goto("/loket/penyelia")
    expect(boss.locator("tr", has_text="kembalian kurang").first).to_contain_text("-Rp1.000")
    boss.context.close()


def test_a_citizen_gives_a_unit_away_and_takes_it_back(page: Page) -> None:
    page.goto("/demo/masuk/owner")
    page.goto("/demo/masuk/citizen")
    page.goto("/hadiah")
    page.get_by_label("Jumlah keping").fill("1")
    page.get_by_role("button", name="Buat voucher").click()
    code = page.locator(".big code").inner_text()
    assert_usable(page)
    page.get_by_role("button", name=re.compile("Tarik kembali")).click()
    use(page, code)
    expect(page.get_by_role("alert")).to_contain_text("sudah dipakai atau dibatalkan")
