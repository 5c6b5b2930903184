"""A time-stamp answer of the ordinary shape, read and checked in a fraction of the careful reader's time.

It accepts or does not know. Whatever is unusual, and whatever is wrong, is left to
:func:`meterai.signing.tokens.read_token`, which says why: nothing is accepted here that it would refuse.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from meterai.signing.der import SEQUENCE, SET, Element, element_at, elements_in, oid, tlv
from meterai.signing.tokens import Token

_INTEGER, _OCTETS, _OID, _BOOLEAN, _TIME = 0x02, 0x04, 0x06, 0x01, 0x18
_NULL = b"\x05\x00"
_SIGNED_DATA = oid("1.2.840.113549.1.7.2")
_TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_BOUND_V2 = oid("1.2.840.113549.1.9.16.2.47")
_PROTECTION = oid("1.2.840.113549.1.9.52")
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


class _Unusual(Exception):
    """For the careful reader."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to be known of a pinned certificate, worked out once."""

    der: bytes
    sha256: bytes
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
    digest = hashlib.sha256(der).digest()
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    return name, _Known(der, digest, public, begins, ends)


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
    status, token = _inside(answer, _whole(answer))
    (granted,) = _inside(answer, status)
    if _raw(answer, granted) not in (b"\x02\x01\x00", b"\x02\x01\x01"):
        raise _Unusual
    return _raw(answer, token)


def _read(der: bytes, imprint: bytes, pinned: Pinned) -> Token:
    content, signer = _taken_apart(der)
    version, sid, digest_algorithm, attributes, algorithm, signature = _inside(der, signer)
    if _raw(der, version) != b"\x02\x01\x01" or attributes[0] != 0xA0 or signature[0] != _OCTETS:
        raise _Unusual
    known = pinned.named(_raw(der, sid))
    name = _DIGESTS.get(_raw(der, digest_algorithm))
    if name is None:
        raise _Unusual
    _check_attributes(der, attributes, known, hashlib.new(name, content).digest())
    signed = b"\x31" + _raw(der, attributes)[1:]
    _verify(known, _raw(der, algorithm), name, _value(der, signature), signed)
    return _info(content, imprint, known)


def _taken_apart(der: bytes) -> tuple[bytes, Element]:
    """What was stamped (TSTInfo in DER), and the one signer."""
    kind, explicit = _inside(der, _whole(der))
    if _raw(der, kind) != _SIGNED_DATA or explicit[0] != 0xA0:
        raise _Unusual
    (data,) = _inside(der, explicit)
    _version, _digests, content, *middle, signers = _inside(der, data)
    if len(middle) > 1 or any(part[0] != 0xA0 for part in middle) or signers[0] != SET:
        raise _Unusual
    (signer,) = _inside(der, signers)
    kind, wrapped = _inside(der, content)
    if _raw(der, kind) != _TST_INFO or wrapped[0] != 0xA0:
        raise _Unusual
    (inner,) = _inside(der, wrapped)
    if inner[0] != _OCTETS or signer[0] != SEQUENCE:
        raise _Unusual
    return _value(der, inner), signer


def _check_attributes(der: bytes, attributes: Element, known: _Known, digest: bytes) -> None:
    found: dict[bytes, Element] = {}
    for attribute in _inside(der, attributes):
        kind, values = _inside(der, attribute)
        name = _raw(der, kind)
        (value,) = _inside(der, values)
        if name in found or values[0] != SET:
            raise _Unusual
        found[name] = value
    if _PROTECTION in found or not {_CONTENT_TYPE, _MESSAGE_DIGEST, _BOUND_V2} <= found.keys():
        raise _Unusual
    if _raw(der, found[_CONTENT_TYPE]) != _TST_INFO:
        raise _Unusual
    said = found[_MESSAGE_DIGEST]
    if said[0] != _OCTETS or _value(der, said) != digest:
        raise _Unusual
    first = _inside(der, _inside(der, _inside(der, found[_BOUND_V2])[0])[0])
    if _raw(der, first[0]) in _DIGESTS:
        if _DIGESTS[_raw(der, first[0])] != "sha256":
            raise _Unusual
        first = first[1:]
    if first[0][0] != _OCTETS or _value(der, first[0]) != known.sha256:
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
    tags = [part[0] for part in rest]
    if (
        _raw(content, version) != b"\x02\x01\x01"
        or (policy[0], said[0], number[0], time[0]) != (_OID, SEQUENCE, _INTEGER, _TIME)
        or tags != [tag for tag in _AFTER_TIME if tag in tags]
    ):
        raise _Unusual
    algorithm, value = _inside(content, said)
    if _DIGESTS.get(_raw(content, algorithm)) != "sha256" or _value(content, value) != imprint:
        raise _Unusual
    moment = _moment(_value(content, time))
    if value[0] != _OCTETS or not known.begins <= moment <= known.ends:
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
    if bool(point) != bool(fraction) or len(fraction) > 6 or (fraction and not fraction.isdecimal()):
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


def _inside(data: bytes, element: Element) -> list[Element]:
    if not element[0] & 0x20:
        raise _Unusual
    return elements_in(data, element[2], element[3])


def _raw(data: bytes, element: Element) -> bytes:
    return data[element[1] : element[3]]


def _value(data: bytes, element: Element) -> bytes:
    return data[element[2] : element[3]]
