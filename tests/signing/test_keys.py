from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from meterai.proving.pki import SEAL, issue
from meterai.signing.errors import KeyNotUsable
from meterai.signing.keys import Algorithm, FileKey, pem_of, prove, public_der, read_chain
from world import pki


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def test_a_key_from_a_file_signs_for_its_certificate() -> None:
    key = pki.seal_key()
    prove(key.chain[0], await key.sign(b"pesan"), b"pesan")
    assert key.algorithm is Algorithm.RSA
    assert len(key.chain) == 3


def test_a_key_that_belongs_to_another_certificate_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.key"
    file.write_bytes(pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(KeyNotUsable):
        FileKey.load(file, pki.keys_folder() / "seal-chain.pem")


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1()])
def test_an_unusual_curve_is_refused(curve: ec.EllipticCurve, tmp_path: Path) -> None:
    key = ec.generate_private_key(curve)
    (tmp_path / "k").write_bytes(pem(key))
    certificate = issue(SEAL, None, key=key).certificate
    (tmp_path / "c").write_bytes(certificate.public_bytes(Encoding.PEM))
    with pytest.raises(KeyNotUsable):
        FileKey.load(tmp_path / "k", tmp_path / "c")


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)
    (tmp_path / "k").write_bytes(pem(key))
    certificate = issue(SEAL, None, key=key).certificate
    (tmp_path / "c").write_bytes(certificate.public_bytes(Encoding.PEM))
    with pytest.raises(KeyNotUsable):
        FileKey.load(tmp_path / "k", tmp_path / "c")


def test_a_text_without_certificates_is_refused() -> None:
    with pytest.raises(KeyNotUsable):
        read_chain(b"bukan sertifikat")


def test_a_chain_survives_being_written() -> None:
    chain = pki.seal_key().chain
    assert read_chain(pem_of(chain)) == chain


def test_the_public_key_of_a_certificate_is_its_own() -> None:
    certificate = x509.load_der_x509_certificate(pki.seal_key().chain[0])
    assert public_der(pki.seal_key().chain[0]).endswith(
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[-32:]
    )
