"""The command line, as somebody types it: joins the demo or starts one, and says what it means."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from meterai.cli.instance import running
from meterai.proving.sample import sample_letter
from meterai.settings import Settings
from world.demo import Demo, environment, meterai, start_demo, stop_demo


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    folder = tmp_path / "letters"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.pdf").write_bytes(sample_letter(about=str(tmp_path)))
    (folder / "inner" / "b.PDF").write_bytes(sample_letter(2, about=str(tmp_path)))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 but not really")
    (folder / "notes.txt").write_text("not a PDF")
    return folder


def test_a_folder_is_stamped_and_verified_with_one_line_of_json_a_file(
    demo: Demo, letters: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = meterai(demo.data_dir, "stamp", str(letters), "--out", str(out), "--json")
    assert done.returncode == 3, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert {"file", "status", "serial", "output", "sha256", "verdict", "reason"} <= set(line)
    good = [line for line in lines if line["status"] == "affixed"]
    assert sorted(Path(line["output"]).relative_to(out).as_posix() for line in good) == [
        "a.pdf",
        "inner/b.PDF",
    ]
    assert {line["verdict"] for line in good} == {"genuine"}
    (bad,) = [line for line in lines if line["status"] != "affixed"]
    assert bad["output"] is None
    assert bad["reason"]
    checked = meterai(demo.data_dir, "verify", str(out), "--json")
    assert checked.returncode == 0, checked.stderr
    assert {json.loads(line)["verdict"] for line in checked.stdout.splitlines()} == {"genuine"}


def test_offline_it_says_that_the_registry_was_not_asked(
    demo: Demo, letters: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert (
        meterai(demo.data_dir, "stamp", str(letters / "a.pdf"), "--out", str(out)).returncode == 0
    )
    checked = meterai(demo.data_dir, "verify", str(out), "--offline", "--json")
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["verdict"] == "genuine_offline"
    unstamped = meterai(demo.data_dir, "verify", str(letters / "a.pdf"), "--json")
    assert unstamped.returncode == 3
    assert json.loads(unstamped.stdout)["verdict"] == "not_a_stamp"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--position", "somewhere"], 2),
        (["--page", "0"], 2),
        (["--position", "20,30 mm"], 0),
        (["--position", "top-left", "--page", "1"], 0),
        (["--position", "bottom-right", "--page", "last"], 0),
        (["--page", "99"], 3),
    ],
)
def test_places_are_understood_or_refused_with_a_usage_code(
    demo: Demo, letters: Path, tmp_path: Path, more: list[str], code: int
) -> None:
    done = meterai(
        demo.data_dir,
        "stamp",
        str(letters / "a.pdf"),
        "--out",
        str(tmp_path / "o"),
        "--repeat",
        *more,
    )
    assert done.returncode == code, done.stderr


def test_doctor_finds_nothing_wrong_and_audit_is_clean(demo: Demo) -> None:
    examined = meterai(demo.data_dir, "doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    assert all(json.loads(line)["good"] for line in examined.stdout.splitlines())
    by_folder = meterai(demo.data_dir, "audit", "--json")
    assert by_folder.returncode == 0, by_folder.stdout
    assert json.loads(by_folder.stdout)["clean"] is True
    by_server = meterai(demo.data_dir, "audit", "--server", demo.url, "--json")
    assert json.loads(by_server.stdout)["clean"] is True


def test_audit_exits_with_1_when_somebody_edited_the_books(tmp_path: Path) -> None:
    demo = start_demo(tmp_path / "data")

    async def edit() -> None:
        connection = await asyncpg.connect(Settings(data_dir=demo.data_dir).dsn)
        await connection.execute("alter table transfer disable trigger all")
        await connection.execute("update transfer set amount = amount + 1 where link = 1")
        await connection.close()

    try:
        asyncio.run(edit())
        found = meterai(demo.data_dir, "audit", "--json")
        assert found.returncode == 1
        names = {c["name"] for c in json.loads(found.stdout)["contradictions"]}
        assert "books" in names
    finally:
        stop_demo(demo)


def test_with_no_server_it_starts_one_joins_it_and_the_last_one_stops_it(
    letters: Path, tmp_path: Path
) -> None:
    nothing_running = tmp_path / "alone"
    words = ["stamp", str(letters / "a.pdf"), "--out", str(tmp_path / "one"), "--json"]
    first = subprocess.Popen(
        [sys.executable, "-m", "meterai", *words],
        env=environment(nothing_running),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    second = meterai(
        nothing_running, "stamp", str(letters / "inner"), "--out", str(tmp_path / "two"), "--json"
    )
    said, complained = first.communicate(timeout=110)
    assert first.returncode == 0, complained
    assert second.returncode == 0, second.stderr
    assert json.loads(said)["verdict"] == json.loads(second.stdout)["verdict"] == "genuine"
    settings = Settings(data_dir=nothing_running)
    for _ in range(200):
        if running(settings) is None:
            break
        time.sleep(0.1)
    assert running(settings) is None
    again = meterai(nothing_running, "verify", str(tmp_path / "one"), "--offline", "--json")
    assert json.loads(again.stdout)["verdict"] == "genuine_offline"


def test_outside_a_demo_a_key_is_asked_for(tmp_path: Path, letters: Path) -> None:
    plain = start_demo(tmp_path / "plain", "--no-demo")
    try:
        done = meterai(
            plain.data_dir, "stamp", str(letters / "a.pdf"), "--out", str(tmp_path / "o")
        )
        assert done.returncode == 1
        assert "METERAI_API_KEY" in done.stderr
    finally:
        stop_demo(plain)
