import pytest

from meterai.proving import judges
from world import documents, tampering
from world.documents import SERIAL, letter
from world.pki import trust_folder
from world.sealed import sealed

FIELD = f"Meterai-{SERIAL}"

pytestmark = pytest.mark.skipif(
    bool(judges.missing_programs()), reason=f"not installed: {judges.missing_programs()}"
)


def dissenting(whole: bytes, field: str = FIELD) -> set[str]:
    return {said.judge for said in judges.judge(whole, field, trust_folder()) if not said.good}


async def test_all_agree_on_a_good_stamp() -> None:
    assert dissenting(await sealed()) == set()


@pytest.mark.parametrize(
    ("attack", "dissent"),
    [
        # each of the five can say no, and none of them sees everything
        ("page content flipped", {"pyhanko", "pdfsig", "mutool", "qpdf", "openssl"}),
        ("signing time changed", {"pyhanko", "pdfsig", "mutool", "openssl"}),
        ("signature flipped", {"pyhanko", "pdfsig", "mutool", "openssl"}),
        ("text overlaid", {"pyhanko", "pdfsig", "mutool"}),
    ],
)
async def test_they_reject_what_they_can_see(attack: str, dissent: set[str]) -> None:
    changed = tampering.CHANGES[attack][0](await sealed())
    assert dissenting(changed) == dissent


def test_a_document_without_a_seal_satisfies_only_the_structure_checker() -> None:
    assert dissenting(letter()) == {"pyhanko", "pdfsig", "mutool", "openssl"}


def test_what_was_wrong_before_is_not_held_against_the_stamp() -> None:
    shifted = letter().replace(b"\nendobj", b"\n\nendobj", 2)
    assert judges.source_code(letter()) == 0
    assert judges.source_code(shifted) == 3
    assert judges.source_code(documents.encrypted(letter(), "aes256", user="x")) == 2
