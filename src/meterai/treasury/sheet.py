"""Tables for accountants: CSV, and the smallest XLSX that office programs open (ECMA-376), by hand.

Neither can carry a formula: in CSV a text that begins like one is quoted with an apostrophe, in XLSX every text
is an inline string.
"""

import csv
import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

Cell = str | int | None
Table = Sequence[Sequence[Cell]]
"""Rows of equal length; the first one names the columns. Rupiah and units are whole numbers."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = {n: None for n in range(32) if n not in (9, 10, 13)}
"""Signs that XML 1.0 cannot hold."""


def as_csv(table: Table) -> bytes:
    """UTF-8 with a mark of its encoding, for office programs that would guess otherwise (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in table:
        writer.writerow(["" if cell is None else _plain(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(cell: str | int) -> str | int:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def as_xlsx(table: Table, name: str) -> bytes:
    """One sheet called ``name``; the same table gives the same bytes."""
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT,
        "xl/workbook.xml": _BOOK.format(name=_text(name[:31], quoted=True)),
        "xl/_rels/workbook.xml.rels": _BOOK_RELATIONS,
        "xl/worksheets/sheet1.xml": _SHEET.format(rows="".join(map(_row, table))),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in parts.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return out.getvalue()


def _row(row: Sequence[Cell]) -> str:
    return f"<row>{''.join(map(_cell, row))}</row>"


def _cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{_text(cell)}</t></is></c>'


def _text(text: str, *, quoted: bool = False) -> str:
    return escape(text.translate(_CONTROL), {'"': "&quot;"} if quoted else {})


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>'
)
_ROOT = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_BOOK = (
    f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>'
)
_BOOK_RELATIONS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
_SHEET = f'<worksheet xmlns="{_MAIN}"><sheetData>' + "{rows}</sheetData></worksheet>"
