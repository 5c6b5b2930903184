"""Buy, affix, look back, verify: as a person does it, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from journeys.steps import (
    PAYING,
    break_next,
    bring,
    check_file,
    choose_place,
    finish,
    order,
    pay,
    sign_in,
)
from meterai.proving.judges import judge
from world.demo import Demo

pytestmark = pytest.mark.browser


def test_four_actions_from_a_pdf_to_a_stamped_pdf_without_an_account(
    page: Page, demo: Demo, letter: Path, tmp_path: Path
) -> None:
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    page.goto("/")
    page.set_input_files("#berkas", letter)  # 1 the file
    page.get_by_role("button", name="Sudah pas").click()  # 2 the place
    page.get_by_label("Nomor ponsel").fill("0812 3456 7890")
    page.get_by_role("button", name=re.compile("Lanjut membayar")).click()  # 3 the number
    expect(page.get_by_text("Bea meterai").first).to_be_visible()
    page.get_by_role("button", name=PAYING).click()  # 4 the payment
    stamped = finish(page, tmp_path)
    assert not any("/masuk" in url for url in visited)
    assert stamped.read_bytes().startswith(letter.read_bytes())
    field = "Meterai-" + page.locator(".serial").first.inner_text().replace(" ", "")
    said = judge(stamped.read_bytes(), field, demo.data_dir / "keys" / "trust")
    assert [j.judge for j in said if not j.good] == []
    check_file(page, stamped, "Asli")


def test_the_mark_is_placed_with_the_keyboard_alone(page: Page, letter: Path) -> None:
    bring(page, letter)
    mark = page.get_by_role("button", name=re.compile("Meterai. Geser"))
    before = page.locator("[name=kiri]").input_value()
    for _ in range(60):
        if mark.evaluate("el => el === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    after = page.locator("[name=kiri]").input_value()
    assert round(float(before) - float(after), 1) == 11.0
    expect(page.locator("[data-now]")).to_contain_text("mm")
    button = page.get_by_role("button", name="Sudah pas")
    for _ in range(20):
        if button.evaluate("el => el === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bayar/**")


def test_the_mark_is_placed_by_tap_drag_and_presets(page: Page, letter: Path) -> None:
    bring(page, letter)
    sheet = page.locator("svg.page")
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tapped = float(page.locator("[name=kiri]").input_value())
    assert 85 < tapped < 105
    mark = page.locator(".mark").bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] + 5, mark["y"] + 5)
    page.mouse.down()
    page.mouse.move(mark["x"] - 40, mark["y"] + 5, steps=4)
    page.mouse.up()
    assert float(page.locator("[name=kiri]").input_value()) < tapped - 5
    page.get_by_text("Kiri atas").click()
    assert float(page.locator("[name=kiri]").input_value()) == 15
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    assert float(page.locator("[name=kiri]").input_value()) < 190, "never outside the page"


def test_it_works_without_script(browser_without_script: BrowserContext, letter: Path) -> None:
    page = browser_without_script.new_page()
    page.goto("/")
    page.set_input_files("#berkas", letter)
    page.get_by_role("button", name="Lanjut").click()
    page.get_by_text("Kiri bawah").click()
    page.get_by_role("button", name="Tampilkan letak ini").click()
    expect(page.locator("input[value=bottom-left]")).to_be_checked()
    page.get_by_role("button", name="Sudah pas").click()
    page.get_by_label("Nomor ponsel").fill("081234567890")
    page.get_by_role("button", name=re.compile("Lanjut membayar")).click()
    page.get_by_role("button", name=PAYING).click()
    expect(page.get_by_text("Berhasil dibubuhkan")).to_be_visible(timeout=20_000)


def test_an_upload_that_was_cut_goes_on_where_it_stopped(page: Page, big_letter: Path) -> None:
    sent: list[int] = []
    cuts = iter([False, False, True, True, False])

    def cutting(route: Route) -> None:
        if route.request.method == "PATCH":
            if next(cuts, False):
                route.abort("connectionreset")
                return
            sent.append(int(route.request.headers["upload-offset"]))
        route.continue_()

    page.route("**/unggah/**", cutting)
    page.goto("/")
    page.set_input_files("#berkas", big_letter)
    page.wait_for_url("**/bubuhkan/**", timeout=30_000)
    assert sent == sorted(set(sent)), "no piece was sent twice"
    assert len(sent) >= 4
    page.unroute("**/unggah/**")


def test_a_refused_file_says_why_and_what_to_do_and_costs_nothing(
    page: Page, tmp_path: Path
) -> None:
    wrong = tmp_path / "foto.pdf"
    wrong.write_bytes(b"this is no PDF at all" * 50)
    page.goto("/")
    page.set_input_files("#berkas", wrong)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("bukan PDF")
    expect(problem).to_contain_text("Kuota tidak terpakai")


@pytest.mark.parametrize(
    "what", ["Matikan mesin pembubuh", "Kunci segel hilang", "Cap waktu hilang"]
)
def test_what_breaks_gives_the_unit_back_and_stamping_again_is_free(
    phone: BrowserContext, letter: Path, tmp_path: Path, what: str
) -> None:
    page = phone.new_page()
    break_next(page, what)
    bring(page, letter)
    choose_place(page)
    order(page)
    pay(page)
    expect(page.get_by_text("Kuota sudah kembali")).to_be_visible(timeout=45_000)
    expect(page.get_by_text("Anda tidak perlu melapor")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Bukti kuota kembali").click()
    proof = tmp_path / "bukti.pdf"
    downloading.value.save_as(proof)
    assert proof.read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name="Bubuhkan ulang").click()
    finish(page, tmp_path)


def test_with_an_account_one_buys_quota_and_sees_it_in_the_history(
    phone: BrowserContext, letter: Path, tmp_path: Path
) -> None:
    page = phone.new_page()
    sign_in(page, "0813 9876 5432")
    page.goto("/kuota")
    page.get_by_label("Jumlah keping").fill("3")
    page.get_by_role("button", name="Lanjut membayar").click()
    page.get_by_role("button", name=PAYING).click()
    page.wait_for_selector("text=Lihat kuota", timeout=15_000)
    page.goto("/kuota")
    expect(page.locator(".counts").first).to_contain_text("3")
    bring(page, letter)
    choose_place(page)
    page.get_by_role("button", name="Bubuhkan dengan 1 keping kuota").click()
    finish(page, tmp_path)
    page.goto("/riwayat")
    row = page.get_by_role("row").filter(has_text="surat pernyataan.pdf").first
    expect(row).to_contain_text("Berhasil")
    with page.expect_download():
        row.get_by_role("link", name="Unduh").click()
    page.get_by_role("link", name="surat pernyataan.pdf").first.click()
    expect(page.get_by_text("Baris buku besar")).to_be_visible()
    expect(page.get_by_text("terpakai")).to_be_visible()


def test_a_changed_file_is_told_from_a_true_one(
    phone: BrowserContext, letter: Path, tmp_path: Path
) -> None:
    page = phone.new_page()
    bring(page, letter)
    choose_place(page)
    order(page)
    pay(page)
    stamped = finish(page, tmp_path)
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(stamped.read_bytes() + b"\n% something more\n")
    check_file(page, changed, "Diubah setelah dibubuhkan")
    check_file(page, letter, "Bukan meterai")


def test_the_language_can_be_changed_and_stays(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Put a stamp on your PDF")
    page.goto("/cek")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check a stamp")
    assert page.locator("html").get_attribute("lang") == "en"
