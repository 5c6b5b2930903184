import io
import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from meterai.pdf import fast
from meterai.pdf.errors import CannotStamp
from meterai.pdf.increment import Prepared, Request, Slot, prepare, prepare_carefully
from meterai.pdf.model import Place
from meterai.pdf.road import Oddity, Road, Unusual
from meterai.proving import judges
from world import documents, pictures
from world.documents import OTHER_SERIAL, SERIAL, letter, mark, request
from world.pki import sealer, trust_folder

MIDDLE = Place(-1, 100, 150)
ORDINARY = dict(documents.ordinary())
needs_programs = pytest.mark.skipif(
    bool(judges.missing_programs()), reason=f"not installed: {judges.missing_programs()}"
)


def by(road: Road, document: bytes, asked: Request) -> Prepared:
    make = prepare_carefully if road is Road.CAREFUL else prepare
    prepared = make(document, asked)
    assert prepared.road is road
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
def test_both_roads_say_the_same(shape: str, asked: str) -> None:
    document = ORDINARY[shape]
    whole = {
        road: by(road, document, REQUESTS[asked]).sealed_with(b"")
        for road in (Road.FAST, Road.CAREFUL)
    }
    assert told(whole[Road.FAST]) == told(whole[Road.CAREFUL])


@needs_programs
@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize("shape", "classic xref-stream form two-revisions rotated-90".split())
async def test_five_validators_accept_what_both_roads_make(shape: str, asked: str) -> None:
    for road in (Road.FAST, Road.CAREFUL):
        prepared = by(road, ORDINARY[shape], REQUESTS[asked])
        whole = prepared.sealed_with(await sealer().seal(prepared.digest))
        said = judges.judge(whole, f"Meterai-{SERIAL}", trust_folder())
        assert [one for one in said if not one.good] == [], road


@pytest.mark.parametrize("shape", [shape for shape in ORDINARY if "encrypted" not in shape])
def test_both_roads_look_the_same(shape: str) -> None:
    pages = [
        pictures.picture(
            by(road, ORDINARY[shape], REQUESTS["one mark"]).sealed_with(b""),
            renderer,
            60,
            len(pikepdf.open(io.BytesIO(ORDINARY[shape])).pages),
        ).tobytes()
        for road in (Road.FAST, Road.CAREFUL)
        for renderer in pictures.RENDERERS
    ]
    assert pages[:2] == pages[2:]


def told(document: bytes) -> list[Any]:
    """Everything that the trailer leads to, in one order; only what depends on object numbers is left out."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        said: list[Any] = [str(pdf.trailer.ID[0])]
        known: dict[tuple[int, int], int] = {}
        waiting: list[Any] = [pdf.Root]
        things = 0
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, pikepdf.Object) and thing.objgen != (0, 0):
                if thing.objgen in known:
                    said.append(known[thing.objgen])
                    continue
                known[thing.objgen] = things
            things += 1
            if isinstance(thing, pikepdf.Stream | pikepdf.Dictionary):
                pairs = [(key, thing[key]) for key in sorted(thing.keys(), reverse=True)]
                pairs = [(key, value) for key, value in pairs if not is_left_out(thing, key, value)]
                said.append([key for key, _ in pairs])
                waiting += [value for _, value in pairs]
                said += [thing.read_raw_bytes()] if isinstance(thing, pikepdf.Stream) else []
            elif isinstance(thing, pikepdf.Array):
                said.append(len(thing))
                waiting += list(thing)
            else:
                number = isinstance(thing, int | float | Decimal)
                # pyHanko writes a sign that PDFDocEncoding does not have as U+FFFD
                said.append(float(thing) if number else str(thing).replace("\ufffd", "\0"))
        return said


def is_left_out(holder: Any, key: str, value: Any) -> bool:
    """The range is another, the type of a form need not be said, and nor the version of the header."""
    return (
        (key == "/ByteRange" and "/Contents" in holder)
        or key == "/Length"
        or (key == "/Type" and value == pikepdf.Name.XObject)
        or (key == "/Version" and "/Pages" in holder)
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
def test_both_roads_say_the_same_of_real_files() -> None:
    compared = 0
    for file in sorted((Path(CORPUS or "") / "pdf").glob("*.pdf")):
        document = file.read_bytes()
        asked = request(mark(place=Place(-1, 1, 1)))
        try:
            fast.write(document, bytes(32), asked)
            careful = by(Road.CAREFUL, document, asked)
        except (Unusual, CannotStamp):
            continue
        except Exception:  # noqa: BLE001
            # what strange bytes make the reader stumble over ends on the careful road
            assert prepare_or_refuse(document, asked) is not Road.FAST
            continue
        ours = prepare(document, asked)
        assert ours.road is Road.FAST
        try:
            theirs = told(careful.sealed_with(b""))
        except UnicodeDecodeError:  # pikepdf cannot say names that are no UTF-8
            continue
        assert told(ours.sealed_with(b"")) == theirs, file.name
        compared += 1
    assert compared > 500


def prepare_or_refuse(document: bytes, asked: Request) -> Road | None:
    try:
        return prepare(document, asked).road
    except CannotStamp:
        return None


def size_lowered(document: bytes) -> bytes:
    found = re.search(rb"/Size (\d+)", document)
    assert found is not None
    return document.replace(found[0], (b"/Size %d" % (int(found[1]) - 1)).ljust(len(found[0])))


def previous_lowered(document: bytes) -> bytes:
    found = re.search(rb"/Prev (\d+)", document)
    assert found is not None
    assert document[int(found[1]) - 1 : int(found[1])].isspace()
    return document.replace(found[0], b"/Prev %d" % (int(found[1]) - 1))


def with_direct_annotation() -> bytes:
    def add(pdf: pikepdf.Pdf) -> None:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[10, 10, 30, 30], Contents="a"
        )
        pdf.pages[0].obj.Annots = pikepdf.Array([note, None])

    return documents.changed(letter(), add)


COMMON: dict[str, Callable[[], bytes]] = {
    "rows of nineteen bytes": lambda: re.sub(rb"(\d{10} \d{5} [nf]) \n", rb"\1\n", letter()),
    "comments among the offsets of an object stream": lambda: documents.rewritten(
        letter(), object_stream_mode=pikepdf.ObjectStreamMode.generate, qdf=True
    ),
    "a section that does not count itself": lambda: size_lowered(documents.with_xref_stream(letter())),
    "white space before a section": lambda: previous_lowered(documents.two_revisions()),
    "an annotation in its array": with_direct_annotation,
}  # fmt: skip


@needs_programs
@pytest.mark.parametrize("name", COMMON)
async def test_what_known_programs_write_takes_the_fast_road_too(name: str) -> None:
    document = COMMON[name]()
    prepared = by(Road.FAST, document, request(mark(place=MIDDLE)))
    assert told(prepared.sealed_with(b"")) == told(
        by(Road.CAREFUL, document, request(mark(place=MIDDLE))).sealed_with(b"")
    )
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    said = judges.judge(
        whole, f"Meterai-{SERIAL}", trust_folder(), source_code=judges.source_code(document)
    )
    assert [one for one in said if not one.good] == []
