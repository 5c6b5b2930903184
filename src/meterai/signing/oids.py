"""Object identifiers of seals and time stamps, in DER (RFC 5652, 5035, 6211, 3161, 5754)."""

from meterai.signing.der import SEQUENCE, oid, tlv

DATA = oid("1.2.840.113549.1.7.1")
SIGNED_DATA = oid("1.2.840.113549.1.7.2")
CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
SIGNING_TIME = oid("1.2.840.113549.1.9.5")
ALGORITHM_PROTECTION = oid("1.2.840.113549.1.9.52")
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
TIME_STAMP_TOKEN = oid("1.2.840.113549.1.9.16.2.14")
SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.47")
SHA256 = oid("2.16.840.1.101.3.4.2.1")
SHA256_IDENTIFIER = tlv(SEQUENCE, SHA256)
"""The algorithm without parameters, as RFC 5754 §2 wants it written."""
