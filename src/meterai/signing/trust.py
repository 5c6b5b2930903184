"""Whose seals are recognised: a folder of PEM files, nothing secret in it, enough to verify offline."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.signing.errors import TrustNotReadable


@dataclass(frozen=True, slots=True)
class Trust:
    """Certificates and revocation lists in DER."""

    roots: tuple[bytes, ...]
    """``roots.pem``: where every chain must end."""
    issuers: tuple[bytes, ...]
    """``issuers.pem``: authorities between the roots and the rest."""
    seals: tuple[bytes, ...]
    """``seals.pem``: the sealing certificates themselves, now and before. Not merely "of the same issuer"."""
    time_stamps: tuple[bytes, ...]
    """``time-stamps.pem``: the authorities whose time is believed."""
    statements: tuple[bytes, ...] = ()
    """``statements.pem``: who signs our statements, now and before."""
    others: tuple[bytes, ...] = ()
    """``others.pem``: roots of authorities whose signatures may follow a seal; they make nobody's seal ours."""
    revocations: tuple[bytes, ...] = ()
    """``*.crl``: revocation lists. They are never fetched; whoever runs this keeps them fresh."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What is in ``folder``. Raises :class:`TrustNotReadable`."""
        try:
            return cls(
                roots=_certificates(folder / "roots.pem"),
                issuers=_certificates(folder / "issuers.pem"),
                seals=_certificates(folder / "seals.pem"),
                time_stamps=_certificates(folder / "time-stamps.pem"),
                statements=_certificates(folder / "statements.pem", needed=False),
                others=_certificates(folder / "others.pem", needed=False),
                revocations=tuple(_lists(sorted(folder.glob("*.crl")))),
            )
        except (OSError, ValueError) as error:
            raise TrustNotReadable(why=str(error)) from error


def _certificates(file: Path, *, needed: bool = True) -> tuple[bytes, ...]:
    if not needed and not file.exists():
        return ()
    found = x509.load_pem_x509_certificates(file.read_bytes())
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


def _lists(files: Iterable[Path]) -> Iterable[bytes]:
    for file in files:
        content = file.read_bytes()
        pem = content.startswith(b"-----")
        found = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
        yield found.public_bytes(Encoding.DER)
