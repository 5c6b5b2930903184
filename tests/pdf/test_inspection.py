import io
import multiprocessing
import os
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.errors import Refused
from meterai.pdf import errors
from meterai.pdf.findings import NOTES, Finding, Note, error_of, sentence_of
from meterai.pdf.increment import prepare
from meterai.pdf.inspection import Encryption, Inspection, Limits, SealAs, Verdict, inspect, repair
from meterai.pdf.model import Place
from world import documents, hostile
from world.documents import SERIAL, letter, mark, request
from world.pki import sealer

ORDINARY = dict(documents.ordinary())
CPU_SECONDS = 8
MEMORY = 1 << 30


def codes(found: Inspection) -> set[str]:
    return {finding.code for finding in found.findings}


def refused_with(document: bytes, **limits: int) -> str:
    found = inspect(document, Limits(**limits))
    assert found.verdict is Verdict.REFUSE
    assert found.seal_as is None
    error = found.refusal()
    assert isinstance(error, errors.CannotStamp)
    return error.code


def cured(document: bytes) -> str:
    """What a repair would cure."""
    found = inspect(document)
    assert found.verdict is Verdict.REPAIR
    assert found.refusal() is None
    assert "repaired" in codes(found)
    return found.cured


@pytest.mark.parametrize("shape", ORDINARY)
def test_an_ordinary_document_is_accepted_and_can_really_be_stamped(shape: str) -> None:
    found = inspect(ORDINARY[shape])
    assert found.refusal() is None
    assert found.verdict in {Verdict.ACCEPT, Verdict.ACCEPT_WITH_NOTE}
    assert found.seal_as is SealAs.CERTIFY
    prepare(ORDINARY[shape], request(mark(place=Place(-1, 100, 150))))


def test_a_plain_letter_gives_no_cause_for_a_note() -> None:
    found = inspect(letter(pages=3))
    assert found.verdict is Verdict.ACCEPT
    assert found.findings == ()
    assert (found.pages, found.revisions, found.version) == (3, 1, "1.3")
    assert found.encryption is Encryption.NONE


@pytest.mark.parametrize(
    ("shape", "size", "rotation"),
    [
        ("classic", (210, 297), 0),
        ("f4", (215, 330), 0),
        ("legal", (215.9, 355.6), 0),
        ("rotated-90", (297, 210), 90),
        ("rotated-180", (210, 297), 180),
        ("cropped", (195.8, 271.6), 0),
        ("user-unit", (210, 297), 0),
    ],
)
def test_pages_are_described_as_a_reader_sees_them(
    shape: str, size: tuple[float, float], rotation: int
) -> None:
    seen = inspect(ORDINARY[shape]).shapes[0]
    assert (seen.width_mm, seen.height_mm) == pytest.approx(size, abs=0.1)
    assert seen.rotation == rotation


def test_the_result_crosses_a_process_border_unharmed() -> None:
    for document in (*ORDINARY.values(), hostile.with_scripts(), b"x", hostile.bomb()):
        found = inspect(document)
        assert msgspec.json.decode(msgspec.json.encode(found), type=Inspection) == found


@pytest.mark.parametrize("kind", ["rc4", "aes128", "aes256"])
def test_a_document_without_a_real_password_stays_encrypted_and_says_so(kind: str) -> None:
    found = inspect(documents.encrypted(letter(), kind))
    assert found.encryption is Encryption.EMPTY_PASSWORD
    assert codes(found) == {"empty_password"}


@pytest.mark.parametrize("kind", ["rc4", "aes128", "aes256"])
def test_a_document_with_a_password_is_refused(kind: str) -> None:
    assert refused_with(documents.encrypted(letter(), kind, user="rahasia")) == "password_needed"


def test_earlier_revisions_are_counted_and_linearizing_is_none() -> None:
    assert inspect(documents.two_revisions()).revisions == 2
    assert "several_revisions" in codes(inspect(documents.two_revisions()))
    assert inspect(ORDINARY["linearized"]).revisions == 1


def test_scripts_programs_and_attachments_are_noted() -> None:
    assert codes(inspect(hostile.with_scripts())) == {"javascript", "launch", "embedded_files"}


def test_a_page_larger_than_a3_is_noted_and_a3_is_not() -> None:
    a3 = (297 * documents.MM, 420 * documents.MM)
    assert codes(inspect(letter(a3))) == set()
    assert codes(inspect(letter((a3[1], a3[0])))) == set()
    assert codes(inspect(letter((a3[1], a3[1])))) == {"large_page"}


def test_an_empty_signature_field_is_seen_where_the_reader_sees_it() -> None:
    found = inspect(documents.form())
    assert "signature_fields" in codes(found)
    (seen,) = found.signature_boxes
    box = seen.box
    assert seen.page == 1
    assert (box.left_mm, box.top_mm, box.width_mm, box.height_mm) == pytest.approx(
        (105.8, 247.6, 52.9, 17.6), abs=0.1
    )


async def test_a_signed_document_is_to_be_approved() -> None:
    prepared = prepare(letter(), request(certify=None))
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    found = inspect(whole)
    assert found.seal_as is SealAs.APPROVE
    assert codes(found) == {"already_signed", "several_revisions"}
    assert [(s.field, s.kind) for s in found.signatures] == [
        (f"Meterai-{SERIAL}", "ETSI.CAdES.detached")
    ]
    assert found.serials == (SERIAL,)
    assert found.certified is None


@pytest.mark.parametrize("level", [1, 2])
async def test_a_document_under_our_final_seal_is_refused_with_its_serial(level: int) -> None:
    prepared = prepare(letter(), request(certify=level))
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    found = inspect(whole)
    assert found.verdict is Verdict.REFUSE
    assert found.refusal().code == "already_stamped"  # type: ignore[union-attr]
    assert found.serials == (SERIAL,)
    assert found.certified == level


async def test_a_document_certified_by_others_is_refused() -> None:
    prepared = prepare(letter(), request())
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    theirs = whole.replace(b"(Meterai-", b"(Kontrak-")
    assert theirs != whole
    assert refused_with(theirs) == "certified"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "not_a_pdf"),
        (b"PK\x03\x04halo", "not_a_pdf"),
        (b"%PDF", "not_a_pdf"),
        (letter() + b"x" * 2000, "polyglot"),
        (hostile.zip_polyglot(), "polyglot"),
        (b"%PDF-1.7\n", "pdf_unreadable"),
        (documents.changed(letter(), lambda pdf: pdf.pages.__delitem__(0)), "no_pages"),
        (letter((60, 60)), "no_room_for_mark"),
        (hostile.dynamic_form(), "dynamic_form"),
    ],
)
def test_each_reason_to_refuse_has_its_code(document: bytes, code: str) -> None:
    assert refused_with(document) == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"\xef\xbb\xbf" + letter(), "junk_before_header"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + letter(), "junk_before_header"),
        (letter()[:-300], "pdf_unreadable"),
        (letter().replace(b"%PDF-1.3", b"%PDF-1.x"), "pdf_unreadable"),
    ],
)
def test_what_writing_it_anew_cures_is_repaired_and_not_refused(document: bytes, code: str) -> None:
    assert cured(document) == code


def test_a_document_above_the_size_limit_is_not_even_read() -> None:
    found = inspect(b"x" * 2048, Limits(size_bytes=1024))
    error = found.refusal()
    assert error is not None
    assert error.code == "document_too_large"
    assert error.sentence("id") == "Ukuran berkas 2 KB; paling besar 1 KB."


def test_a_few_stray_bytes_at_the_end_are_only_noted() -> None:
    assert codes(inspect(letter() + b"\n\0\0\n")) == set()
    assert "trailing_bytes" in codes(inspect(letter() + b"scan oleh aplikasi X"))


def test_limits_on_pages_and_objects_hold() -> None:
    assert refused_with(letter(pages=5), pages=4) == "document_too_complex"
    assert refused_with(letter(pages=5), objects=10) == "document_too_complex"
    assert refused_with(letter(pages=5), unpacked_bytes=500) == "document_inflates"


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "bomb": (hostile.bomb, {"document_inflates"}),
    "bomb of three layers": (lambda: hostile.bomb(3), {"document_inflates"}),
    "bomb of five layers": (lambda: hostile.bomb(5), {"document_inflates"}),
    "object stream bomb": (hostile.object_stream_bomb, {"document_inflates"}),
    "LZW bomb": (hostile.lzw_bomb, {"document_inflates"}),
    "run length bomb": (hostile.run_length_bomb, {"document_inflates"}),
    "picture bomb": (hostile.picture_bomb, {"document_inflates"}),
    "page loop": (hostile.page_loop, {"pdf_unreadable"}),
    "page ladder": (hostile.page_ladder, {"pdf_unreadable", "document_too_complex"}),
    "page fan": (hostile.page_fan, {"pdf_unreadable", "document_too_complex"}),
    "nested annotations": (hostile.nested_annotations, {"document_too_complex", "pdf_unreadable"}),
    "cross-reference loop": (hostile.xref_loop, {"pdf_unreadable"}),
    "huge size": (hostile.huge_size, {"pdf_unreadable"}),
    "endless cross-references": (hostile.endless_xref, {"pdf_unreadable"}),
    "root that is itself": (hostile.root_that_is_itself, {"pdf_unreadable"}),
    "many objects": (hostile.many_objects, {"document_too_complex"}),
    # harmless oddities: nothing in them is looked at
    "nested array": (hostile.nested, {""}),
    "field loop": (hostile.field_loop, {""}),
    "length loop": (hostile.length_loop, {""}),
}


def _inspect_in_bounds(document: bytes, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    found = inspect(document)
    error = found.refusal()
    answer.send(found.cured if error is None else error.code)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_answered_within_bounds(name: str) -> None:
    make, expected = HOSTILE[name]
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=_inspect_in_bounds, args=(make(), there)
    )
    child.start()
    there.close()
    try:
        code = here.recv()
    except EOFError:
        pytest.fail("the inspection died of its limits")
    finally:
        child.join()
    assert code in expected


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_document_is_answered_never_raised(data: st.DataObject) -> None:
    shapes = ("classic", "xref-stream", "form", "encrypted-aes256")
    broken = bytearray(ORDINARY[data.draw(st.sampled_from(shapes))])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(broken) - 1))
        broken[place] = data.draw(st.integers(0, 255))
    found = inspect(bytes(broken))
    if found.refusal() is None:
        document = bytes(broken) if found.verdict is not Verdict.REPAIR else repair(bytes(broken))
        prepare(document, request(mark(place=Place(1, 5, 5)), certify=None))


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_noise_is_refused(noise: bytes) -> None:
    assert inspect(b"%PDF-1.7\n" + noise).verdict is Verdict.REFUSE


def test_every_code_has_sentences_and_a_next_step_in_both_languages() -> None:
    facts: dict[str, str | int] = {
        "size_kb": 1, "limit_kb": 2, "page": 3, "pages": 4, "name": "a", "why": "b", "field": "c"
    }  # fmt: skip
    for code, known in errors.BY_CODE.items():
        error = error_of(Finding(code, refuses=True, facts=facts))
        assert isinstance(error, known)
        assert isinstance(error, Refused)
        for language in ("id", "en"):
            assert error.sentence(language)
            assert error.advice(language)
    assert len(errors.BY_CODE) > 20
    assert set(NOTES) == set(Note)
    assert sentence_of(Finding("javascript", refuses=False)) == "Berkas ini berisi skrip."


def test_a_page_that_stands_twice_in_the_document_is_not_marked() -> None:
    with pikepdf.open(io.BytesIO(letter(pages=2))) as pdf:
        number = pdf.Root.Pages.objgen[0]
        kids = [kid.objgen[0] for kid in pdf.Root.Pages.Kids]
    listed = b" ".join(b"%d 0 R" % kid for kid in (kids[0], kids[1], kids[0]))
    twice = documents.appended(
        letter(pages=2), (number, b"<</Type/Pages/Count 3/Kids[%b]>>" % listed)
    )
    with pytest.raises(errors.SharedPage):
        prepare(twice, request(mark(place=Place(1, 20, 20))))
    prepare(twice, request(mark(place=Place(2, 20, 20))))
    assert inspect(twice).unmarkable_pages == (1, 3)


def test_a_page_cropped_to_nothing_is_not_marked_and_the_others_are() -> None:
    def shrink(pdf: pikepdf.Pdf) -> None:
        pdf.pages[1].obj.CropBox = pikepdf.Array([700, 900, 1000, 1000])

    document = documents.changed(letter(pages=3), shrink)
    found = inspect(document)
    assert found.refusal() is None
    assert found.unmarkable_pages == (2,)


def test_a_document_of_such_pages_alone_is_refused() -> None:
    def shrink(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.CropBox = pikepdf.Array([700, 900, 1000, 1000])

    assert refused_with(documents.changed(letter(), shrink)) == "pdf_unreadable"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/ByteRange", b"/ByteRang "),
        (b"/Contents <3082", b"/Contents <0082"),
    ],
)
async def test_a_damaged_signature_is_nothing_to_build_on(old: bytes, new: bytes) -> None:
    prepared = prepare(letter(), request(certify=None))
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    broken = whole.replace(old, new)
    assert broken != whole
    assert refused_with(broken) == "signature_damaged"


def test_boxes_without_area_count_as_none() -> None:
    nothing = (0, 0, 0, 0)
    uncropped = inspect(documents.with_boxes(letter(), (0, 0, *documents.A4), nothing))
    assert uncropped.shapes[0].width_mm == pytest.approx(210, abs=0.1)
    assert inspect(documents.with_boxes(letter(), nothing, None)).shapes[
        0
    ].width_mm == pytest.approx(8.5 * 25.4, abs=0.1)
