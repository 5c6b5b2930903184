"""A running demo, as anybody starts it, and a real browser in front of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
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

SRC = Path(__file__).parents[2] / "src"
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


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that serves."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def environment(self) -> dict[str, str]:
        """For commands that shall find this demo."""
        return environment(self.data_dir)


def environment(data_dir: Path) -> dict[str, str]:
    """Of a machine on which only this data folder is known."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("METERAI_")}  # noqa: TID251
    return kept | {"METERAI_DATA_DIR": str(data_dir), "PYTHONPATH": str(SRC)}


def start_demo(data_dir: Path, *more: str) -> Demo:
    """A demo on a free port; ready when this returns."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "meterai", "run", "--port", str(port), *more],
            env=environment(data_dir),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return Demo(url, data_dir, process)
        except httpx.HTTPError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def stop_demo(demo: Demo) -> None:
    """Stopped as by Ctrl-C."""
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(30)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = start_demo(tmp_path_factory.mktemp("demo") / "data")
    yield running
    stop_demo(running)


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
