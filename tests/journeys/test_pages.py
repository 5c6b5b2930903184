"""Every page: light enough, usable by everybody, safe by its headers, and telling nothing internal."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from journeys.steps import bring, choose_place, finish, order, pay
from world.demo import Demo

pytestmark = pytest.mark.browser

BUDGETS_KB = {
    "/": 45,
    "/cek": 50,
    "/cek/banyak": 50,
    "/masuk": 45,
    "/bantuan": 45,
    "/demo": 45,
    "/lacak/7K4P-2M": 45,
    "/c/0000000000000000000000": 25,
    "/kotak-keluar": 90,
    "/stok": 45,
    "/acara/cpns": 45,
    "/terutang?jenis=statement": 45,
    "/tukar": 45,
}
"""First load in kilobytes, gzipped: page, style, script and pictures (docs/web.md)."""

ROLES = {
    "citizen": ["/riwayat", "/kuota", "/hadiah"],
    "owner": ["/perusahaan", "/riwayat"],
    "distributor": ["/kanal", "/loket/penyelia"],
    "clerk": ["/kanal", "/loket"],
    "committee": ["/cek"],
    "officer": ["/operator", "/kotak-keluar", "/operator/uang"],
    "auditor": ["/auditor"],
}


def weight(client: httpx.Client, path: str) -> int:
    """Bytes of the first load, gzipped as the server may."""
    page = client.get(path)
    total = len(gzip.compress(page.content, 6))
    for asset in set(re.findall(r'(?:href|src)="(/aset/[^"]+)"', page.text)):
        total += len(gzip.compress(client.get(asset).content, 6))
    return total


@pytest.mark.parametrize("path", sorted(BUDGETS_KB))
def test_a_page_keeps_its_budget(demo: Demo, path: str) -> None:
    with httpx.Client(base_url=demo.url) as client:
        assert weight(client, path) <= BUDGETS_KB[path] * 1024


def test_the_style_sheet_is_below_14_kilobytes(demo: Demo) -> None:
    with httpx.Client(base_url=demo.url) as client:
        (style,) = re.findall(r'href="(/aset/[^"]+\.css)"', client.get("/").text)
        assert len(client.get(style).content) <= 14 * 1024


def assert_usable(page: Page) -> None:
    """No serious finding of axe, and no sideways scrolling."""
    found = Axe().run(page)
    serious = [
        (v["id"], [n["target"] for n in v["nodes"]][:3])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url
    sideways = page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
    assert not sideways, f"{page.url} scrolls sideways"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_public_pages_are_usable(context: BrowserContext, scheme: str) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
    for path in BUDGETS_KB:
        page.goto(path)
        assert_usable(page)


def test_the_pages_of_the_journey_are_usable(page: Page, letter: Path, tmp_path: Path) -> None:
    bring(page, letter)
    assert_usable(page)
    choose_place(page)
    assert_usable(page)
    order(page)
    assert_usable(page)
    pay(page)
    finish(page, tmp_path)
    assert_usable(page)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_enters_with_one_tap_and_its_pages_are_usable(
    context: BrowserContext, role: str
) -> None:
    page = context.new_page()
    page.goto(f"/demo/masuk/{role}")
    for path in ROLES[role]:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_usable(page)


def test_a_stranger_is_asked_to_sign_in_and_a_citizen_is_no_officer(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/riwayat")
    expect(page).to_have_url(re.compile("/masuk"))
    page.goto("/demo/masuk/citizen")
    page.goto("/operator")
    expect(page.get_by_role("alert")).to_contain_text("Peran Anda")


@pytest.mark.parametrize(
    "path", ["/", "/cek", "/cek/banyak", "/nothing-here", "/hasil/nobody-knows-this-link"]
)
def test_every_answer_carries_the_headers(demo: Demo, path: str) -> None:
    answer = httpx.get(demo.url + path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "max-age=" in answer.headers["strict-transport-security"]


def test_cookies_are_bound_to_this_host_and_hidden_from_script(demo: Demo) -> None:
    cookies = httpx.get(demo.url + "/").headers.get_list("set-cookie")
    cookies += httpx.get(demo.url + "/demo/masuk/citizen").headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        lowered = cookie.lower()
        assert all(word in lowered for word in ("secure", "httponly", "samesite=lax", "path=/"))


@pytest.mark.parametrize(
    "path",
    [
        "/unggah",
        "/masuk",
        "/cek",
        "/cek/satu",
        "/cek/banyak",
        "/cek/berita-acara",
        "/keluar",
        "/demo/bayar",
    ],
)
def test_a_form_from_elsewhere_is_refused(demo: Demo, path: str) -> None:
    forged = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = httpx.post(demo.url + path, data={"csrf": "00" * 32}, headers=forged)
    assert answer.status_code == 422
    assert "Formulir ini tidak berasal" in answer.text


def test_no_page_of_failure_names_anything_internal(demo: Demo) -> None:
    for path in (
        "/hasil/x",
        "/c/%00",
        "/bubuhkan/%2e%2e%2f",
        "/riwayat/not-a-uuid",
        "/aset/0/..%2f",
    ):
        answer = httpx.get(demo.url + path)
        assert answer.status_code in (307, 400, 404, 422), path
        for word in ("Traceback", "asyncpg", "starlette", "postgres", "/src/", "Exception"):
            assert word not in answer.text
