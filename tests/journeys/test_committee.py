"""A committee checks a thousand files: by keyboard, live, cross-checked, with a record that verifies itself."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from journeys.conftest import DESKTOP, PHONE
from journeys.steps import check_file
from world.demo import Demo, meterai, start_demo, stop_demo
from world.folders import Folder, fill_now

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
COUNT = 1000


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of its own: its registry is filled by hand."""
    running = start_demo(tmp_path_factory.mktemp("panitia") / "data")
    yield running
    stop_demo(running)


@pytest.fixture(scope="module")
def folder(office: Demo, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("berkas"))
    fill_now(folder, office, COUNT)
    return folder


@pytest.fixture(scope="module")
def checked(browser: Browser, office: Demo, folder: Folder) -> Iterator[Page]:
    """The page with the whole folder checked; it was chosen as with the button."""
    context = browser.new_context(viewport=DESKTOP, base_url=office.url, locale="id-ID")  # type: ignore[arg-type]  # a dict is a ViewportSize
    page = context.new_page()
    page.goto("/cek/banyak")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Pilih folder").focus()
        page.keyboard.press("Enter")
    choosing.value.set_files(folder.place)
    expect(page.get_by_role("status").first).to_have_text(
        f"{COUNT} dari {COUNT} berkas diperiksa", timeout=300_000
    )
    yield page
    context.close()


def rows(page: Page) -> dict[str, str]:
    """File name and verdict of every row."""
    told = page.evaluate(
        "[...document.querySelectorAll('[data-rows] tr')]"
        ".map(row => [row.children[0].textContent, row.dataset.verdict])"
    )
    return {name.rsplit("/", 1)[-1]: verdict for name, verdict in told}


def shown(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('[data-rows] tr:not([hidden])').length"))


def test_every_file_of_a_thousand_gets_its_verdict(checked: Page, folder: Folder) -> None:
    assert rows(checked) == folder.expected


def test_twins_are_linked_both_ways_and_shown_side_by_side(checked: Page) -> None:
    wrong = COUNT // 50
    assert checked.locator("[data-rows] .twin").count() == 2 * wrong
    row = checked.locator("[data-rows] tr", has_text="lain-0000.pdf").last
    expect(row).to_contain_text("surat-0000.pdf")
    row.get_by_role("button", name="Bandingkan").focus()
    checked.keyboard.press("Enter")
    beside = checked.get_by_role("dialog")
    expect(beside.get_by_role("img")).to_have_count(2)
    assert set(beside.get_by_role("heading", level=3).all_inner_texts()) == {
        f"{Path(checked.locator('[data-rows] tr').first.inner_text()).parts[0]}/lain-0000.pdf",
        f"{Path(checked.locator('[data-rows] tr').first.inner_text()).parts[0]}/surat-0000.pdf",
    }
    found = Axe().run(checked).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    checked.keyboard.press("Escape")
    expect(beside).to_be_hidden()


def test_the_list_is_sifted_by_verdict_with_the_arrow_keys(checked: Page, folder: Folder) -> None:
    counts = Counter(folder.expected.values())
    checked.get_by_role("radio", name=re.compile("Semua")).focus()
    seen = {}
    for _ in range(7):
        label = checked.evaluate("document.querySelector('.sift :checked').value")
        seen[label] = shown(checked)
        checked.keyboard.press("ArrowRight")
    wrong = COUNT // 50
    assert seen.pop("") == COUNT
    assert (
        seen.pop("bad") == COUNT - counts["genuine"] + wrong
    )  # the true twins are to be looked at, too
    assert seen == {verdict: count for verdict, count in counts.items() if verdict in seen}
    assert "reused" in seen
    checked.get_by_role("radio", name=re.compile("Semua")).check(force=True)


def test_the_whole_part_of_an_overlaid_file_is_one_button_away(
    checked: Page, office: Demo, tmp_path: Path
) -> None:
    row = checked.locator("[data-rows] tr", has_text="tindih-0000.pdf")
    expect(row).to_contain_text("mengubah tampilan halaman")
    with checked.expect_download() as downloading:
        row.get_by_role("button", name=re.compile("utuh")).press("Enter")
    saved = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(saved)
    with httpx.Client(base_url=office.url) as client:
        answer = client.post("/v1/verifications", files={"file": ("a.pdf", saved.read_bytes())})
    assert answer.json()["verdict"] == "genuine"


def test_the_record_is_sealed_complete_and_verifies_itself(
    checked: Page, folder: Folder, office: Demo, tmp_path: Path
) -> None:
    checked.get_by_label("Nama pemeriksa").fill("Panitia Seleksi A")
    saved = {}
    for kind in ("PDF", "CSV"):
        with checked.expect_download(timeout=60_000) as downloading:
            checked.get_by_role("button", name=re.compile(rf"\({kind}\)")).press("Enter")
        saved[kind] = tmp_path / downloading.value.suggested_filename
        downloading.value.save_as(saved[kind])
    table = list(csv.DictReader(io.StringIO(saved["CSV"].read_text())))
    assert {r["file"].rsplit("/", 1)[-1]: r["verdict"] for r in table} == folder.expected
    for row in table[::50]:
        content = (folder.place / row["file"].rsplit("/", 1)[-1]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["checked_at"]
    with pikepdf.open(saved["PDF"]) as pdf:
        assert pdf.attachments["tabel.csv"].get_file().read_bytes() == saved["CSV"].read_bytes()
        assert len(pdf.pages) > 20
    words = ["proof", "verify", str(saved["PDF"]), "--table", str(saved["CSV"]), "--json"]
    done = meterai(office.data_dir, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kind"] == "verification_record"
    assert told["facts"]["checker"] == "Panitia Seleksi A"
    assert told["facts"]["verdicts"] == dict(Counter(folder.expected.values()))
    broken = tmp_path / "lain.csv"
    broken.write_bytes(saved["CSV"].read_bytes().replace(b"reused", b"genuine", 1))
    words[4] = str(broken)
    assert meterai(office.data_dir, *words).returncode == 1
    page = checked.context.new_page()
    page.goto("/cek")
    page.set_input_files("#berkas", saved["PDF"])
    page.get_by_role("button", name="Periksa", exact=True).click()
    expect(page.get_by_text("Berita Acara Pemeriksaan Meterai")).to_be_visible()
    expect(page.get_by_text("Panitia Seleksi A")).to_be_visible()
    altered = tmp_path / "diubah.pdf"
    altered.write_bytes(saved["PDF"].read_bytes() + b"\n")
    page.goto("/cek")
    page.set_input_files("#berkas", altered)
    page.get_by_role("button", name="Periksa", exact=True).click()
    expect(page.get_by_text("Ini surat keterangan")).to_have_count(0)
    page.close()


def test_a_line_that_was_not_said_here_is_not_signed(office: Demo) -> None:
    with httpx.Client(base_url=office.url) as client:
        form = client.get("/cek/banyak")
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', form.text)
        assert token is not None
        # over plain HTTP only a browser on the same machine sends a secure cookie
        cookie = {"cookie": form.headers["set-cookie"].split(";")[0]}
        for lines in ("", "x", "eyJ9.AAAA", "W10.AAAA"):
            data = {"csrf": token[1], "hasil": lines, "pemeriksa": "x"}
            assert client.post("/cek/berita-acara", data=data, headers=cookie).status_code == 400


def test_without_script_a_hundred_files_go_in_one_form(
    browser: Browser, office: Demo, folder: Folder, tmp_path: Path
) -> None:
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]  # a dict is a ViewportSize
        base_url=office.url,
        java_script_enabled=False,
        locale="id-ID",
    )
    page = context.new_page()
    page.goto("/cek/banyak")
    names = ["surat-0000.pdf", "lain-0000.pdf", "polos-0000.pdf", "simpan-0001.pdf"]
    page.set_input_files("#berkas", [folder.place / name for name in names])
    page.get_by_role("button", name="Periksa", exact=True).click()
    expect(page.locator("[data-rows] tr")).to_have_count(4)
    for name in names:
        row = page.locator("[data-rows] tr", has=page.locator(f"td:first-child:text-is('{name}')"))
        assert row.get_attribute("data-verdict") == folder.expected[name]
    page.get_by_label("Nama pemeriksa").fill("Siti")
    with page.expect_download() as downloading:
        page.get_by_role("button", name=re.compile("Unduh Berita Acara")).click()
    saved = tmp_path / "acara.pdf"
    downloading.value.save_as(saved)
    assert meterai(office.data_dir, "proof", "verify", str(saved)).returncode == 0
    context.close()


def test_the_same_record_comes_from_the_command_line(
    office: Demo, folder: Folder, tmp_path: Path
) -> None:
    report, table = tmp_path / "acara.pdf", tmp_path / "tabel.csv"
    done = meterai(
        office.data_dir, "verify", str(folder.place), "--json", "--server", office.url,
        "--report", str(report), "--csv", str(table), "--checker", "Panitia B",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    told = {Path(r["file"]).name: r["verdict"] for r in map(json.loads, done.stdout.splitlines())}
    assert told == folder.expected
    proof = meterai(
        office.data_dir, "proof", "verify", str(report), "--table", str(table), "--json"
    )
    assert json.loads(proof.stdout)["facts"]["opened_by"] == "checker"


def test_an_overlaid_file_is_told_from_a_saved_one_and_its_whole_part_is_offered(
    browser: Browser, office: Demo, folder: Folder, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=PHONE, base_url=office.url, locale="id-ID")  # type: ignore[arg-type]  # a dict is a ViewportSize
    page = context.new_page()
    check_file(page, folder.place / "simpan-0000.pdf", "Diubah setelah dibubuhkan")
    expect(page.get_by_text("disimpan ulang oleh program lain")).to_be_visible()
    expect(page.get_by_role("button", name="Unduh bagian yang utuh")).to_have_count(0)
    check_file(page, folder.place / "tindih-0000.pdf", "Diubah setelah dibubuhkan")
    expect(page.get_by_text("mengubah tampilan halaman")).to_be_visible()
    page.get_by_label("Berkas yang sama").set_input_files(folder.place / "tindih-0000.pdf")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Unduh bagian yang utuh").click()
    saved = tmp_path / "utuh.pdf"
    downloading.value.save_as(saved)
    check_file(page, saved, "Asli")
    context.close()
