"""The key that seals, and the certificates that say whose it is. A file here; a device in ``device.py``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from meterai.signing.errors import KeyNotUsable

QUESTION = b"is this my certificate?"
"""What a key signs when it is loaded, so that it proves to be that of its certificate."""


class Algorithm(Enum):
    """How a seal is signed; the digest is SHA-256 always."""

    RSA = "sha256WithRSAEncryption"
    """RSASSA-PKCS1-v1_5 with 2048, 3072 or 4096 bits."""
    ECDSA = "ecdsa-with-SHA256"
    """On P-256 or P-384; the signature is the DER pair of r and s."""


class SealKey(Protocol):
    """A private key and the certificates that say whose it is."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Certificates in DER, that of the key first."""

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""

    async def sign(self, message: bytes) -> bytes:
        """The signature over ``message``. Raises :class:`meterai.signing.errors.SignerUnavailable`."""


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class FileKey:
    """A private key that was read from a PEM file."""

    chain: tuple[bytes, ...]
    algorithm: Algorithm
    private: PrivateKey

    @classmethod
    def load(cls, key_file: Path, chain_file: Path) -> Self:
        """The key in ``key_file`` (PEM, no password) with the certificates in ``chain_file``.

        Raises :class:`KeyNotUsable`.
        """
        chain = read_chain(chain_file.read_bytes())
        # Checking an RSA key costs 35 ms; here the signature below proves that key and certificate match.
        try:
            private = load_pem_private_key(
                key_file.read_bytes(), None, unsafe_skip_rsa_key_validation=True
            )
        except (ValueError, TypeError) as error:  # TypeError: it has a password
            raise KeyNotUsable(why="no private key") from error
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise KeyNotUsable(why=type(private).__name__)
        key = cls(chain, algorithm_of(chain[0]), private)
        prove(chain[0], key.sign_now(QUESTION), QUESTION)
        return key

    def sign_now(self, message: bytes) -> bytes:
        """The signature over ``message``, at once."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))

    async def sign(self, message: bytes) -> bytes:
        """See :class:`SealKey`."""
        if isinstance(self.private, rsa.RSAPrivateKey) and self.private.key_size > 2048:
            return await asyncio.to_thread(self.sign_now, message)  # RSA-4096 takes milliseconds
        return self.sign_now(message)


def read_chain(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM text in DER, in their order. Raises :class:`KeyNotUsable`."""
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise KeyNotUsable(why="no certificate") from error
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates)


def algorithm_of(certificate: bytes) -> Algorithm:
    """How a key with this certificate signs. Raises :class:`KeyNotUsable` for weak or unusual keys."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    match public:
        case rsa.RSAPublicKey(key_size=2048 | 3072 | 4096):
            return Algorithm.RSA
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()):
            return Algorithm.ECDSA
    raise KeyNotUsable(why=type(public).__name__)


def prove(certificate: bytes, signature: bytes, message: bytes) -> None:
    """The key of this certificate made this signature. Raises :class:`KeyNotUsable`."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            raise KeyNotUsable(why=type(public).__name__)
    except InvalidSignature as error:
        raise KeyNotUsable(why="the certificate belongs to another key") from error


def public_der(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, in DER."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem_of(chain: Sequence[bytes]) -> bytes:
    """Certificates as one PEM text."""
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in chain)
