"""How a file was altered is said in words; what only travels inside a document alters nothing."""

import asyncio
import io
from collections.abc import Callable

import pikepdf
import pytest

from attacks import structural
from meterai.signing.report import Change, Outcome, Reason
from world import tampering
from world.documents import letter
from world.sealed import judged, sealed

WHOLE = asyncio.run(sealed())


@pytest.mark.parametrize(
    ("done", "change"),
    [
        (tampering.overlaid, Change.OVERLAID),
        (tampering.annotated, Change.OVERLAID),
        (structural.content_replaced, Change.OVERLAID),
        (structural.font_replaced, Change.OVERLAID),
        (structural.mark_replaced, Change.OVERLAID),
        (structural.page_added, Change.OVERLAID),
        (structural.catalogue_replaced, Change.OVERLAID),
        (structural.information_changed, Change.APPENDED),
        (structural.attachment_added, Change.APPENDED),
        (structural.comment_appended, Change.APPENDED),
        (structural.noughts_appended, Change.APPENDED),
        (lambda whole: whole + b"junk", Change.APPENDED),
        (tampering.resaved, Change.RESAVED),
        (structural.by_mutool, Change.RESAVED),
        (lambda whole: tampering.flipped(whole, whole.index(b"stream\n") + 30), Change.CONTENT),
        (tampering.SEAL["signature flipped"][0], Change.SEAL),
    ],
)
def test_what_was_done_is_said(done: Callable[[bytes], bytes], change: Change) -> None:
    report = judged(done(WHOLE))
    assert (report.outcome, report.change) == (Outcome.ALTERED, change)


@pytest.mark.parametrize("done", [tampering.overlaid, structural.attachment_added])
def test_what_was_sealed_is_still_there_and_sound(done: Callable[[bytes], bytes]) -> None:
    changed = done(WHOLE)
    end = judged(changed).last_good_bytes
    assert end is not None
    assert changed[:end] == WHOLE
    assert judged(changed[:end]).outcome is Outcome.SOUND


def test_an_untouched_stamp_was_not_changed() -> None:
    assert judged(WHOLE).change is None
    assert judged(letter()).change is None


def carrying(inside: bytes) -> bytes:
    """A letter with a file attached as it is, uncompressed."""
    with pikepdf.open(io.BytesIO(letter(text="Lampiran"))) as pdf:
        pdf.attachments["bermeterai.pdf"] = pikepdf.AttachedFileSpec(pdf, inside)
        out = io.BytesIO()
        pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert inside in out.getvalue()
    return out.getvalue()


def test_a_letter_that_carries_a_stamped_file_is_no_altered_stamp() -> None:
    report = judged(carrying(WHOLE))
    assert (report.outcome, report.reasons) == (Outcome.NO_SEAL, (Reason.NO_SEAL,))


async def test_a_stamped_letter_that_carries_a_stamped_file_is_sound() -> None:
    assert judged(await sealed(carrying(WHOLE))).outcome is Outcome.SOUND


def test_a_seal_of_ours_without_its_field_is_still_a_damaged_one() -> None:
    with pikepdf.open(io.BytesIO(WHOLE)) as pdf:
        (field,) = [f for f in pdf.Root.AcroForm.Fields if "/V" in f]
        seal = field.V
        del pdf.Root.AcroForm
        pdf.pages[0].obj.Annots = pikepdf.Array()
        pdf.Root.Lama = seal
        out = io.BytesIO()
        pdf.save(out)
    assert judged(out.getvalue()).outcome is Outcome.ALTERED
