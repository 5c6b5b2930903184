"""The one signed format of every certificate we give out: a compact JWS (RFC 7515) with ES256.

Header: ``alg`` ES256, ``kid`` (RFC 7638 thumbprint), ``typ`` ``meterai-statement+jws``. Payload: ``kind``,
``id``, ``issuer``, ``issued_at``, ``facts``. It is verified offline with the published keys, by anybody's JOSE
library.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import NameOID

from meterai.clock import now
from meterai.ids import new_id
from meterai.signing.errors import KeyNotUsable, StatementNotGenuine
from meterai.signing.keys import FileKey, read_chain

TYPE = "meterai-statement+jws"
SIZE_MAX = 1024 * 1024
_COORDINATE = 32


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed, once the signature was found right."""

    kind: str
    id: str
    issuer: str
    issued_at: datetime
    facts: dict[str, Any]
    key_id: str


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str


class _Payload(msgspec.Struct):
    kind: str
    id: str
    issuer: str
    issued_at: datetime
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatementKey:
    """The key that signs statements, and the certificates of all that ever did."""

    key: FileKey
    certificates: tuple[bytes, ...]
    """In DER, the present one first; the others only verify what was signed before."""
    key_id: str = field(init=False)
    issuer: str = field(init=False)

    def __post_init__(self) -> None:
        private = self.key.private
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise KeyNotUsable(why="statements need a P-256 key")
        object.__setattr__(self, "key_id", _thumbprint(_jwk(self.key.chain[0])))
        object.__setattr__(self, "issuer", _common_name(self.key.chain[0]))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """``statement.key``, ``statement-chain.pem`` and the earlier ones in ``trust/statements.pem``.

        Raises :class:`KeyNotUsable`.
        """
        key = FileKey.load(folder / "statement.key", folder / "statement-chain.pem")
        known = folder / "trust" / "statements.pem"
        earlier = read_chain(known.read_bytes()) if known.exists() else ()
        return cls(key, tuple(dict.fromkeys((key.chain[0], *earlier))))

    def sign(self, kind: str, facts: Mapping[str, object], at: datetime | None = None) -> str:
        """A compact JWS that states these facts; ``at`` is now unless given."""
        payload = {
            "facts": dict(facts),
            "id": str(new_id()),
            "issued_at": at or now(),
            "issuer": self.issuer,
            "kind": kind,
        }
        header = {"alg": "ES256", "kid": self.key_id, "typ": TYPE}
        signed = b".".join(_written(part) for part in (header, payload))
        private = self.key.private
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        der = private.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        signature = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
        return b".".join((signed, _base64(signature))).decode()

    def public_keys(self) -> dict[str, Any]:
        """The key set (RFC 7517) that verifies all our statements, as it is published."""
        return public_keys_of(self.certificates)


def public_keys_of(certificates: Sequence[bytes]) -> dict[str, Any]:
    """The key set of these certificates (DER)."""
    keys = []
    for certificate in certificates:
        jwk = _jwk(certificate)
        extra = {"kid": _thumbprint(jwk), "use": "sig", "alg": "ES256"}
        keys.append(jwk | extra | {"x5c": [base64.b64encode(certificate).decode()]})
    return {"keys": keys}


def verify(jws: str | bytes, keys: Mapping[str, Any]) -> Statement:
    """What the statement says, signed by one of ``keys`` (a JWKS). Raises :class:`StatementNotGenuine`."""
    text = jws.encode() if isinstance(jws, str) else jws.strip()
    if len(text) > SIZE_MAX:
        raise StatementNotGenuine(why="too long")
    parts = text.split(b".")
    if len(parts) != 3:
        raise StatementNotGenuine(why="no compact JWS")
    try:
        header = msgspec.json.decode(_plain(parts[0]), type=_Header)
        signature = _plain(parts[2])
    except (msgspec.DecodeError, ValueError) as error:
        raise StatementNotGenuine(why="malformed") from error
    if header.alg != "ES256" or header.typ != TYPE or len(signature) != 2 * _COORDINATE:
        raise StatementNotGenuine(why="another kind of signature")
    public = _key_named(header.kid, keys)
    der = encode_dss_signature(
        int.from_bytes(signature[:_COORDINATE], "big"),
        int.from_bytes(signature[_COORDINATE:], "big"),
    )
    try:
        public.verify(der, parts[0] + b"." + parts[1], ec.ECDSA(hashes.SHA256()))
        payload = msgspec.json.decode(_plain(parts[1]), type=_Payload)
    except InvalidSignature as error:
        raise StatementNotGenuine(why="signature") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise StatementNotGenuine(why="malformed") from error
    return Statement(
        payload.kind, payload.id, payload.issuer, payload.issued_at, payload.facts, header.kid
    )


def read_unverified(jws: bytes) -> dict[str, Any]:
    """The facts of a statement whose signature nobody has checked. Raises :class:`StatementNotGenuine`."""
    parts = jws.strip().split(b".")
    if len(jws) > SIZE_MAX or len(parts) != 3:
        raise StatementNotGenuine(why="no compact JWS")
    try:
        return msgspec.json.decode(_plain(parts[1]), type=_Payload).facts
    except (msgspec.DecodeError, ValueError) as error:
        raise StatementNotGenuine(why="malformed") from error


def _key_named(key_id: str, keys: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    for jwk in keys.get("keys", ()):
        if jwk.get("kid") == key_id and jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
            try:
                x, y = (int.from_bytes(_plain(jwk[c].encode()), "big") for c in ("x", "y"))
                return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            except (KeyError, ValueError) as error:
                raise StatementNotGenuine(why="published key malformed") from error
    raise StatementNotGenuine(why="signed with an unknown key")


def _jwk(certificate: bytes) -> dict[str, str]:
    """The members that make up the thumbprint, in their order (RFC 7638 §3.2)."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise KeyNotUsable(why="statements need a P-256 key")
    numbers = public.public_numbers()
    x, y = (_base64(n.to_bytes(_COORDINATE, "big")).decode() for n in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def _thumbprint(jwk: dict[str, str]) -> str:
    return _base64(hashlib.sha256(msgspec.json.encode(jwk)).digest()).decode()


def _common_name(certificate: bytes) -> str:
    subject = x509.load_der_x509_certificate(certificate).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else subject.rfc4514_string()


def _written(part: Mapping[str, object]) -> bytes:
    return _base64(msgspec.json.encode(part, order="deterministic"))


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _plain(text: bytes) -> bytes:
    """Base64url without padding, and only that: one content has one spelling."""
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _base64(content) != text:
        raise ValueError("another spelling")
    return content
