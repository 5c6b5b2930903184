import pytest

from meterai.pdf import errors
from meterai.pdf.increment import prepare
from meterai.pdf.inspection import Verdict, inspect, repair
from meterai.pdf.model import Place
from meterai.pdf.road import Road
from meterai.proving import judges
from world import documents, hostile, pictures
from world.documents import SERIAL, letter, mark, request
from world.pki import sealer, trust_folder

BROKEN = {
    "junk in front": b"HTTP/1.1 200 OK\r\n\r\n" + letter(pages=2),
    "no end": letter(pages=2)[:-300],
    "no cross-references": letter(pages=2).replace(b"startxref", b"startxxxx"),
    "a version that is none": letter(pages=2).replace(b"%PDF-1.3", b"%PDF-1.x"),
    "no header": letter(pages=2).replace(b"%PDF-1.3", b"% hello!"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_is_repaired_to_one_that_looks_the_same(name: str) -> None:
    found = inspect(BROKEN[name])
    assert found.verdict is Verdict.REPAIR
    assert found.size_bytes == len(BROKEN[name])
    whole = repair(BROKEN[name])
    assert inspect(whole).verdict is Verdict.ACCEPT
    for page in (1, 2):
        seen = pictures.picture(whole, "mupdf", 50, page)
        assert seen.tobytes() == pictures.picture(letter(pages=2), "mupdf", 50, page).tobytes()


@pytest.mark.parametrize("name", BROKEN)
def test_the_same_document_is_repaired_to_the_same_bytes(name: str) -> None:
    assert repair(BROKEN[name]) == repair(BROKEN[name])


@pytest.mark.skipif(
    bool(judges.missing_programs()), reason=f"not installed: {judges.missing_programs()}"
)
@pytest.mark.parametrize("name", BROKEN)
async def test_a_repaired_document_takes_the_fast_road_and_satisfies_five_validators(
    name: str,
) -> None:
    prepared = prepare(repair(BROKEN[name]), request(mark(place=Place(-1, 100, 150))))
    assert prepared.road is Road.FAST
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    said = judges.judge(whole, f"Meterai-{SERIAL}", trust_folder())
    assert [one for one in said if not one.good] == []


async def test_what_is_signed_is_never_repaired() -> None:
    prepared = prepare(letter(), request())
    whole = prepared.sealed_with(await sealer().seal(prepared.digest))
    with pytest.raises(errors.SignatureDamaged):
        repair(b"junk" + whole)
    assert inspect(b"junk" + whole).verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    "document",
    [
        b"junk" + documents.encrypted(letter(), "aes128"),
        b"junk" + hostile.bomb(),
        b"junk" + hostile.zip_polyglot(),
        b"junk",
        b"",
    ],
)
def test_what_is_locked_hostile_or_no_document_is_not_repaired(document: bytes) -> None:
    assert inspect(document).verdict is Verdict.REFUSE
