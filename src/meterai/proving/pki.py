"""A demo PKI in a folder of PEM files: authorities, seal, time stamps, statements, revocation lists.

Everything in it says CONTOH: nobody shall mistake a demo seal for a real one. An operator brings his own files
under the same names and never calls this.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meterai.clock import now
from meterai.signing.keys import PrivateKey

YEARS = timedelta(days=365)
CA_LIFE = 15 * YEARS
LEAF_LIFE = 5 * YEARS
CRL_LIFE = YEARS
_AN_HOUR = timedelta(hours=1)  # certificates begin a little early: clocks of readers differ
_USAGES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
    "key_cert_sign crl_sign encipher_only decipher_only"
).split()


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes one certificate differ from another."""

    file: str
    name: str
    life: timedelta
    curve: ec.EllipticCurve | None = None
    """None: RSA."""
    ca: bool = False
    usages: tuple[str, ...] = ("digital_signature", "content_commitment")
    stamps_time: bool = False
    bits: int = 2048
    """Of an RSA key."""


ROOT = Kind("root", "CONTOH Otoritas Induk", CA_LIFE, ca=True, usages=("key_cert_sign", "crl_sign"))
ISSUING = Kind(
    "issuing", "CONTOH Otoritas Penerbit", CA_LIFE, ca=True, usages=("key_cert_sign", "crl_sign")
)
SEAL = Kind("seal", "CONTOH Meterai Elektronik", LEAF_LIFE)
TIME_STAMPS = Kind(
    "time-stamps",
    "CONTOH Cap Waktu",
    LEAF_LIFE,
    curve=ec.SECP256R1(),  # its signatures cost this machine a twentieth of RSA's
    usages=("digital_signature",),
    stamps_time=True,
)
SEALS = {
    "rsa-2048": SEAL,
    "rsa-3072": replace(SEAL, bits=3072),
    "rsa-4096": replace(SEAL, bits=4096),
    "p-256": replace(SEAL, curve=ec.SECP256R1()),
    "p-384": replace(SEAL, curve=ec.SECP384R1()),
}
"""Every kind of key that may seal."""
STATEMENT = Kind("statement", "CONTOH Surat Keterangan", LEAF_LIFE, curve=ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: PrivateKey


def make_pki(folder: Path, seal: Kind = SEAL) -> None:
    """The folder holds all keys, certificates and the trust folder of a demo; what exists is kept.

    ``seal.key`` ``seal-chain.pem`` ``time-stamps.key`` ``time-stamps-chain.pem`` ``statement.key``
    ``statement-chain.pem`` ``root.key`` ``root.pem`` ``issuing.key`` ``issuing.pem`` and ``trust/``, which is
    what a verifier needs and holds nothing secret. Revocation lists are renewed when they run out soon.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "trust").mkdir(exist_ok=True)
    root = _kept_or_new(folder, ROOT, None)
    issuing = _kept_or_new(folder, ISSUING, root)
    authorities = (issuing.certificate, root.certificate)
    leaves = [_kept_or_new(folder, kind, issuing) for kind in (seal, TIME_STAMPS, STATEMENT)]
    for kind, leaf in zip((seal, TIME_STAMPS, STATEMENT), leaves, strict=True):
        _write(folder / f"{kind.file}-chain.pem", _pem(leaf.certificate, *authorities))
    trust = folder / "trust"
    _write(trust / "roots.pem", _pem(root.certificate))
    _write(trust / "issuers.pem", _pem(issuing.certificate))
    for name, leaf in zip(("seals", "time-stamps", "statements"), leaves, strict=True):
        _write(trust / f"{name}.pem", _pem(leaf.certificate))
    _refresh_lists(trust, root, issuing)


def _kept_or_new(folder: Path, kind: Kind, issuer: Issued | None) -> Issued:
    key_file = folder / f"{kind.file}.key"
    certificate_file = folder / (f"{kind.file}.pem" if kind.ca else f"{kind.file}-chain.pem")
    if key_file.exists() and certificate_file.exists():
        return read_issued(key_file, certificate_file)
    issued = issue(kind, issuer)
    _write(
        key_file,
        issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    _write(certificate_file, _pem(issued.certificate))
    return issued


def read_issued(key_file: Path, certificate_file: Path) -> Issued:
    """The key and the first certificate of two PEM files."""
    key = load_pem_private_key(key_file.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return Issued(x509.load_pem_x509_certificate(certificate_file.read_bytes()), key)


def issue(
    kind: Kind,
    issuer: Issued | None,
    *,
    begins: datetime | None = None,
    key: PrivateKey | None = None,
) -> Issued:
    """A new certificate of this kind under ``issuer`` (None: it signs itself); a new key if none is given."""
    own = key or _new_key(kind)
    signing = own if issuer is None else issuer.key
    begins = begins or now() - _AN_HOUR
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(kind.name))
        .issuer_name(_name(kind.name) if issuer is None else issuer.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + kind.life)
        .add_extension(x509.BasicConstraints(ca=kind.ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{u: u in kind.usages for u in _USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    )
    if kind.stamps_time:
        # RFC 3161 §2.3: critical, and nothing else
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return Issued(builder.sign(signing, hashes.SHA256()), own)


def _new_key(kind: Kind) -> PrivateKey:
    if kind.curve is not None:
        return ec.generate_private_key(kind.curve)
    return rsa.generate_private_key(65537, kind.bits)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CONTOH - bukan penerbit sah"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def revoke(folder: Path, certificate: bytes, reason: x509.ReasonFlags, at: datetime) -> None:
    """The certificate (DER) is on its issuer's list in the trust folder as revoked at ``at``."""
    trust = folder / "trust"
    root = read_issued(folder / "root.key", folder / "root.pem")
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    number = x509.load_der_x509_certificate(certificate).serial_number
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(number)
        .revocation_date(at)
        .add_extension(x509.CRLReason(reason), critical=False)
        .build()
    )
    kept = [old for old in _entries(trust / "issuing.crl") if old.serial_number != number]
    _write(trust / "root.crl", _list_of(root, _entries(trust / "root.crl")))
    _write(trust / "issuing.crl", _list_of(issuing, [*kept, entry]))


def _refresh_lists(trust: Path, root: Issued, issuing: Issued) -> None:
    for name, issuer in (("root.crl", root), ("issuing.crl", issuing)):
        file = trust / name
        if file.exists():
            said = x509.load_pem_x509_crl(file.read_bytes())
            ends = said.next_update_utc
            if ends is not None and ends - now() > CRL_LIFE / 4:
                continue
        _write(file, _list_of(issuer, _entries(file)))


def _entries(file: Path) -> list[x509.RevokedCertificate]:
    return list(x509.load_pem_x509_crl(file.read_bytes())) if file.exists() else []


def _list_of(issuer: Issued, revoked: Iterable[x509.RevokedCertificate]) -> bytes:
    moment = now()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(moment - _AN_HOUR)
        .next_update(moment + CRL_LIFE)
        .add_extension(x509.CRLNumber(int(moment.timestamp() * 1000)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _write(file: Path, content: bytes) -> None:
    """The file has this content, whole or not at all, and only its owner can read it."""
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.touch(mode=0o600)
    half.write_bytes(content)
    half.replace(file)
