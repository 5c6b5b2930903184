"""The key that seals: a file, or a device spoken to by PKCS#11. Loaded once, it never leaves its place."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, Self

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from meterai.signing.errors import KeyNotUsable, SignerUnavailable

_QUESTION = b"is this my certificate?"


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
        """The signature over ``message``. Raises :class:`SignerUnavailable`."""


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
        private = load_pem_private_key(
            key_file.read_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise KeyNotUsable(why=type(private).__name__)
        key = cls(chain, algorithm_of(chain[0]), private)
        prove(chain[0], key.sign_now(_QUESTION), _QUESTION)
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


_ONE_CALL = threading.Lock()
"""python-pkcs11 initialises a library as one that is never called by two threads, so no two threads do."""


class Pkcs11Key:
    """A private key that never leaves its device; session and key handle are kept open.

    Calls take turns within a process: more at once means more processes. A session that failed is thrown
    away and the next caller opens a new one; a PIN that was refused once is never tried again, for devices
    lock themselves.
    """

    def __init__(self, device: "_Device", chain: tuple[bytes, ...]) -> None:
        self.chain = chain
        self.algorithm = algorithm_of(chain[0])
        self._device = device
        self._handle: _Handle | None = None
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls, module: Path, *, token: str, label: str, pin: str, chain: Path) -> Self:
        """The key called ``label`` on the device called ``token``, spoken to through the library ``module``.

        Raises :class:`SignerUnavailable`, and :class:`KeyNotUsable` when the certificates in ``chain`` belong
        to another key.
        """
        key = cls(_Device(module, token, label, pin), read_chain(chain.read_bytes()))
        prove(key.chain[0], key.sign_now(_QUESTION), _QUESTION)
        return key

    async def sign(self, message: bytes) -> bytes:
        """See :class:`SealKey`."""
        async with self._turn:  # so that only one thread waits for the device
            return await asyncio.to_thread(self.sign_now, message)

    def sign_now(self, message: bytes) -> bytes:
        """The signature over ``message``, at once. Raises :class:`SignerUnavailable`."""
        with _ONE_CALL:
            handle = self._handle or self._device.connect()
            try:
                signature = self._signed(handle, message)
            except pkcs11.PKCS11Error as error:
                self._handle = None
                handle.close()
                raise SignerUnavailable from error
            self._handle = handle
            return signature

    def _signed(self, handle: "_Handle", message: bytes) -> bytes:
        if self.algorithm is Algorithm.RSA:
            return bytes(handle.key.sign(message, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
        # The raw mechanism: many devices, SoftHSM among them, know no ECDSA that hashes by itself.
        digest = hashlib.sha256(message).digest()
        pair = bytes(handle.key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        half = len(pair) // 2
        r, s = int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big")
        return encode_dss_signature(r, s)

    def close(self) -> None:
        """The session is closed; a later signature opens another."""
        with _ONE_CALL:
            if self._handle is not None:
                self._handle.close()
            self._handle = None


@dataclass(frozen=True, slots=True)
class _Handle:
    """A session with the key found in it."""

    session: Any
    key: Any

    def close(self) -> None:
        with contextlib.suppress(pkcs11.PKCS11Error):  # a lost session cannot be closed either
            self.session.close()


class _Device:
    """Opens sessions on one token."""

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        self._module = module
        self._token = token
        self._label = label
        self._pin = pin
        self._refused = False

    def connect(self) -> _Handle:
        """A new session, signed in. Raises :class:`SignerUnavailable`."""
        if self._refused:
            raise SignerUnavailable
        try:
            return self._connect()
        except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinInvalid) as error:
            self._refused = True
            raise SignerUnavailable from error
        except (pkcs11.PKCS11Error, OSError) as error:
            raise SignerUnavailable from error

    def _connect(self) -> _Handle:
        token = pkcs11.lib(str(self._module)).get_token(token_label=self._token)
        try:
            session = token.open(user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:  # another key of this process did it for all
            session = token.open()
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label)
        return _Handle(session, key)


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
