"""Signing and checking messages between servers: RSA with SHA-256 over bytes, in base64."""

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


class MessageKey:
    """Our key for signing messages to a partner."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    @classmethod
    def load(cls, file: Path) -> "MessageKey":
        """The key in a PEM file."""
        key = load_pem_private_key(file.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey)
        return cls(key)

    def sign(self, message: bytes) -> str:
        """SHA256withRSA (PKCS #1 v1.5) in base64."""
        return base64.b64encode(self._key.sign(message, padding.PKCS1v15(), SHA256())).decode()


class PartnerKey:
    """A partner's public key, for checking their messages."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key

    @classmethod
    def load(cls, file: Path) -> "PartnerKey":
        """The key in a PEM file."""
        key = load_pem_public_key(file.read_bytes())
        assert isinstance(key, rsa.RSAPublicKey)
        return cls(key)

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether the partner signed this message."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, message, padding.PKCS1v15(), SHA256())
        except (binascii.Error, InvalidSignature):
            return False
        return True


def make_pair(private: Path, public: Path) -> None:
    """A fresh pair of keys stands in two PEM files; the private one is for its owner only."""
    key = rsa.generate_private_key(65537, 2048)
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private.touch(0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
