"""Time-stamp tokens (RFC 3161 §2.4): read, and checked against the pinned certificates of the authorities."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import tsp, x509

from meterai.signing.signed_data import BadSignedData, check_signature, read_signed_data


@dataclass(frozen=True, slots=True)
class Token:
    """A time stamp that holds: somebody we know saw the imprint at ``time``."""

    time: datetime
    certificate: bytes
    """Of the authority, in DER; one of the pinned."""
    nonce: int | None
    policy: str


def read_token(der: bytes, imprint: bytes, pinned: Sequence[bytes]) -> Token:
    """The token over ``imprint`` (SHA-256), signed by one of the ``pinned`` certificates.

    Raises :class:`BadSignedData`; its ``why`` begins with ``time_stamp_``.
    """
    try:
        return _read(der, imprint, pinned)
    except BadSignedData as error:
        raise BadSignedData(f"time_stamp_{error.why}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadSignedData("time_stamp_malformed") from error


def _read(der: bytes, imprint: bytes, pinned: Sequence[bytes]) -> Token:
    data = read_signed_data(der, pinned)
    if data.content_type != "tst_info" or data.content is None:
        raise BadSignedData("malformed")
    if data.certificate not in pinned:
        raise BadSignedData("foreign")
    check_signature(data, hashlib.new(data.digest_algorithm, data.content).digest())
    info = tsp.TSTInfo.load(data.content, strict=True)
    said = info["message_imprint"]
    if said["hash_algorithm"]["algorithm"].native != "sha256" or (
        said["hashed_message"].native != imprint
    ):
        raise BadSignedData("imprint")
    time = info["gen_time"].native
    _check_certificate(data.certificate, time)
    return Token(time, data.certificate, info["nonce"].native, info["policy"].native)


def _check_certificate(der: bytes, time: datetime) -> None:
    """The certificate may stamp (RFC 3161 §2.3: only that, marked critical) and was valid at ``time``."""
    certificate = x509.Certificate.load(der)
    usage = certificate.extended_key_usage_value
    if usage is None or usage.native != ["time_stamping"]:
        raise BadSignedData("certificate")
    if "extended_key_usage" not in certificate.critical_extensions:
        raise BadSignedData("certificate")
    if not certificate.not_valid_before <= time <= certificate.not_valid_after:
        raise BadSignedData("certificate")
