"""Attacks on the structure of a stamped file, beyond those of :mod:`world.tampering`."""

import io
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

from world.documents import appended, letter
from world.tampering import body, byte_range, edited, gap, numbers

# --- revisions that change what is seen ---


def _stream(content: bytes) -> bytes:
    return b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)


def content_replaced(whole: bytes) -> bytes:
    """The page's own content stream is written anew; the page itself is untouched."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        contents = pdf.pages[0].obj.Contents
        contents = contents[0] if isinstance(contents, Array) else contents
        number = contents.objgen[0]
    return appended(whole, (number, _stream(b"BT /F1 30 Tf 80 500 Td (Lunas) Tj ET")))


def font_replaced(whole: bytes) -> bytes:
    """The letters stay, the font now shows others."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        fonts = pdf.pages[0].obj.Resources.Font
        number = next(iter(fonts.values())).objgen[0]
    return appended(whole, (number, b"<</Type/Font/Subtype/Type1/BaseFont/Symbol/Name/F1>>"))


def mark_replaced(whole: bytes) -> bytes:
    """Another QR code is drawn by the mark's own appearance."""
    return appended(whole, (_appearance(whole), _mark(b"0 0 0 rg 7 22 38 38 re f")))


def mark_emptied(whole: bytes) -> bytes:
    """The mark is gone from sight; the seal is where it was."""
    return appended(whole, (_appearance(whole), _mark(b"")))


def _mark(content: bytes) -> bytes:
    head = b"<</Type/XObject/Subtype/Form/BBox[0 0 66 66]/Length %d>>" % len(content)
    return head + b"stream\n%b\nendstream" % content


def _appearance(whole: bytes) -> int:
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        field = next(field for field in pdf.Root.AcroForm.Fields if "/V" in field)
        number: int = field.AP.N.objgen[0]
    return number


def qr_covered(whole: bytes) -> bytes:
    """A picture of another QR code lies over ours, as an annotation."""
    at = numbers(whole)
    page = body(whole, at["page"])
    fresh = at["size"]
    note = b"<</Type/Annot/Subtype/Stamp/Rect[425 152 491 218]/F 4/AP<</N %d 0 R>>>>" % (fresh + 1)
    page = re.sub(rb"/Annots (\[[^\]]*)\]", rb"/Annots \1 %d 0 R]" % fresh, page)
    return appended(whole, (at["page"], page), (fresh, note), (fresh + 1, _mark(b"5 5 50 50 re f")))


def page_added(whole: bytes) -> bytes:
    """One page more."""
    return _pages(whole, lambda kids: kids + b" %d 0 R")


def page_removed(whole: bytes) -> bytes:
    """No page at all is left of those that were sealed."""
    return _pages(whole, lambda _: b"%d 0 R")


def _pages(whole: bytes, kids: Callable[[bytes], bytes]) -> bytes:
    at = numbers(whole)
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        number = pdf.Root.Pages.objgen[0]
        listed = b" ".join(b"%d 0 R" % kid.objgen[0] for kid in pdf.Root.Pages.Kids)
    said = kids(listed) % at["size"]
    return appended(
        whole,
        (number, b"<</Type/Pages/Count %d/Kids[%b]>>" % (said.count(b"R"), said)),
        (at["size"], b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]>>" % number),
    )


def catalogue_replaced(whole: bytes) -> bytes:
    """The trailer names another catalogue, with pages of its own."""
    fresh = numbers(whole)["size"]
    return appended(
        whole,
        (fresh, b"<</Type/Catalog/Pages %d 0 R>>" % (fresh + 1)),
        (fresh + 1, b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (fresh + 2)),
        (fresh + 2, b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]>>" % (fresh + 1)),
        root=f"{fresh} 0 R",
    )


def script_added(whole: bytes) -> bytes:
    """A script runs when the document is opened."""
    at = numbers(whole)
    root = body(whole, at["root"])
    action = b"/OpenAction<</S/JavaScript/JS(app.alert)>>"
    return appended(whole, (at["root"], root[:-2] + action + b">>"))


def certification_dropped(whole: bytes) -> bytes:
    """The catalogue no longer says that the document was certified."""
    at = numbers(whole)
    root = re.sub(rb"/Perms ?(?:<<[^>]*>>|\d+ \d+ R)", b"", body(whole, at["root"]))
    return appended(whole, (at["root"], root))


def information_changed(whole: bytes) -> bytes:
    """Nothing to be seen: a new object that nobody names."""
    return appended(whole, (numbers(whole)["size"], b"<</Title(Surat)>>"))


def attachment_added(whole: bytes) -> bytes:
    """A file is attached."""
    at = numbers(whole)
    fresh = at["size"]
    root = body(whole, at["root"])
    listed = b"(a)<</Type/Filespec/F(a)/EF<</F %d 0 R>>>>" % fresh
    names = b"/Names<</EmbeddedFiles<</Names[%b]>>>>" % listed
    return appended(whole, (at["root"], root[:-2] + names + b">>"), (fresh, _stream(b"isi")))


def seal_moved_to_another_field(whole: bytes) -> bytes:
    """The same signature dictionary under a field of another serial."""
    at = numbers(whole)
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        form = pdf.Root.AcroForm.objgen[0]
    field = b"<</FT/Sig/T(Meterai-%b)/V %d 0 R>>" % (b"9" * 22, at["signature"])
    return appended(
        whole, (form, b"<</Fields[%d 0 R]/SigFlags 3>>" % at["size"]), (at["size"], field)
    )


def seal_dictionary_replaced(whole: bytes) -> bytes:
    """The signature dictionary written again, by a later revision, with the old seal and range."""
    at = numbers(whole)
    start, end = gap(whole)
    place = whole.rindex(b"%d 0 obj" % at["signature"], 0, start)
    text = whole[place : whole.index(b"endobj", end)].split(b"obj", 1)[1].strip()
    return appended(whole, (at["signature"], text))


def rolled_back(whole: bytes) -> bytes:
    """The last pointer names the cross-references of before the stamp."""
    previous = re.findall(rb"/Prev (\d+)", whole)[-1]
    return whole + b"startxref\n%b\n%%%%EOF\n" % previous


def stripped(whole: bytes) -> bytes:
    """The stamp is cut off: what is left was never stamped."""
    end = whole.rindex(b"%%EOF", 0, gap(whole)[0]) + 6
    return whole[:end]


# --- the bytes around the seal ---


def comment_appended(whole: bytes) -> bytes:
    return whole + b"% lunas\n"


def noughts_appended(whole: bytes) -> bytes:
    return whole + bytes(4096)


def last_byte_dropped(whole: bytes) -> bytes:
    return whole[:-1]


def header_changed(whole: bytes) -> bytes:
    place = whole.index(b"%PDF-1.")
    return whole[: place + 7] + b"9" + whole[place + 8 :]


def serial_changed(whole: bytes) -> bytes:
    """Another serial stands in the seal, and in the name of its field."""
    place = whole.index(b"/Serials")
    serial = whole[place:].split(b"(", 1)[1][:22]
    return whole.replace(serial, serial[:-1] + (b"0" if serial[-1:] != b"0" else b"1"))


def range_begins_later(whole: bytes) -> bytes:
    start, end = gap(whole)
    return byte_range(whole, b"[9 %d %d %d]" % (start - 9, end, len(whole) - end))


def range_of_six(whole: bytes) -> bytes:
    return byte_range(whole, b"[0 9 9 9 9 9]")


def range_of_two(whole: bytes) -> bytes:
    return byte_range(whole, b"[0 %d]" % len(whole))


def range_twice(whole: bytes) -> bytes:
    """Two ranges in one dictionary: one reader takes the first, another the last."""
    return edited(whole, filter_of(whole), b"/ByteRange[0 9 9 9]")


def contents_twice(whole: bytes) -> bytes:
    return edited(whole, filter_of(whole), b"/Contents<3003020101>")


def filter_of(whole: bytes) -> bytes:
    """An entry of the newest signature dictionary that nobody misses, as this road writes it."""
    found: list[bytes] = re.findall(rb"/Filter ?/Adobe\.PPKLite", whole)
    return found[-1]


def range_overlaps(whole: bytes) -> bytes:
    start, end = gap(whole)
    return byte_range(whole, b"[0 %d %d %d]" % (start + 9, start, len(whole) - end))


# --- prepared before the stamp, sprung after it ---


def shadow(stamp: Callable[[bytes], bytes], spring: str) -> bytes:
    """A document that holds two contents, sealed while it shows one and changed to show the other.

    hide: a sheet that hid the text is taken away · replace: another font or form is put in ·
    hide-and-replace: another, complete page tree is put in its place (all of them by one line appended).
    """
    sheet = _stream(b"1 1 1 rg 60 380 460 300 re f")
    other = _stream(b"BT /F1 30 Tf 80 500 Td (Saya berutang) Tj ET")
    base = letter()
    with pikepdf.open(io.BytesIO(base)) as pdf:
        page = pdf.pages[0].obj
        contents = page.Contents.objgen[0]
        number, size, root = page.objgen[0], int(pdf.trailer.Size), pdf.Root.objgen[0]
        text = body(base, number)
        catalogue = body(base, root)
    both = b"/Contents [%d 0 R %d 0 R]" % (contents, size)
    shown = text.replace(b"/Contents %d 0 R" % contents, both)
    assert shown != text
    prepared = appended(base, (number, shown), (size, sheet), (size + 1, other))
    if spring == "hide-and-replace":
        pages = b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (size + 3)
        leaf = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>" % (
            size + 2, size + 1,
        )  # fmt: skip
        prepared = appended(prepared, (size + 2, pages), (size + 3, leaf))
    whole = stamp(prepared)
    if spring == "hide":
        return appended(whole, (size, _stream(b"")))
    if spring == "replace":
        return appended(whole, (size, other))
    pages_at = re.search(rb"/Pages (\d+ \d+ R)", catalogue)
    assert pages_at
    now = body(whole, numbers(whole)["root"])
    return appended(
        whole,
        (numbers(whole)["root"], now.replace(pages_at[0], b"/Pages %d 0 R" % (size + 2))),
    )


# --- tools that save a document anew ---


def _by(program: list[str], whole: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "a.pdf", Path(folder) / "b.pdf"
        before.write_bytes(whole)
        names = {"IN": str(before), "OUT": str(after), "OUTPUT": f"-sOutputFile={after}"}
        done = subprocess.run(
            [names.get(word, word) for word in program],
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert after.exists(), done.stderr
        return after.read_bytes()


def by_ghostscript(whole: bytes) -> bytes:
    """What programs that compress or print to PDF do."""
    return _by(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "OUTPUT", "IN"], whole)


def by_mutool(whole: bytes) -> bytes:
    return _by(["mutool", "clean", "-ggg", "IN", "OUT"], whole)


def by_qpdf(whole: bytes) -> bytes:
    return _by(["qpdf", "--warning-exit-0", "IN", "OUT"], whole)


def by_poppler(whole: bytes) -> bytes:
    """One document made of single ones."""
    return _by(["pdfunite", "IN", "IN", "OUT"], whole)


def locked(whole: bytes) -> bytes:
    """A password is put on it."""
    return _by(["qpdf", "--encrypt", "rahasia", "rahasia", "256", "--", "IN", "OUT"], whole)


def attached_to_another(whole: bytes) -> bytes:
    """The stamped file travels inside another document."""
    with pikepdf.open(io.BytesIO(letter(text="Lampiran"))) as pdf:
        pdf.attachments["bermeterai.pdf"] = pikepdf.AttachedFileSpec(pdf, whole)
        out = io.BytesIO()
        pdf.save(out, compress_streams=True)
    return out.getvalue()


def field_alone(whole: bytes) -> bytes:
    """A field of our name, with the mark's picture, and no signature in it."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        for field in pdf.Root.AcroForm.Fields:
            if "/V" in field:
                del field[Name.V]
        pdf.Root.AcroForm = Dictionary(Fields=pdf.Root.AcroForm.Fields)
        if Name.Perms in pdf.Root:
            del pdf.Root[Name.Perms]
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()
