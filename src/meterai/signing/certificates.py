"""Chains and revocation, the first engine: short, strict, and never asking a network.

A seal counts by the moment of its time stamp. A certificate revoked *later* for a harmless reason leaves
earlier seals whole; one revoked because its key was compromised, or without a reason, takes all its seals with
it unless the list says since when (RFC 5280 §5.3.2): nobody knows how long a stranger had the key.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from meterai.signing.report import Reason
from meterai.signing.trust import Trust

CHAIN_MAX = 5
_HARMLESS = {
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.privilege_withdrawn,
}


class ChainBroken(Exception):
    """No path to a trusted root holds at that moment."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


def chain_of(
    leaf: bytes, roots: Sequence[bytes], issuers: Sequence[bytes], moment: datetime
) -> list[x509.Certificate]:
    """From the leaf to a root, each certificate valid at ``moment`` and signed by the next.

    Raises :class:`ChainBroken`.
    """
    anchors = [x509.load_der_x509_certificate(der) for der in roots]
    between = [x509.load_der_x509_certificate(der) for der in issuers]
    chain = [x509.load_der_x509_certificate(leaf)]
    while len(chain) <= CHAIN_MAX:
        last = chain[-1]
        if not last.not_valid_before_utc <= moment <= last.not_valid_after_utc:
            raise ChainBroken(Reason.CERTIFICATE_EXPIRED)
        if last in anchors:
            return chain
        above = next((c for c in (*anchors, *between) if _issued(last, c)), None)
        if above is None or above in chain:
            break
        chain.append(above)
    raise ChainBroken(Reason.CHAIN_BROKEN)


def _issued(certificate: x509.Certificate, above: x509.Certificate) -> bool:
    """``above`` is an authority and signed ``certificate``."""
    if certificate.issuer != above.subject:
        return False
    try:
        constraints = above.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = above.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(above)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return constraints.ca and usage.key_cert_sign


def revocation_of(
    chain: Sequence[x509.Certificate], trust: Trust, moment: datetime, at: datetime
) -> Reason | None:
    """Why a certificate of the chain does not count for a seal of ``moment``, known at ``at``; None if it does.

    Where no fresh list is at hand the answer is ``REVOCATION_UNKNOWN``, never "all well".
    """
    lists = [x509.load_der_x509_crl(der) for der in trust.revocations]
    for certificate, above in pairwise(chain):
        known = [crl for crl in lists if is_published_by(crl, above)]
        entries = [
            entry
            for crl in known
            if (entry := crl.get_revoked_certificate_by_serial_number(certificate.serial_number))
        ]
        if any(_takes_with_it(entry, moment) for entry in entries):
            return Reason.SIGNER_REVOKED
        if not any(_fresh(crl, at) for crl in known):
            return Reason.REVOCATION_UNKNOWN
    return None


def is_published_by(crl: x509.CertificateRevocationList, above: x509.Certificate) -> bool:
    """The list is one of this authority's."""
    try:
        return crl.issuer == above.subject and crl.is_signature_valid(above.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False  # a key that signs no lists


def _fresh(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    ends = crl.next_update_utc
    return crl.last_update_utc <= at and ends is not None and at <= ends


def _takes_with_it(entry: x509.RevokedCertificate, moment: datetime) -> bool:
    """The revocation makes a seal of ``moment`` worthless."""
    since = entry.revocation_date_utc
    try:
        since = entry.extensions.get_extension_for_class(
            x509.InvalidityDate
        ).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        reason = _reason(entry)
        if reason is x509.ReasonFlags.remove_from_crl:
            return False
        if reason not in _HARMLESS:
            return True
    return moment >= since


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified


def subject_of(certificate: bytes) -> str:
    """The subject as people read it."""
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
