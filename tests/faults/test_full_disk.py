"""The disk is full in the middle of the day: everybody is told so, nothing is lost, and it heals by itself."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from meterai.client.calls import Client
from meterai.client.errors import Problem
from meterai.proving.sample import sample_letter
from world.demo import Demo, start_demo, stop_demo

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        os.geteuid() != 0 or subprocess.call(["unshare", "--mount", "true"]) != 0,
        reason="a small file system of its own needs root and mount",
    ),
]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 300 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300M", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def demo_on_it(small: Path) -> Iterator[Demo]:
    demo = start_demo(small / "data")
    yield demo
    stop_demo(demo)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(1024 * 1024))
    return ballast


@pytest.mark.timeout(180)
def test_a_full_disk_refuses_politely_and_heals_when_there_is_room(
    small: Path, demo_on_it: Demo
) -> None:
    with Client(demo_on_it.url) as stranger:
        key = stranger.demo_key()
    with Client(demo_on_it.url, key) as company:

        def stamp(name: str) -> str:
            made = company.stamp(name, sample_letter(about=name), {}, idempotency_key=name)
            return company.stamping(made.id, wait_s=25).state

        assert stamp("before") == "affixed"
        before = company.units()
        ballast = fill(small)
        with pytest.raises(Problem) as refused:
            stamp("amid")
        assert refused.value.status == 503
        assert refused.value.server_code in ("store_unavailable", "database_unavailable")
        assert "disk" in httpx.get(f"{demo_on_it.url}/readyz").json()["missing"]
        ballast.unlink()
        until = time.monotonic() + 60
        while httpx.get(f"{demo_on_it.url}/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert stamp("amid") == "affixed", "the same request succeeds"
        after = company.units()
        assert after.available == before.available - 1
        assert company.audit().clean
