"""Keeping things secret at rest, all from one secret of the installation: encryption, blind index, short codes.

Every purpose has a key of its own (HKDF-SHA256), so that what is made for one can never pass for another.
"""

import base64
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
SHORT_MAC_BITS = 40
_VERSION = b"\x01"
_NONCE_BYTES = 12


class Vault:
    """Locks and unlocks with the keys derived from ``secret``."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError("the secret of an installation has at least 32 bytes")
        self._secret = secret
        self._cipher = AESGCM(self._key(b"encryption at rest"))
        self._short = self._key(b"short codes")

    @classmethod
    def make_secret(cls, file: Path) -> None:
        """The file holds a secret that only its owner can read; one that is there is kept."""
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(os.urandom(SECRET_BYTES))
            stream.flush()
            os.fsync(stream.fileno())

    def _key(self, purpose: bytes) -> bytes:
        derivation = HKDF(hashes.SHA256(), 32, salt=b"meterai vault 1", info=purpose)
        return derivation.derive(self._secret)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypted and authenticated (AES-256-GCM, a random nonce); it opens only under the same context."""
        nonce = os.urandom(_NONCE_BYTES)
        return b"".join((_VERSION, nonce, self._cipher.encrypt(nonce, plain, _VERSION + context)))

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed. Raises ``ValueError`` when anything was changed or the context is another."""
        if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_BYTES + 16:
            raise ValueError("not sealed by this vault")
        nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, content, _VERSION + context)
        except InvalidTag as error:
            raise ValueError("changed, or sealed for another context") from error

    def blind_index(self, value: bytes, purpose: bytes) -> bytes:
        """A keyed digest of 32 bytes: equal values are found by it, and it tells nothing of them."""
        return hmac.digest(self._key(b"blind index: " + purpose), value, "sha256")

    def short_mac(self, value: bytes) -> str:
        """Eight signs of base32 (40 bits) that nobody else can make for this value; for QR codes.

        A guess succeeds once in 10^12: enough behind a door that counts guesses, and for nothing more.
        """
        digest = hmac.digest(self._short, value, "sha256")
        return base64.b32encode(digest[: SHORT_MAC_BITS // 8]).decode()

    def is_short_mac(self, value: bytes, said: str) -> bool:
        """``said`` is the short code of ``value``; small letters are forgiven."""
        return hmac.compare_digest(self.short_mac(value).encode(), said.upper().encode())
