import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.proving.pki import ISSUING, SEAL, Issued, issue, read_issued
from meterai.signing.der import oid, small_integer, tlv
from meterai.signing.errors import SealTooLarge, TimeStampUnavailable
from meterai.signing.keys import Algorithm, FileKey, PrivateKey, algorithm_of
from meterai.signing.seal import Sealer
from meterai.signing.signed_data import BadSignedData, check_signature, read_signed_data
from meterai.signing.time_stamps import Authority, TimeStamps
from world import pki

CONTENT = b"isi dokumen"
DIGEST = hashlib.sha256(CONTENT).digest()


def issuing() -> Issued:
    folder = pki.keys_folder()
    return read_issued(folder / "issuing.key", folder / "issuing.pem")


def key_of(private: PrivateKey) -> FileKey:
    leaf = issue(SEAL, issuing(), key=private).certificate.public_bytes(Encoding.DER)
    above = pki.seal_key().chain[1:]
    return FileKey((leaf, *above), algorithm_of(leaf), private)


KEYS: dict[str, Callable[[], PrivateKey]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


def openssl_accepts(seal: bytes, folder: Path) -> bool:
    (folder / "seal.p7s").write_bytes(seal)
    (folder / "content").write_bytes(CONTENT)
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any",
         "-in", folder / "seal.p7s", "-content", folder / "content",
         "-CAfile", pki.trust_folder() / "roots.pem", "-out", "/dev/null"],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("kind", KEYS)
async def test_a_seal_of_every_kind_of_key_holds_for_openssl_and_for_us(
    kind: str, tmp_path: Path
) -> None:
    sealer = pki.sealer(key_of(KEYS[kind]()))
    seal = await sealer.seal(DIGEST)
    assert len(seal) <= sealer.gap_bytes
    assert openssl_accepts(seal, tmp_path)
    data = read_signed_data(seal)
    check_signature(data, DIGEST)
    with pytest.raises(BadSignedData, match="content_altered"):
        check_signature(data, hashlib.sha256(b"lain").digest())


def elements(content: bytes) -> list[bytes]:
    """The DER elements in ``content``; definite and shortest lengths are demanded (X.690 §10.1)."""
    found, place = [], 0
    while place < len(content):
        first, start = content[place + 1], place + 2
        size = first
        if first >= 0x80:
            count = first & 0x7F
            size = int.from_bytes(content[start : start + count], "big")
            start += count
            assert 0 < count < 4
            assert size >= 0x80
            assert size >> 8 * (count - 1)
        assert start + size <= len(content)
        found.append(content[place : start + size])
        place = start + size
    return found


def inside(element: bytes) -> bytes:
    first = element[1]
    return element[2 + (first & 0x7F if first >= 0x80 else 0) :]


def check_der(element: bytes) -> None:
    if not element[0] & 0x20:
        return
    below = elements(inside(element))
    if element[0] == 0x31:
        assert below == sorted(below)
    for one in below:
        check_der(one)


async def test_a_seal_is_der_to_the_last_bit() -> None:
    (seal,) = elements(await pki.sealer().seal(DIGEST))
    check_der(seal)
    _, explicit = elements(inside(seal))
    *_, certificates, signers = elements(inside(inside(explicit)))
    (signer,) = elements(inside(signers))
    signed = next(one for one in elements(inside(signer)) if one[0] == 0xA0)
    for implicit_set in (certificates, signed):
        assert elements(inside(implicit_set)) == sorted(elements(inside(implicit_set)))


async def test_a_seal_has_what_pades_asks_for_and_no_signing_time() -> None:
    data = read_signed_data(await pki.sealer().seal(DIGEST))
    assert set(data.attributes) == {
        "content_type",
        "message_digest",
        "signing_certificate_v2",
        "cms_algorithm_protection",
    }
    assert data.time_stamp is not None
    assert data.certificate == pki.seal_key().chain[0]
    assert set(data.certificates) == set(pki.seal_key().chain)


async def test_a_seal_is_never_made_without_its_time_stamp() -> None:
    silent = httpx.AsyncClient(transport=pki.answering(lambda _: httpx.Response(503)))
    stamps = TimeStamps(silent, [Authority("http://tsa.test/")], [pki.stamper().key.chain[0]])
    with pytest.raises(TimeStampUnavailable):
        await Sealer(pki.seal_key(), stamps).seal(DIGEST)


async def test_a_sealer_without_authorities_says_so_by_having_none() -> None:
    data = read_signed_data(await Sealer(pki.seal_key(), None).seal(DIGEST))
    assert data.time_stamp is None


async def test_the_gap_is_the_same_for_every_seal_of_a_key_and_grows_with_its_chain() -> None:
    assert pki.sealer().gap_bytes == 16384
    key = pki.seal_key()
    long = FileKey(
        (key.chain[0], *(der + bytes(6000) for der in key.chain[1:])), key.algorithm, key.private
    )
    assert Sealer(long, None).gap_bytes > 16384


async def test_a_seal_larger_than_its_gap_is_not_handed_out() -> None:
    sealer = pki.sealer()
    sealer.gap_bytes = 4096
    with pytest.raises(SealTooLarge):
        await sealer.seal(DIGEST)


async def test_every_flipped_byte_of_what_was_signed_is_found() -> None:
    seal = await Sealer(pki.seal_key(), None).seal(DIGEST)
    data = read_signed_data(seal)
    for part in (data.certificate, data.attributes_der[1:], data.signature):
        start = seal.index(part)
        for place in range(start, start + len(part), 3):
            broken = bytearray(seal)
            broken[place] ^= 1
            with pytest.raises(BadSignedData):
                check_signature(read_signed_data(bytes(broken)), DIGEST)


async def test_a_certificate_swapped_for_another_of_the_same_key_is_found() -> None:
    # Same key, same issuer, another certificate: the signature is right, but it names its certificate.
    key = pki.seal_key()
    other = issue(SEAL, issuing(), key=key.private).certificate.public_bytes(Encoding.DER)
    sealed = await Sealer(key, None).seal(DIGEST)
    forged = await Sealer(FileKey((other, *key.chain[1:]), Algorithm.RSA, key.private), None).seal(
        DIGEST
    )
    data, swapped = read_signed_data(sealed), read_signed_data(forged)
    mixed = type(data)(
        content_type=data.content_type,
        content=data.content,
        certificate=swapped.certificate,
        certificates=data.certificates,
        digest_algorithm=data.digest_algorithm,
        signature_algorithm=data.signature_algorithm,
        signature=data.signature,
        attributes=data.attributes,
        attributes_der=data.attributes_der,
        time_stamp=None,
    )
    with pytest.raises(BadSignedData, match="certificate_not_bound"):
        check_signature(mixed, DIGEST)


@pytest.mark.parametrize(
    "junk", [b"", b"\x30\x00", b"\x30\x80", b"\x05\x00", bytes(100), b"PK\3\4"]
)
def test_what_is_no_signature_is_malformed(junk: bytes) -> None:
    with pytest.raises(BadSignedData):
        read_signed_data(junk)


def test_der_lengths_and_identifiers_are_shortest() -> None:
    assert tlv(4, bytes(127))[:2] == b"\x04\x7f"
    assert tlv(4, bytes(128))[:3] == b"\x04\x81\x80"
    assert tlv(4, bytes(70000))[:5] == b"\x04\x83\x01\x11\x70"
    assert oid("1.2.840.113549.1.7.2") == bytes.fromhex("06092a864886f70d010702")
    assert oid("2.16.840.1.101.3.4.2.1") == bytes.fromhex("0609608648016503040201")
    assert small_integer(1) == b"\x02\x01\x01"


def test_the_demo_seal_says_that_it_is_one() -> None:
    subject = x509.Certificate.load(pki.seal_key().chain[0]).subject.native
    assert "CONTOH Meterai Elektronik" in subject["common_name"]
    assert ISSUING.name.startswith("CONTOH")
