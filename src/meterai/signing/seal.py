"""The seal: a CMS signature in the PAdES baseline profile B-T (ETSI EN 319 142-1 §5.3, RFC 5652).

Almost all of it is constant for a key, so it is encoded once; only the digest, the signature and the time
stamp are put in. The signing time stands in the PDF and in the time stamp, never among the signed attributes
(EN 319 142-1 table 1).
"""

import hashlib

from asn1crypto import x509

from meterai.signing.der import SEQUENCE, octets, oid, set_of, small_integer, tlv
from meterai.signing.errors import SealTooLarge
from meterai.signing.keys import Algorithm, SealKey
from meterai.signing.oids import (
    ALGORITHM_PROTECTION,
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SHA256_IDENTIFIER,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TIME_STAMP_TOKEN,
)
from meterai.signing.time_stamps import TimeStamps

GAP_BYTES = 16 * 1024
"""Room for every seal with an ordinary chain: measured seals take 5 to 9 KB, large authorities add 7 KB."""

_NO_DIGEST = b"\xff" * 32
"""Stands where the digest will; nothing else of what is signed has such a row of bytes."""
_SIZES_MAX = 64
"""Signatures by an elliptic curve have three lengths, and tokens of an authority a few."""
_TIME_STAMP_ROOM = 9 * 1024
SIGNATURE_IDENTIFIERS = {
    Algorithm.RSA: tlv(SEQUENCE, oid("1.2.840.113549.1.1.11"), b"\x05\x00"),
    Algorithm.ECDSA: tlv(SEQUENCE, oid("1.2.840.10045.4.3.2")),
}


class Sealer:
    """One key and the authorities that witness when it was used.

    Without ``time_stamps`` the seal is B-B, without a witness: only for papers that must be given out while
    every authority is down. A sealer that has authorities never falls back to that.
    """

    def __init__(self, key: SealKey, time_stamps: TimeStamps | None) -> None:
        self._key = key
        self._time_stamps = time_stamps
        leaf = x509.Certificate.load(key.chain[0])
        self._signature_algorithm = SIGNATURE_IDENTIFIERS[key.algorithm]
        self._certificates = set_of(*dict.fromkeys(key.chain), tag=0xA0)
        self._signer_id = tlv(
            SEQUENCE, leaf.issuer.dump(), leaf["tbs_certificate"]["serial_number"].dump()
        )
        constant = (
            _attribute(CONTENT_TYPE, DATA),
            _attribute(SIGNING_CERTIFICATE_V2, _ess_certificate(key.chain[0])),
            # CMSAlgorithmProtection (RFC 6211): digest algorithm, [1] signature algorithm
            _attribute(
                ALGORITHM_PROTECTION,
                tlv(SEQUENCE, SHA256_IDENTIFIER, b"\xa1" + self._signature_algorithm[1:]),
            ),
        )
        # All are of fixed length and differ before the digest begins, so their order is fixed as well.
        attributes = sorted((*constant, _attribute(MESSAGE_DIGEST, octets(_NO_DIGEST))))
        # Signed as a SET OF, written under the tag [0] (RFC 5652 §5.4).
        whole = tlv(0x31, *attributes)
        self._before_digest, self._after_digest = whole.split(_NO_DIGEST)
        self._around: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        bare = sum(map(len, key.chain)) + 2048 + _TIME_STAMP_ROOM
        self.gap_bytes: int = max(GAP_BYTES, -(-bare // 1024) * 1024)
        """Bytes to leave for the seal: fixed for a key, so that prepared documents do not change."""

    async def seal(self, digest: bytes) -> bytes:
        """The seal in DER over a document whose signed range has this SHA-256.

        Raises :class:`SignerUnavailable`, :class:`TimeStampUnavailable`, :class:`SealTooLarge`.
        """
        attributes = b"%b%b%b" % (self._before_digest, digest, self._after_digest)
        signature = await self._key.sign(attributes)
        unsigned = b""
        if self._time_stamps is not None:
            stamp = await self._time_stamps.stamp(hashlib.sha256(signature).digest())
            unsigned = tlv(0xA1, _attribute(TIME_STAMP_TOKEN, stamp.token))
        seal = self._assemble(attributes, signature, unsigned)
        if len(seal) > self.gap_bytes:
            raise SealTooLarge(size=len(seal), room=self.gap_bytes)
        return seal

    def _assemble(self, attributes: bytes, signature: bytes, unsigned: bytes) -> bytes:
        """What surrounds the three depends on nothing but how long they are."""
        sizes = len(signature), len(unsigned)
        around = self._around.get(sizes)
        if around is None:
            if len(self._around) >= _SIZES_MAX:
                self._around.clear()
            around = self._around[sizes] = self._surroundings(attributes, *sizes)
        before, between = around
        return b"".join((before, attributes[1:], between, signature, unsigned))

    def _surroundings(
        self, attributes: bytes, signature_bytes: int, unsigned_bytes: int
    ) -> tuple[bytes, bytes]:
        """The constant bytes up to the length of the attributes, and between them and the signature."""
        blank = bytes(signature_bytes)
        said = b"\xa0" + attributes[1:]
        signer = tlv(
            SEQUENCE,
            small_integer(1),
            self._signer_id,
            SHA256_IDENTIFIER,
            said,
            self._signature_algorithm,
            octets(blank),
            bytes(unsigned_bytes),
        )
        signed_data = tlv(
            SEQUENCE,
            small_integer(1),
            set_of(SHA256_IDENTIFIER),
            tlv(SEQUENCE, DATA),
            self._certificates,
            set_of(signer),
        )
        whole = tlv(SEQUENCE, SIGNED_DATA, tlv(0xA0, signed_data))
        between = self._signature_algorithm + octets(blank)[: -signature_bytes or None]
        start = len(whole) - len(said) - len(between) - signature_bytes - unsigned_bytes
        return whole[: start + 1], between


def _attribute(kind: bytes, value: bytes) -> bytes:
    return tlv(SEQUENCE, kind, set_of(value))


def _ess_certificate(certificate: bytes) -> bytes:
    """SigningCertificateV2 (RFC 5035 §3): the digest of the signer's certificate, SHA-256 by default."""
    return tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, octets(hashlib.sha256(certificate).digest()))))
