from meterai.clock import now
from meterai.pdf.model import Place
from meterai.signing.survival import lost_signatures
from world import documents, pki, signers, tampering
from world.documents import OTHER_SERIAL, letter, mark, request
from world.sealed import sealed


async def test_signatures_survive_an_approval() -> None:
    who = signers.signer(pki.keys_folder())
    signed = await signers.signed(letter(), "penjual", who)
    twice = await signers.signed(signed, "pembeli", who, box=(50, 50, 150, 100))
    assert lost_signatures(twice, await sealed(twice, request(certify=None)), now()) == ()


async def test_our_own_earlier_seal_survives_a_second_stamp() -> None:
    first = await sealed(asked=request(certify=None))
    second = await sealed(first, request(mark(OTHER_SERIAL, Place(1, 20, 240)), certify=None))
    assert lost_signatures(first, second, now()) == ()


async def test_a_signature_that_a_change_breaks_is_named() -> None:
    who = signers.signer(pki.keys_folder())
    signed = await signers.signed(letter(), "penjual", who, box=(50, 50, 150, 100))
    assert lost_signatures(signed, tampering.overlaid(signed), now()) == ("penjual",)
    assert lost_signatures(signed, tampering.flipped(signed, 400), now()) == ("penjual",)


async def test_what_was_broken_before_cannot_be_lost() -> None:
    who = signers.signer(pki.keys_folder())
    signed = await signers.signed(letter(), "penjual", who, box=(50, 50, 150, 100))
    broken = tampering.overlaid(signed)
    assert lost_signatures(broken, await sealed(broken, request(certify=None)), now()) == ()


def test_documents_without_signatures_lose_none() -> None:
    assert lost_signatures(letter(), documents.appended(letter()), now()) == ()
    assert lost_signatures(b"noise", b"noise and more", now()) == ()
