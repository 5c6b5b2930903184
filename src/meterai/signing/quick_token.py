"""A time-stamp answer of the ordinary shape, read and checked in a fraction of the careful reader's time.

It accepts or does not know. Whatever is unusual, and whatever is wrong, is left to
:func:`meterai.signing.tokens.read_token`, which says why: nothing is accepted here that it would refuse.
The certificates that ride along with an answer are nearly always the same bytes; they are passed only after
the careful reader has passed the same ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from meterai.signing.der import SEQUENCE, SET, Element, element_at, elements_in, octets, oid, tlv
from meterai.signing.oids import (
    ALGORITHM_PROTECTION,
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TST_INFO,
)
from meterai.signing.tokens import Token

_INTEGER, _OCTETS, _OID, _BOOLEAN, _TIME = 0x02, 0x04, 0x06, 0x01, 0x18
_NULL = b"\x05\x00"
_HASH_OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_DIGESTS = {
    tlv(SEQUENCE, oid(dotted), after): name
    for name, dotted in _HASH_OIDS.items()
    for after in (b"", _NULL)
}
_RSA = {
    tlv(SEQUENCE, oid(f"1.2.840.113549.1.1.{last}"), _NULL): name
    for last, name in ((11, "sha256"), (12, "sha384"), (13, "sha512"))
}
_ECDSA = {
    tlv(SEQUENCE, oid(f"1.2.840.10045.4.3.{last}")): name
    for last, name in ((2, "sha256"), (3, "sha384"), (4, "sha512"))
}


_RIDERS_MAX = 16
"""Sets of certificates that are remembered; authorities change theirs once in years."""


class _Unusual(Exception):
    """For the careful reader."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to be known of a pinned certificate, worked out once."""

    der: bytes
    bindings: tuple[bytes, ...]
    """The ordinary values of SigningCertificateV2 (RFC 5035 §3) that name it: shortest, with issuer and number,
    or with the digest's default written out."""
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    begins: datetime
    ends: datetime


class Pinned:
    """The certificates of the authorities whose time is believed, ready to be recognised."""

    def __init__(self, certificates: Sequence[bytes]) -> None:
        self.certificates = tuple(certificates)
        self._by_name = {
            name: known for name, known in map(_known, certificates) if known is not None
        }
        self._passed: dict[bytes, None] = {}

    def pass_riders(self, token: bytes) -> None:
        """The careful reader took this token: the certificates that ride along may come again."""
        try:
            riders = _taken_apart(token)[1]
        except (_Unusual, ValueError, IndexError):
            return
        self._passed[riders] = None
        while len(self._passed) > _RIDERS_MAX:
            self._passed.pop(next(iter(self._passed)))

    def check_riders(self, riders: bytes) -> None:
        """These certificates were passed before."""
        if riders not in self._passed:
            raise _Unusual

    def named(self, signer: bytes) -> _Known:
        """The one whose issuer and number are these, in DER."""
        found = self._by_name.get(signer)
        if found is None:
            raise _Unusual
        return found


def _known(der: bytes) -> tuple[bytes, _Known | None]:
    certificate = asn1_x509.Certificate.load(der)
    number = certificate["tbs_certificate"]["serial_number"].dump()
    name = tlv(SEQUENCE, certificate.issuer.dump(), number)
    usage = certificate.extended_key_usage_value
    public = x509.load_der_x509_certificate(der).public_key()
    strong = (isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048) or isinstance(
        public, ec.EllipticCurvePublicKey
    )
    may_stamp = (
        usage is not None
        and usage.native == ["time_stamping"]
        and "extended_key_usage" in certificate.critical_extensions
    )
    if not strong or not may_stamp:
        return name, None
    assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    return name, _Known(
        der, _bindings(der, certificate.issuer.dump(), number), public, begins, ends
    )


def _bindings(der: bytes, issuer: bytes, number: bytes) -> tuple[bytes, ...]:
    digest = octets(hashlib.sha256(der).digest())
    named = tlv(SEQUENCE, tlv(SEQUENCE, tlv(0xA4, issuer)), number)
    return tuple(
        tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, algorithm, digest, where)))
        for algorithm in (b"", *(der for der, name in _DIGESTS.items() if name == "sha256"))
        for where in (b"", named)
    )


class Answer(NamedTuple):
    """A granted answer whose token holds."""

    token: bytes
    said: Token


def read_answer(answer: bytes, imprint: bytes, pinned: Pinned) -> Answer | None:
    """The token in a time-stamp response over ``imprint`` (SHA-256), or None: ask the careful reader."""
    try:
        token = _token_in(answer)
        return Answer(token, _read(token, imprint, pinned))
    except (_Unusual, ValueError, IndexError, InvalidSignature):
        return None


def _token_in(answer: bytes) -> bytes:
    status, token = _inside(answer, _whole(answer), SEQUENCE, SEQUENCE)
    (granted,) = _inside(answer, status, _INTEGER)
    if _value(answer, granted) not in (b"\x00", b"\x01"):
        raise _Unusual
    return _raw(answer, token)


def _read(der: bytes, imprint: bytes, pinned: Pinned) -> Token:
    content, riders, signer = _taken_apart(der)
    pinned.check_riders(riders)
    version, sid, digest_algorithm, attributes, algorithm, signature = _inside(
        der, signer, _INTEGER, SEQUENCE, SEQUENCE, 0xA0, SEQUENCE, _OCTETS
    )
    known = pinned.named(_raw(der, sid))
    name = _DIGESTS.get(_raw(der, digest_algorithm))
    if name is None or _value(der, version) != b"\x01":
        raise _Unusual
    _check_attributes(der, attributes, known, hashlib.new(name, content).digest())
    signed = b"\x31" + _raw(der, attributes)[1:]
    _verify(known, _raw(der, algorithm), name, _value(der, signature), signed)
    return _info(content, imprint, known)


def _taken_apart(der: bytes) -> tuple[bytes, bytes, Element]:
    """What was stamped (TSTInfo in DER), the certificates that ride along, and the one signer."""
    kind, explicit = _inside(der, _whole(der), _OID, 0xA0)
    (data,) = _inside(der, explicit, SEQUENCE)
    version, digests, content, riders, signers = _inside(
        der, data, _INTEGER, SET, SEQUENCE, 0xA0, SET
    )
    (digest,) = _inside(der, digests, SEQUENCE)
    (signer,) = _inside(der, signers, SEQUENCE)
    if (
        _raw(der, kind) != SIGNED_DATA
        or _value(der, version) != b"\x03"
        or _raw(der, digest) not in _DIGESTS
    ):
        raise _Unusual
    kind, wrapped = _inside(der, content, _OID, 0xA0)
    (inner,) = _inside(der, wrapped, _OCTETS)
    if _raw(der, kind) != TST_INFO:
        raise _Unusual
    return _value(der, inner), _raw(der, riders), signer


def _check_attributes(der: bytes, attributes: Element, known: _Known, digest: bytes) -> None:
    found: dict[bytes, Element] = {}
    for attribute in _inside(der, attributes):
        if attribute[0] != SEQUENCE:
            raise _Unusual
        kind, values = _inside(der, attribute, _OID, SET)
        name = _raw(der, kind)
        (value,) = _inside(der, values)
        if name in found:
            raise _Unusual
        found[name] = value
    if (
        ALGORITHM_PROTECTION in found
        or not {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2} <= found.keys()
    ):
        raise _Unusual
    if (
        _raw(der, found[CONTENT_TYPE]) != TST_INFO
        or _raw(der, found[MESSAGE_DIGEST]) != octets(digest)
        or _raw(der, found[SIGNING_CERTIFICATE_V2]) not in known.bindings
    ):
        raise _Unusual


def _verify(known: _Known, algorithm: bytes, name: str, signature: bytes, signed: bytes) -> None:
    public = known.public
    if isinstance(public, rsa.RSAPublicKey):
        # plain rsaEncryption leaves the digest to the other field
        if _RSA.get(algorithm) != name and algorithm != _PLAIN_RSA:
            raise _Unusual
        public.verify(signature, signed, padding.PKCS1v15(), _HASHES[name])
    else:
        by = _ECDSA.get(algorithm)
        if by is None:
            raise _Unusual
        public.verify(signature, signed, ec.ECDSA(_HASHES[by]))


_PLAIN_RSA = tlv(SEQUENCE, oid("1.2.840.113549.1.1.1"), _NULL)


def _info(content: bytes, imprint: bytes, known: _Known) -> Token:
    """TSTInfo (RFC 3161 §2.4.2)."""
    version, policy, said, number, time, *rest = _inside(content, _whole(content))
    tags = tuple(part[0] for part in (version, policy, said, number, time))
    later = [part[0] for part in rest]
    if (
        tags != (_INTEGER, _OID, SEQUENCE, _INTEGER, _TIME)
        or later != [tag for tag in _AFTER_TIME if tag in later]
        or _value(content, version) != b"\x01"
    ):
        raise _Unusual
    algorithm, value = _inside(content, said, SEQUENCE, _OCTETS)
    if _DIGESTS.get(_raw(content, algorithm)) != "sha256" or _value(content, value) != imprint:
        raise _Unusual
    moment = _moment(_value(content, time))
    if not known.begins <= moment <= known.ends:
        raise _Unusual
    nonce = next((part for part in rest if part[0] == _INTEGER), None)
    return Token(
        moment,
        known.der,
        None if nonce is None else int.from_bytes(_value(content, nonce), "big", signed=True),
        _dotted(_raw(content, policy)),
    )


_AFTER_TIME = (SEQUENCE, _BOOLEAN, _INTEGER, 0xA0)
"""Accuracy, ordering, nonce, name of the authority; extensions are for the careful reader."""


def _moment(text: bytes) -> datetime:
    """A GeneralizedTime as RFC 3161 §2.4.2 wants it: in UTC, seconds, perhaps a fraction."""
    whole, point, fraction = text.decode("ascii").removesuffix("Z").partition(".")
    if len(whole) != 14 or not whole.isdecimal() or not text.endswith(b"Z"):
        raise _Unusual
    if (
        bool(point) != bool(fraction)
        or len(fraction) > 6
        or (fraction and not fraction.isdecimal())
    ):
        raise _Unusual
    seconds = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return seconds + timedelta(microseconds=int(fraction.ljust(6, "0")))


@lru_cache(maxsize=64)
def _dotted(policy: bytes) -> str:
    said: str = core.ObjectIdentifier.load(policy, strict=True).dotted
    return said


def _whole(data: bytes) -> Element:
    """The one SEQUENCE that is all of ``data``."""
    element = element_at(data, 0)
    if element[0] != SEQUENCE or element[3] != len(data):
        raise _Unusual
    return element


def _inside(data: bytes, element: Element, *tags: int) -> list[Element]:
    """The elements within; with exactly these ``tags``, where some are given."""
    if not element[0] & 0x20:
        raise _Unusual
    found = elements_in(data, element[2], element[3])
    if tags and tuple(part[0] for part in found) != tags:
        raise _Unusual
    return found


def _raw(data: bytes, element: Element) -> bytes:
    return data[element[1] : element[3]]


def _value(data: bytes, element: Element) -> bytes:
    return data[element[2] : element[3]]
