import csv
import io
import shutil
import subprocess
import zipfile
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.treasury.duties import due_dates
from meterai.treasury.sheet import Cell, as_csv, as_xlsx

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TABLE: list[list[Cell]] = [["Kanal", "Jumlah"], ["mitra & <co>", 2_000_000], ["=1+1", None]]
CELLS = st.one_of(
    st.none(),
    st.integers(-(2**52), 2**52),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
)


def read_xlsx(content: bytes) -> list[list[Cell]]:
    """By an XML reader that knows nothing of the writer."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        sheet = ET.fromstring(file.read("xl/worksheets/sheet1.xml"))
        for name in file.namelist():
            ET.fromstring(file.read(name))
    rows: list[list[Cell]] = []
    for row in sheet.iter(f"{MAIN}row"):
        cells: list[Cell] = []
        for cell in row:
            number, text = cell.find(f"{MAIN}v"), cell.find(f"{MAIN}is/{MAIN}t")
            if number is not None and number.text is not None:
                cells.append(int(number.text))
            else:
                cells.append(None if text is None else (text.text or ""))
        rows.append(cells)
    return rows


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=5))
def test_what_goes_into_a_workbook_comes_out_of_it(table: list[list[Cell]]) -> None:
    assert read_xlsx(as_xlsx(table, "Setoran & <lain>")) == table


def test_no_text_becomes_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(TABLE).decode("utf-8-sig"))))
    assert rows == [["Kanal", "Jumlah"], ["mitra & <co>", "2000000"], ["'=1+1", ""]]
    assert read_xlsx(as_xlsx(TABLE, "x"))[2][0] == "=1+1"
    with zipfile.ZipFile(io.BytesIO(as_xlsx(TABLE, "x"))) as file:
        assert b"<f>" not in file.read("xl/worksheets/sheet1.xml")


def test_control_signs_cannot_break_a_workbook() -> None:
    assert read_xlsx(as_xlsx([["a\x00b\x1f"]], "x")) == [["ab"]]


def test_the_same_table_gives_the_same_bytes() -> None:
    assert as_xlsx(TABLE, "x") == as_xlsx(TABLE, "x")


def test_an_office_program_opens_it(tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("no office program is installed here")
    file = tmp_path / "setoran.xlsx"
    file.write_bytes(as_xlsx(TABLE, "Setoran"))
    subprocess.run([office, "--headless", "--convert-to", "csv", file], cwd=tmp_path, check=True)
    assert "2000000" in (tmp_path / "setoran.csv").read_text()


@pytest.mark.parametrize(
    ("month", "deposit", "report"),
    [
        (date(2024, 9, 30), date(2024, 10, 10), date(2024, 10, 20)),
        (date(2024, 11, 1), date(2024, 12, 15), date(2024, 12, 20)),
        (date(2026, 12, 31), date(2027, 1, 15), date(2027, 1, 20)),
    ],
)
def test_due_dates_follow_the_rule_of_the_month(month: date, deposit: date, report: date) -> None:
    due = due_dates(month)
    assert (due.deposit, due.report) == (deposit, report)
