"""A real browser in front of the running demo."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    sync_playwright,
)

from meterai.proving.sample import sample_letter
from world.demo import Demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # while it lives, no other loop may run in this thread
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(params=[PHONE, DESKTOP], ids=["360px", "1280px"])
def context(
    request: pytest.FixtureRequest, browser: Browser, demo: Demo
) -> Iterator[BrowserContext]:
    """A cleared browser in both sizes, on the demo."""
    context = browser.new_context(viewport=request.param, base_url=demo.url, locale="id-ID")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not complain on its console."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if _is_defect(m) else None)
    yield page
    assert complaints == []


def _is_defect(message: ConsoleMessage) -> bool:
    """A refusal or a cut connection, which Chromium reports too, is none: the page deals with it."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def phone(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """A cleared browser on a phone."""
    context = browser.new_context(viewport=PHONE, base_url=demo.url, locale="id-ID")  # type: ignore[arg-type]  # a dict is a ViewportSize
    yield context
    context.close()


@pytest.fixture
def browser_without_script(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """A phone on which no script runs."""
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]  # a dict is a ViewportSize
        base_url=demo.url,
        locale="id-ID",
        java_script_enabled=False,
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def big_letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan of more than a megabyte."""
    scan = Image.effect_noise((1240, 1754), 60).convert("L")
    path = tmp_path_factory.mktemp("scans") / "pindaian.pdf"
    scan.save(path, "PDF", resolution=150, quality=92)
    assert path.stat().st_size > 1_000_000
    return path


@pytest.fixture(scope="session")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF of one's own."""
    path = tmp_path_factory.mktemp("letters") / "surat pernyataan.pdf"
    path.write_bytes(sample_letter())
    return path
