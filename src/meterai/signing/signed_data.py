"""Reading CMS SignedData (RFC 5652) the strict way: one signer, each attribute once, certificate bound."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms, x509
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class BadSignedData(Exception):
    """The structure is not one signature that can be judged, or the signature does not hold.

    ``why`` is a stable word: it becomes a reason code.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A signature with one signer, taken apart; nothing about it has been checked yet."""

    content_type: str
    content: bytes | None
    """The encapsulated content, if there is one."""
    certificate: bytes
    """Of the signer, in DER."""
    certificates: tuple[bytes, ...]
    digest_algorithm: str
    signature_algorithm: Any
    signature: bytes
    attributes: dict[str, Any]
    """Signed attributes by name; each occurs once and has one value."""
    attributes_der: bytes
    """What was signed: the attributes as a SET OF."""
    time_stamp: bytes | None
    """The token of the signature time stamp (ETSI EN 319 122-1 §5.3)."""


def read_signed_data(der: bytes, known: Sequence[bytes] = ()) -> SignedData:
    """The one signature in ``der``; its certificate is looked for inside and among ``known``.

    Raises :class:`BadSignedData` for anything unusual.
    """
    try:
        return _read(der, known)
    except BadSignedData:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # asn1crypto decodes lazily and raises whatever the bytes make it stumble over
        raise BadSignedData("cms_malformed") from error


def _read(der: bytes, known: Sequence[bytes]) -> SignedData:
    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != "signed_data":
        raise BadSignedData("cms_malformed")
    data = info["content"]
    if len(data["signer_infos"]) != 1:
        raise BadSignedData("cms_signers")
    signer = data["signer_infos"][0]
    certificates = tuple(choice.chosen.dump() for choice in data["certificates"] or ())
    signed = _attributes(signer["signed_attrs"])
    unsigned = _attributes(signer["unsigned_attrs"])
    content = data["encap_content_info"]["content"]
    stamp = unsigned.get("signature_time_stamp_token")
    return SignedData(
        content_type=data["encap_content_info"]["content_type"].native,
        content=bytes(content) if content.native is not None else None,
        certificate=_signer_of(signer["sid"], (*certificates, *known)),
        certificates=certificates,
        digest_algorithm=signer["digest_algorithm"]["algorithm"].native,
        signature_algorithm=signer["signature_algorithm"],
        signature=signer["signature"].native,
        attributes=signed,
        attributes_der=b"\x31" + signer["signed_attrs"].dump()[1:],
        time_stamp=None if stamp is None else stamp.dump(),
    )


def _attributes(found: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for attribute in found or ():
        name = attribute["type"].native
        if name in result or len(attribute["values"]) != 1:
            raise BadSignedData("cms_attributes")
        result[name] = attribute["values"][0]
    return result


def _signer_of(sid: Any, certificates: Sequence[bytes]) -> bytes:
    for der in certificates:
        certificate = x509.Certificate.load(der)
        if sid.name == "issuer_and_serial_number":
            issuer, number = sid.chosen["issuer"], sid.chosen["serial_number"].native
            if certificate.serial_number == number and certificate.issuer == issuer:
                return der
        elif certificate.key_identifier == sid.chosen.native:
            return der
    raise BadSignedData("cms_no_certificate")


def check_signature(data: SignedData, digest: bytes) -> None:
    """``data`` is a signature of its certificate's key over content with this digest.

    The digest is by ``data.digest_algorithm``. Raises :class:`BadSignedData`, with ``content_altered`` when
    the signature is whole but was made for another content.
    """
    try:
        _check_attributes(data)
        _check_key(data)
    except BadSignedData:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadSignedData("cms_malformed") from error
    if data.attributes["message_digest"].native != digest:
        raise BadSignedData("content_altered")


def _check_attributes(data: SignedData) -> None:
    found = data.attributes
    if data.digest_algorithm not in _HASHES:
        raise BadSignedData("weak_algorithm")
    if "content_type" not in found or "message_digest" not in found:
        raise BadSignedData("cms_attributes")
    if found["content_type"].native != data.content_type:
        raise BadSignedData("cms_attributes")
    if not _names_certificate(found, data.certificate):
        raise BadSignedData("certificate_not_bound")
    protection = found.get("cms_algorithm_protection")
    if protection is not None and (
        protection["digest_algorithm"]["algorithm"].native != data.digest_algorithm
        or protection["signature_algorithm"]["algorithm"].native
        != data.signature_algorithm["algorithm"].native
    ):
        raise BadSignedData("cms_attributes")


def _names_certificate(attributes: dict[str, Any], certificate: bytes) -> bool:
    """The signed attributes bind this certificate (RFC 5035; RFC 2634 with SHA-1 in old time stamps)."""
    named = attributes.get("signing_certificate_v2")
    if named is not None:
        first = named["certs"][0]
        algorithm = first["hash_algorithm"]["algorithm"].native
        return algorithm in _HASHES and bool(
            first["cert_hash"].native == hashlib.new(algorithm, certificate).digest()
        )
    named = attributes.get("signing_certificate")
    if named is None:
        return False
    digest = hashlib.sha1(certificate, usedforsecurity=False).digest()
    return bool(named["certs"][0]["cert_hash"].native == digest)


def _check_key(data: SignedData) -> None:
    public = pyca.load_der_x509_certificate(data.certificate).public_key()
    kind = data.signature_algorithm.signature_algo
    digest = hash_of(data)
    try:
        if kind == "rsassa_pkcs1v15" and isinstance(public, rsa.RSAPublicKey):
            if public.key_size < 2048:
                raise BadSignedData("weak_algorithm")
            public.verify(data.signature, data.attributes_der, padding.PKCS1v15(), digest)
        elif kind == "ecdsa" and isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(data.signature, data.attributes_der, ec.ECDSA(digest))
        else:
            raise BadSignedData("unknown_algorithm")
    except InvalidSignature as error:
        raise BadSignedData("signature_wrong") from error


def hash_of(data: SignedData) -> hashes.HashAlgorithm:
    """What the signature's key has signed a digest by. Raises :class:`BadSignedData`."""
    name = data.digest_algorithm
    if data.signature_algorithm["algorithm"].native != "rsassa_pkcs1v15":
        name = data.signature_algorithm.hash_algo
    found = _HASHES.get(name)
    if found is None:
        raise BadSignedData("weak_algorithm")
    return found
