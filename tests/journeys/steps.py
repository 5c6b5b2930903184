"""What a person does on the pages, in words."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

PAYING = re.compile("Bayar \\(simulasi\\)")


def bring(page: Page, file: Path) -> None:
    """A document is dropped; the page asks where the mark shall stand."""
    page.goto("/")
    page.set_input_files("#berkas", file)
    page.wait_for_url("**/bubuhkan/**", timeout=20_000)


def choose_place(page: Page) -> None:
    """The suggestion is right."""
    page.get_by_role("button", name="Sudah pas").click()
    page.wait_for_url("**/bayar/**")


def order(page: Page, phone: str = "081234567890") -> None:
    """An order under a telephone number."""
    page.get_by_label("Nomor ponsel").fill(phone)
    page.get_by_role("button", name=re.compile("Lanjut membayar")).click()
    expect(page.get_by_alt_text(re.compile("QRIS"))).to_be_visible()


def pay(page: Page) -> None:
    """Paid, as a banking application would."""
    page.get_by_role("button", name=PAYING).click()


def finish(page: Page, folder: Path) -> Path:
    """Waits for the stamped file and downloads it."""
    expect(page.get_by_text("Berhasil dibubuhkan")).to_be_visible(timeout=30_000)
    with page.expect_download() as downloading:
        page.get_by_role("link", name=re.compile("Unduh PDF bermeterai")).click()
    path = folder / "stamped.pdf"
    downloading.value.save_as(path)
    return path


def break_next(page: Page, what: str) -> None:
    """*Rusakkan sekarang*."""
    page.goto("/demo")
    page.get_by_role("button", name=what).click()
    expect(page.get_by_role("status").filter(has_text="Siap rusak")).to_be_visible()


def sign_in(page: Page, phone: str) -> None:
    """By the one-time code that stands in the demo's outbox."""
    page.goto("/masuk")
    page.get_by_label("Nomor ponsel").fill(phone)
    page.get_by_role("button", name="Kirim kode").click()
    outbox = page.context.new_page()
    outbox.goto("/kotak-keluar")
    code = re.search(r"\d{6}", outbox.locator(".letters li").first.inner_text())
    assert code is not None
    outbox.close()
    page.get_by_label("Kode 6 angka").fill(code[0])
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url("**/riwayat")


def check_file(page: Page, file: Path, verdict: str) -> None:
    """One file, one verdict."""
    page.goto("/cek")
    page.set_input_files("#berkas", file)
    page.get_by_role("button", name="Periksa").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)
