"""A seal and its time stamp, taken apart by their bytes: strict DER (ITU-T X.690), one signer, nothing extra.

Everything but digest, signature and time makes up the *form*, which :mod:`meterai.signing.own.anchors`
remembers once the careful reader has accepted it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from meterai.signing.der import SEQUENCE, SET, octets, oid, tlv
from meterai.signing.oids import (
    DATA,
    MESSAGE_DIGEST,
    SHA256,
    SIGNED_DATA,
    SIGNING_TIME,
    TIME_STAMP_TOKEN,
    TST_INFO,
)
from meterai.signing.own.anchors import Anchors, Signer
from meterai.signing.own.syntax import Unfamiliar
from meterai.signing.signed_data import (
    BadSignedData,
    SignedData,
    check_signature,
    read_signed_data,
)
from meterai.signing.tokens import read_token

_DATA = tlv(SEQUENCE, DATA)
_DIGESTS = {
    "sha256": SHA256,
    "sha384": oid("2.16.840.1.101.3.4.2.2"),
    "sha512": oid("2.16.840.1.101.3.4.2.3"),
}
_INTEGER, _OCTETS, _SET_OF_SIGNED, _EXPLICIT = 0x02, 0x04, 0xA0, 0xA0
_CERTIFICATES, _UNSIGNED = 0xA0, 0xA1
_OID, _GENERALIZED_TIME = 0x06, 0x18
_AFTER_TIME = (SEQUENCE, 0x01, _INTEGER, 0xA0)
"""Accuracy, ordering, nonce and authority may follow in a time stamp, in this order (RFC 3161 §2.4.2)."""


def _element(der: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the contents of the element at ``at`` begin and end."""
    try:
        if der[at] != tag:
            raise Unfamiliar
        size = der[at + 1]
        start = at + 2
        if size >= 0x80:
            count = size & 0x7F
            size = int.from_bytes(der[start : start + count], "big")
            start += count
            if not 0 < count < 4 or size < 0x80 or size >> 8 * (count - 1) == 0:
                raise Unfamiliar
    except IndexError as error:
        raise Unfamiliar from error
    if start + size > len(der):
        raise Unfamiliar
    return start, start + size


def _only(der: bytes, at: int, tag: int, end: int) -> int:
    """Where the contents of an element begin that ends at ``end``, too."""
    start, found = _element(der, at, tag)
    if found != end:
        raise Unfamiliar
    return start


def _after(der: bytes, at: int, what: bytes) -> int:
    if not der.startswith(what, at):
        raise Unfamiliar
    return at + len(what)


@dataclass(frozen=True, slots=True)
class Parts:
    """A signature with one signer, in parts; nothing about it was checked."""

    form: bytes
    """Everything but what differs from one signature to the next."""
    head: bytes
    """Version and digest algorithms of the whole, which nothing signs."""
    algorithms: tuple[bytes, bytes, bytes]
    """Version, digest and signature algorithm of the signer, which nothing signs either."""
    content: bytes | None
    message_digest: bytes
    attributes: bytes
    """What was signed."""
    signature: bytes
    unsigned: bytes | None
    """The unsigned attributes, without their tag."""


Cut = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the parts of a signature stand that differ, and every byte around them.

    A signature of the same length that is the same around the same places would be walked the same way, so it
    need not be walked: strict DER says how long everything is.
    """

    cuts: tuple[Cut, ...]
    """What differs: content, digest, signing time, signature, unsigned attributes; in order, some missing."""
    around: tuple[tuple[int, int, bytes], ...]
    """The stretches between them."""
    parts: Parts
    """Of the one that was walked."""
    content: int | None
    digest: int
    signature: int
    unsigned: int | None
    """Which cut is which."""
    attributes: Cut
    """The signed attributes, without their tag."""

    def fit(self, der: bytes) -> Parts | None:
        """The parts of ``der`` if it has this shape."""
        for start, end, same in self.around:
            if der[start:end] != same:
                return None
        cuts = self.cuts
        start, end = self.attributes
        known = self.parts
        return Parts(
            known.form,
            known.head,
            known.algorithms,
            None if self.content is None else der[slice(*cuts[self.content])],
            der[slice(*cuts[self.digest])],
            b"\x31" + der[start:end],
            der[slice(*cuts[self.signature])],
            None if self.unsigned is None else der[slice(*cuts[self.unsigned])],
        )


def take_apart(der: bytes, anchors: Anchors | None = None) -> Parts:
    """The parts of a CMS SignedData. Raises :class:`Unfamiliar`.

    With ``anchors`` a shape that was walked before is known again.
    """
    if anchors is None:
        return _walk(der)[0]
    for shape in anchors.shapes_of(len(der)):
        assert isinstance(shape, Shape)
        known = shape.fit(der)
        if known is not None:
            return known
    parts, shape = _walk(der)
    if anchors.signer(parts.form) is not None:  # only of signers that were accepted
        anchors.remember(len(der), shape)
    return parts


def _walk(der: bytes) -> tuple[Parts, Shape]:
    """The same, element by element."""
    start = _after(der, _only(der, 0, SEQUENCE, len(der)), SIGNED_DATA)
    start = _only(der, _only(der, start, _EXPLICIT, len(der)), SEQUENCE, len(der))
    _, after_version = _element(der, start, _INTEGER)
    _, after_digests = _element(der, after_version, SET)
    content, after_content = _content(der, after_digests)
    encapsulated = None if content is None else (content, after_content)
    _, after_certificates = _element(der, after_content, _CERTIFICATES)
    signers = _only(der, after_certificates, SET, len(der))
    signer = _only(der, signers, SEQUENCE, len(der))
    _, after_signer_version = _element(der, signer, _INTEGER)
    # a key identifier as [0] is nothing we write
    _, before_digest = _element(der, after_signer_version, SEQUENCE)
    _, before_attributes = _element(der, before_digest, SEQUENCE)
    first, after_attributes = _element(der, before_attributes, _SET_OF_SIGNED)
    digest, moments, kept = _attributes(der, first, after_attributes)
    _, after_algorithm = _element(der, after_attributes, SEQUENCE)
    signature, end = _element(der, after_algorithm, _OCTETS)
    form = (
        der[start:after_digests]
        + (_DATA if encapsulated is None else TST_INFO)
        + der[after_content:after_certificates]
        + der[signer:before_attributes]
        + kept
        + der[after_attributes:after_algorithm]
    )
    unsigned = None if end == len(der) else (_only(der, end, _UNSIGNED, len(der)), len(der))
    parts = Parts(
        form=form,
        head=der[start:after_digests],
        algorithms=(
            der[signer:after_signer_version],
            der[before_digest:before_attributes],
            der[after_attributes:after_algorithm],
        ),
        content=None if encapsulated is None else der[slice(*encapsulated)],
        message_digest=der[slice(*digest)],
        attributes=b"\x31" + der[before_attributes + 1 : after_attributes],
        signature=der[signature:end],
        unsigned=None if unsigned is None else der[slice(*unsigned)],
    )
    cuts = sorted(
        cut for cut in (encapsulated, digest, *moments, (signature, end), unsigned) if cut
    )
    return parts, Shape(
        tuple(cuts),
        tuple(_around(der, cuts)),
        parts,
        None if encapsulated is None else cuts.index(encapsulated),
        cuts.index(digest),
        cuts.index((signature, end)),
        None if unsigned is None else cuts.index(unsigned),
        (before_attributes + 1, after_attributes),
    )


def _around(der: bytes, cuts: Sequence[Cut]) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    for start, end in [*cuts, (len(der), len(der))]:
        yield at, start, der[at:start]
        at = end


def _content(der: bytes, at: int) -> tuple[int | None, int]:
    """Where what is encapsulated begins and ends: nothing in a seal, the information in a time stamp."""
    if der.startswith(_DATA, at):
        return None, at + len(_DATA)
    start, end = _element(der, at, SEQUENCE)
    start = _only(der, _after(der, start, TST_INFO), _EXPLICIT, end)
    return _only(der, start, _OCTETS, end), end


def _attributes(der: bytes, at: int, end: int) -> tuple[Cut, list[Cut], bytes]:
    """Where the digest and signing times stand among the signed attributes, and the others as they stand."""
    digest: Cut | None = None
    moments: list[Cut] = []
    kept: list[bytes] = []
    while at < end:
        start, after = _element(der, at, SEQUENCE)
        if der.startswith(MESSAGE_DIGEST, start) and digest is None:
            value = _only(der, start + len(MESSAGE_DIGEST), SET, after)
            digest = _only(der, value, _OCTETS, after), after
            kept.append(MESSAGE_DIGEST)
        elif der.startswith(SIGNING_TIME, start):
            kept.append(SIGNING_TIME)
            moments.append((start + len(SIGNING_TIME), after))
        else:
            kept.append(der[at:after])
        at = after
    if digest is None or at != end:
        raise Unfamiliar
    return digest, moments, b"".join(kept)


def signer_of_seal(der: bytes, parts: Parts, anchors: Anchors, at: datetime) -> Signer:
    """Whose seal this is: a pinned signer. Raises :class:`Unfamiliar`."""
    known = anchors.signer(parts.form)
    if known is not None:
        return known
    try:
        data = read_signed_data(der)
        if (
            data.certificate not in anchors.trust.seals
            or data.digest_algorithm != "sha256"
            or data.content_type != "data"
            or parts.content is not None
        ):
            raise Unfamiliar
        check_signature(data, parts.message_digest)
        _check_unsigned(parts, data)
        return anchors.accept(parts.form, data, at)
    except BadSignedData as error:
        raise Unfamiliar from error


def time_of(parts: Parts, anchors: Anchors, at: datetime) -> datetime:
    """What the authority says that witnessed the seal; everything about its token holds.

    Raises :class:`Unfamiliar`.
    """
    if parts.unsigned is None:
        raise Unfamiliar
    end = len(parts.unsigned)
    start = _only(parts.unsigned, 0, SEQUENCE, end)
    start = _only(parts.unsigned, _after(parts.unsigned, start, TIME_STAMP_TOKEN), SET, end)
    token = parts.unsigned[start:]
    imprint = hashlib.sha256(parts.signature).digest()
    inner = take_apart(token, anchors)
    if inner.content is None or inner.unsigned is not None:
        raise Unfamiliar
    signer = anchors.signer(inner.form)
    if signer is None:
        signer = _accept_authority(token, inner, imprint, anchors, at)
    moment = _time_in(inner.content, imprint)
    digest = hashlib.new(signer.content_digest, inner.content).digest()
    began, ends = signer.valid
    if (
        digest != inner.message_digest
        or not began <= moment <= ends
        or not signer.standing.holds(at, at)
        or not signer.signed(inner.attributes, inner.signature)
    ):
        raise Unfamiliar
    return moment


def _accept_authority(
    token: bytes, inner: Parts, imprint: bytes, anchors: Anchors, at: datetime
) -> Signer:
    try:
        read_token(token, imprint, anchors.trust.time_stamps)
        data = read_signed_data(token, anchors.trust.time_stamps)
        _check_unsigned(inner, data)
        return anchors.accept(inner.form, data, at)
    except BadSignedData as error:
        raise Unfamiliar from error


_VERSIONS = (b"\x02\x01\x01", b"\x02\x01\x03")
_NULL = b"\x05\x00"
_SIGNATURES = (
    *(tlv(SEQUENCE, oid(f"1.2.840.113549.1.1.{n}"), _NULL) for n in (1, 11, 12, 13)),
    *(tlv(SEQUENCE, oid(f"1.2.840.10045.4.3.{n}")) for n in (2, 3, 4)),
)
"""RSA (PKCS#1 v1.5) and ECDSA with SHA-2, as RFC 5754 writes them."""


def _check_unsigned(parts: Parts, data: SignedData) -> None:
    """What no signature covers says nothing unusual either. Raises :class:`Unfamiliar`."""
    named = _DIGESTS[data.digest_algorithm]
    allowed = (tlv(SEQUENCE, named), tlv(SEQUENCE, named, _NULL))
    version, digest, signature = parts.algorithms
    if (
        parts.head[:3] not in _VERSIONS
        or parts.head[3:] not in [tlv(SET, one) for one in allowed]
        or version != _VERSIONS[0]
        or digest not in allowed
        or signature not in _SIGNATURES
    ):
        raise Unfamiliar


def _imprints(imprint: bytes) -> tuple[bytes, bytes]:
    """Of SHA-256, with and without the NULL that RFC 5754 §2 leaves free."""
    return (
        tlv(SEQUENCE, tlv(SEQUENCE, SHA256), octets(imprint)),
        tlv(SEQUENCE, tlv(SEQUENCE, SHA256, b"\x05\x00"), octets(imprint)),
    )


def _time_in(info: bytes, imprint: bytes) -> datetime:
    end = len(info)
    place = _after(info, _only(info, 0, SEQUENCE, end), b"\x02\x01\x01")
    _, place = _element(info, place, _OID)
    bare, full = _imprints(imprint)
    place = _after(info, place, bare if info.startswith(bare, place) else full)
    _, place = _element(info, place, _INTEGER)
    start, place = _element(info, place, _GENERALIZED_TIME)
    moment = moment_of(info[start:place])
    for tag in _AFTER_TIME:
        if place < end and info[place] == tag:
            _, place = _element(info, place, tag)
    if place != end:
        raise Unfamiliar
    return moment


def moment_of(said: bytes) -> datetime:
    """``YYYYMMDDhhmmssZ``, perhaps with parts of a second. Raises :class:`Unfamiliar`."""
    digits, _, parts = said[:-1].partition(b".")
    if len(digits) != 14 or said[-1:] != b"Z" or not (digits + parts).isdigit() or len(parts) > 6:
        raise Unfamiliar
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:14])
    fraction = int(parts.ljust(6, b"0") or b"0")
    try:
        return datetime(year, month, day, hour, minute, second, fraction, UTC)
    except ValueError as error:
        raise Unfamiliar from error
