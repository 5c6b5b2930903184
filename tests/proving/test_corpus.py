import csv
import os
from pathlib import Path

import pytest

from meterai.proving import judges
from meterai.proving.corpus import GOOD, JUDGES, run
from meterai.proving.corpus_report import figures, lines, table
from world import documents, hostile
from world.documents import letter

pytestmark = pytest.mark.skipif(
    bool(judges.missing_programs()), reason=f"not installed: {judges.missing_programs()}"
)

FILES = {
    "surat.pdf": (letter(), "clean"),
    "formulir.pdf": (documents.form(), "acroform;clean"),
    "kunci.pdf": (documents.encrypted(letter(), "aes128", user="x"), "user-password;damaged"),
    "bom.pdf": (hostile.bomb(), "clean"),
    "rusak.pdf": (letter()[:-300], "damaged"),
    "kosong.pdf": (b"%PDF-1.7\n", "clean"),
}


def manifest(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["file", "set", "traits", "pages"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_every_file_gets_its_verdict(tmp_path: Path) -> None:
    rows = []
    for name, (content, traits) in FILES.items():
        (tmp_path / name).write_bytes(content)
        rows.append({"file": name, "set": "robustness", "traits": traits, "pages": "1"})
    manifest(tmp_path, rows)
    verdicts = {verdict.file: verdict for verdict in run(tmp_path)}
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == {
        "surat.pdf": GOOD,
        "formulir.pdf": GOOD,
        "kunci.pdf": "password_needed",
        "bom.pdf": "document_inflates",
        "rusak.pdf": GOOD,
        "kosong.pdf": "pdf_unreadable",
    }
    unexplained = {name for name, verdict in verdicts.items() if not verdict.explained}
    assert unexplained == {"bom.pdf", "kosong.pdf"}
    said = table(list(verdicts.values()))
    assert "| clean | 4 | 2 | 0 | 2 | 2 = 50.0 % |" in said
    assert "Borne out by nothing: 2" in said
    assert figures(list(verdicts.values()))["clean-plain"] == {
        "files": 4,
        "stamped": 2,
        "accepted": 2,
        "fast": 2,
        "careful": 0,
        "repaired": 0,
        "refused": 2,
    }
    rows_ = {
        row["file"]: row for row in csv.DictReader(lines(list(verdicts.values())).splitlines())
    }
    assert {rows_["surat.pdf"][judge] for judge in JUDGES} == {"good"}
    assert (rows_["surat.pdf"]["road"], rows_["rusak.pdf"]["road"]) == ("fast", "repair")
    assert rows_["bom.pdf"]["refused"] == "document_inflates"


CORPUS = os.environ.get("METERAI_CORPUS")  # noqa: TID251 - names test material, no setting of the platform


@pytest.mark.skipif(not CORPUS, reason="METERAI_CORPUS names no folder of PDFs with a manifest.csv")
def test_a_sample_of_real_files_is_stamped_or_refused_with_a_reason(tmp_path: Path) -> None:
    folder = Path(CORPUS or "")
    with (folder / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[
            ::15
        ]  # all of them take minutes: run the module for that
    for row in rows:
        (tmp_path / row["file"]).parent.mkdir(exist_ok=True)
        (tmp_path / row["file"]).symlink_to(folder / row["file"])
    manifest(tmp_path, rows)
    verdicts = run(tmp_path)
    assert len(verdicts) == len(rows)
    assert [v for v in verdicts if not v.explained] == []
    assert sum(v.outcome == GOOD for v in verdicts) > len(rows) / 2
