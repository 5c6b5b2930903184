"""``meterai verify`` on a folder, offline: every file told, a table, and going on after a cut."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from attacks.scenes import SERIALS, Profile, another, asking, scene
from meterai.cli import verify
from meterai.cli.verify import CannotWrite, Wanted, find_files, verify_all
from meterai.settings import Settings
from meterai.verification.crew import Crew
from world import pki
from world.documents import letter


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data")
    shutil.copytree(pki.trust_folder(), settings.keys / "trust")
    return settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "berkas"
    (folder / "dalam").mkdir(parents=True)
    (folder / "a.pdf").write_bytes(scene("P=1").whole)
    (folder / "dalam" / "b.PDF").write_bytes(letter())
    (folder / "=c.pdf").write_bytes(another(Profile("P=1", asking(SERIALS[3]))) + b"\n")
    (folder / "catatan.txt").write_text("bukan PDF")
    return folder


def told(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str], **wanted: object
) -> dict[str, tuple[str, str]]:
    verify_all(find_files([folder]), None, settings, Wanted(2, as_json=True, **wanted))  # type: ignore[arg-type]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {Path(line["file"]).name: (line["verdict"], line["reason"]) for line in lines}


EXPECTED = {
    "a.pdf": ("genuine_offline", "registry_not_asked"),
    "b.PDF": ("not_a_stamp", "no_seal"),
    "=c.pdf": ("altered", "changed_after_seal"),
}


def test_every_pdf_of_a_folder_is_told(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(folder, settings, capsys) == EXPECTED


def test_a_run_goes_on_where_it_was_cut_off_and_examines_nothing_twice(
    folder: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(folder, settings, capsys)
    journal = settings.data_dir / "verify" / "examined.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])  # the power failed
    known: list[int] = []

    class Watched(Crew):
        def __init__(self, *given: object, **more: object) -> None:
            known.append(len(more["known"]))  # type: ignore[arg-type]
            super().__init__(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(verify, "Crew", Watched)
    assert told(folder, settings, capsys, resume=True) == EXPECTED
    assert told(folder, settings, capsys, resume=True) == EXPECTED
    assert told(folder, settings, capsys) == EXPECTED
    assert known == [2, 3, 0]


def test_the_table_names_twins_and_runs_no_formula(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (folder / "d.pdf").write_bytes(another(Profile("P=1", asking(SERIALS[0]))))
    table = tmp_path / "hasil.csv"
    found = told(folder, settings, capsys, csv=table)
    assert found["a.pdf"] == found["d.pdf"] == ("needs_review", "serial_twice_in_batch")
    with table.open(newline="") as stream:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(stream)}
    assert rows["a.pdf"]["twins"].endswith("d.pdf")
    assert set(rows) == {*EXPECTED, "d.pdf"}
    assert not any(
        cell.startswith(("=", "+", "@")) for row in rows.values() for cell in row.values()
    )


def test_a_table_that_cannot_be_written_says_so(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(CannotWrite):
        told(folder, settings, capsys, csv=tmp_path / "tiada" / "hasil.csv")
