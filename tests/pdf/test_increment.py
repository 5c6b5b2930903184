import io
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pikepdf
import pytest

from meterai.pdf import errors
from meterai.pdf.geometry import MM_PER_POINT
from meterai.pdf.increment import Mark, Prepared, Request, Slot, prepare
from meterai.pdf.model import Place
from meterai.pdf.road import Road
from meterai.proving import judges
from world import documents, pictures
from world.documents import SERIAL, address_of, letter, mark, request
from world.pki import sealer, trust_folder

FIELD = f"Meterai-{SERIAL}"
MIDDLE = Place(-1, 100, 150)
ORDINARY = dict(documents.ordinary())

needs_programs = pytest.mark.skipif(
    bool(judges.missing_programs()), reason=f"not installed: {judges.missing_programs()}"
)


async def sealed(prepared: Prepared) -> bytes:
    return prepared.sealed_with(await sealer().seal(prepared.digest))


def disagreeing(whole: bytes, field: str = FIELD) -> list[judges.Judgement]:
    return [said for said in judges.judge(whole, field, trust_folder()) if not said.good]


@needs_programs
@pytest.mark.parametrize("shape", ORDINARY)
async def test_five_validators_agree_on_a_stamped_document(shape: str) -> None:
    prepared = prepare(ORDINARY[shape], request(mark(place=MIDDLE)))
    whole = await sealed(prepared)
    assert whole.startswith(ORDINARY[shape])
    assert disagreeing(whole) == []


@pytest.mark.parametrize(
    "shape",
    "classic rotated-90 rotated-180 rotated-270 cropped offset user-unit".split(),
)
@pytest.mark.parametrize("renderer", pictures.RENDERERS)
def test_the_mark_stands_where_the_reader_was_shown_and_reads_upright(
    shape: str, renderer: str
) -> None:
    document = ORDINARY[shape]
    place = Place(1, 120, 180)
    prepared = prepare(document, request(mark(place=place)))
    whole = prepared.sealed_with(b"")
    # poppler knows no UserUnit and draws such a page smaller
    dpi = 300 if (shape, renderer) == ("user-unit", "poppler") else 150
    before = pictures.picture(document, renderer, dpi)
    after = pictures.picture(whole, renderer, dpi)
    seen = pictures.difference(before, after)
    assert seen is not None
    width_mm, height_mm = SEEN_SIZE.get(shape, (210, 297))
    side = 66 * MM_PER_POINT
    expected = (
        place.left_mm / width_mm,
        place.top_mm / height_mm,
        (place.left_mm + side) / width_mm,
        (place.top_mm + side) / height_mm,
    )
    assert seen == pytest.approx(expected, abs=0.006)
    assert pictures.codes(after) == [address_of(SERIAL)]


SEEN_SIZE = {
    "rotated-90": (297, 210),
    "rotated-270": (297, 210),
    "cropped": (555 * MM_PER_POINT, 770 * MM_PER_POINT),
}


def test_nothing_outside_the_mark_changes_on_the_page() -> None:
    document = letter()
    whole = prepare(document, request(mark(place=MIDDLE))).sealed_with(b"")
    for renderer in pictures.RENDERERS:
        before = pictures.picture(document, renderer, 100)
        after = pictures.picture(whole, renderer, 100)
        side = round(66 * 100 / 72) + 2
        left, top = round(100 / 25.4 * 100) - 1, round(150 / 25.4 * 100) - 1
        after.paste(before.crop((left, top, left + side, top + side)), (left, top))
        assert before.tobytes() == after.tobytes()


@needs_programs
async def test_several_marks_share_one_seal_and_one_revision() -> None:
    serials = [SERIAL[:-1] + sign for sign in "0123456789"]
    marks = [
        mark(serial, Place(1 + place % 2, 20 + 30 * (place // 2), 240))
        for place, serial in enumerate(serials)
    ]
    document = letter(pages=2)
    whole = await sealed(prepare(document, request(*marks)))
    assert disagreeing(whole, f"Meterai-{serials[0]}") == []
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        kinds = [str(note.Subtype) for page in pdf.pages for note in page.Annots]
        signature = pdf.Root.AcroForm.Fields[0].V
        assert sorted(kinds) == ["/Stamp"] * 9 + ["/Widget"]
        assert [str(number) for number in signature["/XXMeterai"].Serials] == serials
    for page in (1, 2):
        seen = pictures.codes(pictures.picture(whole, "poppler", 200, page))
        assert seen == sorted(address_of(number) for number in serials[page - 1 :: 2])


@needs_programs
async def test_a_document_still_to_be_signed_gets_its_empty_fields_under_the_seal() -> None:
    slots = (Slot("penyewa", Place(1, 20, 240), 50, 20), Slot("pemilik", Place(1, 80, 240), 50, 20))
    whole = await sealed(prepare(letter(), request(certify=2, slots=slots)))
    assert disagreeing(whole) == []
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        fields = {str(field.T): field for field in pdf.Root.AcroForm.Fields}
        assert set(fields) == {FIELD, "penyewa", "pemilik"}
        assert "/V" not in fields["penyewa"]
        reference = fields[FIELD].V.Reference[0]
        assert reference.TransformParams.P == 2
        assert pdf.Root.Perms.DocMDP.objgen == fields[FIELD].V.objgen


@needs_programs
async def test_an_approval_leaves_the_document_open() -> None:
    whole = await sealed(prepare(letter(), request(certify=None)))
    assert disagreeing(whole) == []
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        assert "/Perms" not in pdf.Root


_IN_ANOTHER_PROCESS = """
import sys
from world.documents import request, mark, Place
from meterai.pdf.increment import prepare
prepared = prepare(sys.stdin.buffer.read(), request(mark(place=Place(-1, 100, 150))))
sys.stdout.write(prepared.digest.hex())
"""


@pytest.mark.parametrize(
    "shape",
    (
        "classic xref-stream form encrypted-rc4 encrypted-aes128 encrypted-aes256 encrypted-form"
    ).split(),
)
def test_the_same_document_and_request_give_the_same_bytes_in_another_process(shape: str) -> None:
    document = ORDINARY[shape]
    here = prepare(document, request(mark(place=MIDDLE)))
    assert prepare(document, request(mark(place=MIDDLE))) == here
    for hash_seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", _IN_ANOTHER_PROCESS],
            input=document,
            capture_output=True,
            check=True,
            env={
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONHASHSEED": hash_seed,
                "TZ": "Asia/Jayapura",
            },
        )
        assert there.stdout.decode() == here.digest.hex()


@pytest.mark.parametrize(
    ("asked", "road", "digest"),
    [
        (request(), Road.FAST, "f2d780c199580e204cff16ff11cbb15ffba2f935d3d5ea22c30bcf90443cd430"),
        (
            request(certify=None),
            Road.CAREFUL,
            "8c84c1907ff7716642fe1efc6568798881bb94a8a89d211399d034706fbdc2ee",
        ),
    ],
)
def test_the_bytes_of_a_recipe_never_change(asked: Request, road: Road, digest: str) -> None:
    # An affixing that waits over an upgrade must give the digest that was registered. Whoever changes one
    # gives the new way a new number (RECIPE) and, once a version was released with it, keeps the old one.
    document = b"".join(
        (
            b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
            b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
            b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n",
            b"xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \n",
            b"0000000105 00000 n \ntrailer\n<</Size 4/Root 1 0 R>>\nstartxref\n170\n%%EOF\n",
        )
    )
    prepared = prepare(document, asked)
    assert (prepared.road, prepared.digest.hex()) == (road, digest)


@pytest.mark.parametrize(
    "other",
    [
        request(mark(place=Place(-1, 150.01, 220))),
        request(mark(documents.OTHER_SERIAL)),
        request(certify=2),
        request(reason="lain"),
        request(gap_bytes=16386),
    ],
)
def test_another_request_gives_other_bytes(other: Any) -> None:
    assert prepare(letter(), other).digest != prepare(letter(), request()).digest


def test_the_signed_range_is_everything_but_the_seal() -> None:
    prepared = prepare(letter(), request())
    whole = prepared.sealed_with(b"\x30\x82\x00\x01\x00")
    start, first, second, length = prepared.byte_range
    assert (start, second + length) == (0, len(whole))
    assert whole[first:first + 1] + whole[second - 1:second] == b"<>"  # fmt: skip
    assert b"[0 %d %d %d]" % (first, second, length) in whole
    assert whole[first + 1 : first + 11] == b"3082000100"


def test_a_seal_that_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.GapTooSmall):
        prepare(letter(), request(gap_bytes=1024)).sealed_with(bytes(1025))


async def test_a_file_left_by_an_earlier_attempt_is_recognised() -> None:
    prepared = prepare(letter(), request())
    whole = await sealed(prepared)
    assert prepared.is_sealed_in(whole)
    assert not prepared.is_sealed_in(prepared.sealed_with(b""))
    assert not prepared.is_sealed_in(whole[:-1])
    for place in (5, len(letter()) + 3, prepared.gap_end + 4, prepared.gap_end - 5):
        broken = bytearray(whole)
        broken[place] ^= 1
        assert not prepared.is_sealed_in(bytes(broken))
    assert not prepare(letter(), request(certify=2)).is_sealed_in(whole)


def test_signing_time_is_written_with_its_zone() -> None:
    wib = datetime(2026, 11, 24, 14, 5, 9, tzinfo=timezone(timedelta(hours=7)))
    whole = prepare(letter(), Request((mark(),), wib, 4096)).sealed_with(b"")
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        assert str(pdf.Root.AcroForm.Fields[0].V.M) == "D:20261124140509+07'00'"


@pytest.mark.parametrize(
    ("place", "refused"),
    [
        (Place(2, 100, 100), errors.NoSuchPage),
        (Place(0, 100, 100), errors.NoSuchPage),
        (Place(-2, 100, 100), errors.NoSuchPage),
        (Place(1, 200, 100), errors.OutsidePage),
        (Place(1, -5, 100), errors.OutsidePage),
        (Place(1, 100, float("nan")), errors.OutsidePage),
    ],
)
def test_a_place_that_is_not_on_a_page_is_refused(
    place: Place, refused: type[errors.CannotStamp]
) -> None:
    with pytest.raises(refused):
        prepare(letter(), request(mark(place=place)))


def test_a_signature_field_is_never_covered() -> None:
    # the empty field stands at 300..450, 90..140 points: 106 mm from the left, 248 mm from the top
    with pytest.raises(errors.CoversSignature):
        prepare(documents.form(), request(mark(place=Place(1, 120, 240))))
    prepare(documents.form(), request(mark(place=Place(1, 165, 240))))


def test_marks_do_not_stand_on_each_other() -> None:
    marks = (mark(place=Place(1, 50, 50)), mark(documents.OTHER_SERIAL, Place(1, 60, 60)))
    with pytest.raises(errors.MarksOverlap):
        prepare(letter(), request(*marks))
    slot = Slot("lain", Place(1, 55, 55), 20, 20)
    with pytest.raises(errors.MarksOverlap):
        prepare(letter(), request(marks[0], certify=2, slots=(slot,)))


@pytest.mark.parametrize(
    "senseless",
    [
        Request((), documents.SIGNED_AT, 16384),
        request(mark(), mark(place=Place(1, 20, 20))),
        Request((mark(),), datetime(2026, 1, 1), 16384),  # noqa: DTZ001 - that is the point
        request(slots=(Slot("a", Place(1, 1, 1), 20, 20),)),
        request(gap_bytes=10),
        request(mark("abc")),
        request(Mark(SERIAL, "https://m.test/" + "x" * 200, MIDDLE)),
        request(Mark(SERIAL, "https://m.test/", MIDDLE, size_pt=10)),
    ],
)
def test_a_request_without_sense_is_refused(senseless: Request) -> None:
    with pytest.raises(errors.RequestNotUnderstood):
        prepare(letter(), senseless)


def test_a_field_name_is_not_used_twice() -> None:
    slot = Slot("tanda-tangan", Place(1, 20, 20), 20, 20)
    with pytest.raises(errors.NameTaken):
        prepare(documents.form(), request(certify=2, slots=(slot,)))


async def test_a_final_document_takes_no_second_mark() -> None:
    whole = await sealed(prepare(letter(), request()))
    with pytest.raises(errors.AlreadyStamped):
        prepare(whole, request(mark(documents.OTHER_SERIAL, Place(1, 20, 20)), certify=None))


@needs_programs
async def test_a_signed_document_takes_one_mark_as_an_approval() -> None:
    first = await sealed(prepare(letter(), request(certify=None)))
    other = mark(documents.OTHER_SERIAL, Place(1, 20, 240))
    with pytest.raises(errors.RequestNotUnderstood):
        prepare(first, request(other))
    third = mark(SERIAL[:-1] + "0", Place(1, 60, 240))
    with pytest.raises(errors.OneMarkAtATime):
        prepare(first, request(other, third, certify=None))
    whole = await sealed(prepare(first, request(other, certify=None)))
    assert disagreeing(whole, f"Meterai-{documents.OTHER_SERIAL}") == []


def test_an_annotation_array_that_pages_share_shows_the_mark_once() -> None:
    def share(pdf: pikepdf.Pdf) -> None:
        array = pdf.make_indirect(pikepdf.Array([]))
        for page in pdf.pages:
            page.obj.Annots = array

    document = documents.changed(letter(pages=2), share)
    whole = prepare(document, request(mark(place=Place(1, 50, 50)))).sealed_with(b"")
    assert pictures.codes(pictures.picture(whole, "poppler", 150, 1)) == [address_of(SERIAL)]
    assert pictures.codes(pictures.picture(whole, "poppler", 150, 2)) == []


def test_a_lying_size_does_not_overwrite_objects() -> None:
    honest = letter()
    lying = honest.replace(b"/Size 8", b"/Size 4")
    assert lying != honest
    whole = prepare(lying, request()).sealed_with(b"")
    before = pictures.picture(honest, "mupdf", 50)
    after = pictures.picture(whole, "mupdf", 50)
    seen = pictures.difference(before, after)
    assert seen is not None
    assert seen[1] > 0.7  # the mark, and none of the text above it
