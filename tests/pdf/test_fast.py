import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from meterai.pdf import fast
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Prepared, Request, Slot, prepare
from meterai.pdf.model import Place
from meterai.pdf.road import Oddity, Road, Unusual
from world import documents, pictures
from world.documents import OTHER_SERIAL, SERIAL, letter, mark, request

MIDDLE = Place(-1, 100, 150)
ORDINARY = dict(documents.ordinary())


def by(road: Road, document: bytes, asked: Request, patch: pytest.MonkeyPatch) -> Prepared:
    if road is Road.CAREFUL:

        def gives_way(*_: object) -> None:
            raise Unusual(Oddity.REQUEST)

        patch.setattr(fast, "write", gives_way)
    prepared = prepare(document, asked)
    assert prepared.road is road
    patch.undo()
    return prepared


@pytest.mark.parametrize("shape", ORDINARY)
def test_ordinary_documents_take_the_fast_road_and_encrypted_ones_do_not(shape: str) -> None:
    prepared = prepare(ORDINARY[shape], request(mark(place=MIDDLE)))
    expected = Road.CAREFUL if "encrypted" in shape else Road.FAST
    assert (prepared.road, prepared.oddity) == (
        expected,
        Oddity.ENCRYPTED if expected is Road.CAREFUL else None,
    )


REQUESTS = {
    "one mark": request(mark(place=MIDDLE)),
    "three marks": request(
        mark(place=MIDDLE),
        mark(OTHER_SERIAL, Place(1, 20, 20)),
        mark(SERIAL[:-1] + "0", Place(1, 60, 20), ),
    ),
    "to be signed": request(
        mark(place=MIDDLE),
        certify=2,
        slots=(Slot("penyewa", Place(1, 20, 170), 50, 20), Slot("pemilik", Place(1, 75, 170), 9, 9)),
        reason="Perjanjian (sewa) \\ menyewa",
        name="Siti – Nurhaliza",
        location="Jakarta",
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize("shape", [shape for shape in ORDINARY if "encrypted" not in shape])
def test_both_roads_say_the_same(shape: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = ORDINARY[shape]
    whole = {
        road: by(road, document, REQUESTS[asked], monkeypatch).sealed_with(b"")
        for road in (Road.FAST, Road.CAREFUL)
    }
    assert told(whole[Road.FAST]) == told(whole[Road.CAREFUL])


def told(document: bytes) -> Any:
    """Everything that the document's catalogue leads to, with what depends on object numbers left out."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        pages = {page.obj.objgen: f"page {number}" for number, page in enumerate(pdf.pages)}
        root = plain(pdf.Root, pages, [])
        return root, [plain(page.obj, {}, []) for page in pdf.pages], str(pdf.trailer.ID[0])


def plain(thing: Any, known: dict[Any, str], above: list[Any]) -> Any:
    if isinstance(thing, pikepdf.Object) and thing.objgen != (0, 0):
        if thing.objgen in known:
            return known[thing.objgen]
        if thing.objgen in above:
            return "a thing above"
        above = [*above, thing.objgen]
    if isinstance(thing, pikepdf.Stream):
        return plain(thing.stream_dict, known, above), thing.read_raw_bytes()
    if isinstance(thing, pikepdf.Dictionary):
        # the range is another, and the type of a form object need not be said
        skipped = {"/ByteRange"} if "/Contents" in thing else {"/Length"}
        if thing.get("/Type") == pikepdf.Name.XObject:
            thing = pikepdf.Dictionary({k: v for k, v in thing.items() if k != "/Type"})
        return {k: plain(v, known, above) for k, v in thing.items() if k not in skipped}
    if isinstance(thing, pikepdf.Array):
        return [plain(item, known, above) for item in thing]
    return (
        float(thing)
        if isinstance(thing, int | float) or "Decimal" in str(type(thing))
        else str(thing)
    )


def test_a_hybrid_takes_the_fast_road() -> None:
    document = hybrid(letter())
    whole = prepare(document, request(mark(place=MIDDLE)))
    assert whole.road is Road.FAST
    seen = pictures.picture(whole.sealed_with(b""), "poppler", 150)
    assert pictures.codes(seen) == [documents.address_of(SERIAL)]


def hybrid(document: bytes) -> bytes:
    """The page stands in an object stream that only readers of PDF 1.5 know (ISO 32000-2 §7.5.8.4)."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        page, size = pdf.pages[0].obj, int(pdf.trailer.Size)
        number = page.objgen[0]
        body = page.unparse(resolved=True)
        root = pdf.trailer.Root.objgen[0]
    previous = int(document[document.rindex(b"startxref") :].split()[1])
    out = bytearray(document)
    packed = b"%d 0 %b" % (number, body)
    container = len(out)
    out += b"%d 0 obj\n<</Type/ObjStm/N 1/First %d/Length %d>>stream\n%b\nendstream\nendobj\n" % (
        size, len(b"%d 0 " % number), len(packed), packed,
    )  # fmt: skip
    hidden = len(out)
    row = b"\2" + size.to_bytes(4, "big") + b"\0" + b"\1" + container.to_bytes(4, "big") + b"\0"
    out += (
        b"%d 0 obj\n<</Type/XRef/W[1 4 1]/Index[%d 1 %d 1]/Size %d/Length 12>>stream\n%b\nendstream\nendobj\n"
        % (size + 1, number, size, size + 2, row)
    )
    start = len(out)
    out += b"xref\n%d 1\n0000000000 00001 f \n" % number
    out += b"trailer\n<</Size %d/Root %d 0 R/Prev %d/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        size + 2, root, previous, hidden, start,
    )  # fmt: skip
    return bytes(out)


def cut(document: bytes, old: bytes, new: bytes) -> bytes:
    assert document.count(old) >= 1
    return document.replace(old, new, 1)


ODD: dict[str, tuple[Callable[[], bytes], Oddity]] = {
    "junk in front": (lambda: b"x" + letter(), Oddity.HEADER),
    "no end": (lambda: letter()[:-40], Oddity.END),
    "an end out of reach": (lambda: letter() + b"\n" * 1200, Oddity.END),
    "a key twice": (lambda: cut(letter(), b"/Rotate 0", b"/Rotate 0/Rotate 0"), Oddity.CROSS_REFERENCES),
    "a shifted object": (lambda: cut(letter(), b"3 0 obj", b" 3 0 ob"), Oddity.OBJECT),
    "a lying size": (lambda: cut(letter(), b"/Size 8", b"/Size 4"), Oddity.SIZE),
    "a loop of sections": (lambda: looped(letter()), Oddity.CROSS_REFERENCES),
    "a wrong count": (lambda: cut(letter(), b"/Count 1", b"/Count 2"), Oddity.PAGES),
    "an escaped name": (lambda: cut(letter(), b"/Rotate 0", b"/R#6Fte 0"), Oddity.ESCAPED_NAME),
}  # fmt: skip


def looped(document: bytes) -> bytes:
    start = int(document[document.rindex(b"startxref") :].split()[1])
    return document.replace(b"/Size 8", b"/Prev %d/Size 8" % start)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_out_of_the_ordinary_gives_way(odd: str) -> None:
    make, oddity = ODD[odd]
    with pytest.raises(Unusual) as gave_way:
        fast.write(make(), bytes(32), request(mark(place=MIDDLE)))
    if odd != "a key twice":  # its section of cross-references shifts, too
        assert gave_way.value.oddity is oddity


def test_an_empty_branch_does_not_shift_the_pages() -> None:
    # as many pages as kids, but one kid is a branch without pages
    def hollow(pdf: pikepdf.Pdf) -> None:
        kids = pdf.Root.Pages.Kids
        branch = pikepdf.Dictionary(
            Type=pikepdf.Name.Pages, Kids=kids[1:], Count=2, Parent=pdf.Root.Pages
        )
        made = pdf.make_indirect(branch)
        for page in list(kids)[1:]:
            page.Parent = made
        empty = pikepdf.Dictionary(
            Type=pikepdf.Name.Pages, Kids=pikepdf.Array([]), Count=0, Parent=pdf.Root.Pages
        )
        pdf.Root.Pages.Kids = pikepdf.Array([pdf.make_indirect(empty), kids[0], made])

    document = documents.changed(letter(pages=3), hollow)
    prepared = prepare(document, request(mark(place=Place(2, 100, 150))))
    whole = prepared.sealed_with(b"")
    assert prepared.road is Road.FAST
    for page, seen in ((1, []), (2, [documents.address_of(SERIAL)]), (3, [])):
        assert pictures.codes(pictures.picture(whole, "mupdf", 150, page)) == seen


def test_a_stamped_document_is_left_to_the_careful_road() -> None:
    whole = prepare(letter(), request(certify=2)).sealed_with(b"\x30" + bytes(100))
    with pytest.raises(Unusual) as gave_way:
        fast.write(whole, bytes(32), request(mark(OTHER_SERIAL, Place(1, 20, 20))))
    assert gave_way.value.oddity is Oddity.SIGNED


def test_the_increment_names_the_objects_it_wrote() -> None:
    document = documents.two_revisions()
    increment_ = prepare(document, request(mark(place=MIDDLE))).increment
    whole = document + increment_
    start = int(whole[whole.rindex(b"startxref") :].split()[1])
    for first, rows in re.findall(rb"(?m)^(\d+) \d+\n((?:\d{10} \d{5} n \n)+)", whole[start:]):
        for number, row in enumerate(rows.splitlines(), int(first)):
            place, generation, _ = row.split()
            assert whole.startswith(b"%d %d obj" % (number, int(generation)), int(place))


CORPUS = os.environ.get("METERAI_CORPUS")  # noqa: TID251 - names test material, no setting of the platform


@pytest.mark.skipif(not CORPUS, reason="METERAI_CORPUS names no folder of PDFs with a manifest.csv")
@pytest.mark.timeout(1200)
def test_both_roads_say_the_same_of_real_files(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    for file in sorted((Path(CORPUS or "") / "pdf").glob("*.pdf")):
        document = file.read_bytes()
        asked = request(mark(place=Place(-1, 1, 1)))
        try:
            fast.write(document, bytes(32), asked)
            careful = by(Road.CAREFUL, document, asked, monkeypatch)
        except (Unusual, CannotStamp):
            continue
        except Exception:  # noqa: BLE001
            # what strange bytes make the reader stumble over ends on the careful road
            assert prepare_or_refuse(document, asked) is not Road.FAST
            continue
        ours = prepare(document, asked)
        assert ours.road is Road.FAST
        assert told(ours.sealed_with(b"")) == told(careful.sealed_with(b"")), file.name
        compared += 1
    assert compared > 300


def prepare_or_refuse(document: bytes, asked: Request) -> Road | None:
    try:
        return prepare(document, asked).road
    except CannotStamp:
        return None
