"""Revocation lists of the demo authorities, and what stands in them."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.clock import now
from meterai.proving.pki import read_issued
from world import pki


def lists(*entries: x509.RevokedCertificate, ends: datetime | None = None) -> tuple[bytes, ...]:
    """Revocation lists of both demo authorities; the issuing one names ``entries``."""
    folder, made = pki.keys_folder(), []
    for name in ("root", "issuing"):
        issuer = read_issued(folder / f"{name}.key", folder / f"{name}.pem")
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(now() - timedelta(days=2))
            .next_update(ends or now() + timedelta(days=1))
        )
        for entry in entries if name == "issuing" else ():
            builder = builder.add_revoked_certificate(entry)
        made.append(builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER))
    return tuple(made)


def revoked(
    certificate: bytes,
    reason: x509.ReasonFlags | None,
    at: datetime,
    invalid_since: datetime | None = None,
) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(x509.load_der_x509_certificate(certificate).serial_number)
        .revocation_date(at)
    )
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    if invalid_since is not None:
        builder = builder.add_extension(x509.InvalidityDate(invalid_since), critical=False)
    return builder.build()
