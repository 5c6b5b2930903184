"""Power cuts: everything is killed at once; the next start finds everything as it was."""

import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from meterai.proving.sample import sample_letter
from world.demo import Demo, meterai, start_demo, stop_demo

pytestmark = pytest.mark.faults


def processes_of(data_dir: Path) -> set[int]:
    """Every process whose command line or environment names this data folder."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(data_dir).encode() in said:
            found.add(int(folder.name))
    return found


def kill_everything(demo: Demo) -> None:
    """As in a power cut: supervisor, doors, workers, PostgreSQL, all at once."""
    while pids := processes_of(demo.data_dir):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        demo.process.poll()
    demo.process.wait(10)


def units(demo: Demo, key: str) -> dict[str, int]:
    answer = httpx.get(f"{demo.url}/v1/units", headers={"authorization": f"Bearer {key}"})
    return {name: answer.json()[name] for name in ("available", "reserved", "used")}


@pytest.mark.timeout(240)
def test_after_kill_9_of_the_whole_tree_everything_is_as_it_was(tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(sample_letter(about=str(tmp_path)))
    demo = start_demo(tmp_path / "data")
    key = httpx.post(f"{demo.url}/demo/kunci-api").json()["key"]
    done = meterai(demo.data_dir, "stamp", str(letter), "--out", str(tmp_path / "out"), "--json")
    serial = json.loads(done.stdout)["serial"]
    before = units(demo, key)
    kill_everything(demo)
    again = start_demo(demo.data_dir)
    try:
        assert units(again, key) == before
        checked = meterai(again.data_dir, "verify", str(tmp_path / "out"), "--json")
        assert json.loads(checked.stdout) == {
            **json.loads(checked.stdout),
            "verdict": "genuine",
            "serial": serial,
        }
        audited = meterai(again.data_dir, "audit", "--json")
        assert json.loads(audited.stdout)["clean"] is True
    finally:
        stop_demo(again)
    assert processes_of(again.data_dir) == set(), "Ctrl-C leaves nothing behind"


@pytest.mark.timeout(240)
def test_when_only_the_watcher_is_killed_its_children_end_and_the_database_is_adopted(
    tmp_path: Path,
) -> None:
    demo = start_demo(tmp_path / "data")
    os.kill(demo.process.pid, signal.SIGKILL)
    demo.process.wait()
    again = start_demo(demo.data_dir)
    try:
        audited = meterai(again.data_dir, "audit", "--json")
        assert json.loads(audited.stdout)["clean"] is True
    finally:
        stop_demo(again)
    assert processes_of(again.data_dir) == set()


@pytest.mark.timeout(240)
def test_a_killed_database_comes_back_and_the_doors_say_so_meanwhile(tmp_path: Path) -> None:
    demo = start_demo(tmp_path / "data")
    try:
        pid_file = demo.data_dir / "postgres" / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)
        seen = set()
        for _ in range(600):
            answer = httpx.get(f"{demo.url}/", timeout=20)
            seen.add(answer.status_code)
            assert answer.status_code in (200, 503)
            assert "asyncpg" not in answer.text
            if answer.status_code == 200 and httpx.get(f"{demo.url}/readyz").status_code == 200:
                break
        assert 200 in seen
        audited = meterai(demo.data_dir, "audit", "--json")
        assert json.loads(audited.stdout)["clean"] is True
    finally:
        stop_demo(demo)
