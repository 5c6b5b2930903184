"""A trust folder prepared for many files: which signers were accepted, in which form, and until when.

The careful reader judges the *form* of a signature once: its certificates, signer, algorithms and all signed
attributes but the digest. What it accepted is remembered to the byte: the next signature of the same form needs
no reading, only its digest, its mathematics and its time.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from meterai.signing.certificates import ChainBroken, chain_of, is_published_by, subject_of
from meterai.signing.own.syntax import Unfamiliar
from meterai.signing.signed_data import SignedData, hash_of
from meterai.signing.trust import Trust

FORMS_MAX = 256
"""Forms that are remembered; nobody who sends files can make us remember more."""

SHAPES_MAX = 4
"""Shapes of one length."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Standing:
    """What certificates and revocation lists say of a signer, as long as they say nothing unusual."""

    valid: Span
    """The whole chain is valid."""
    lists: tuple[tuple[Span, ...], ...]
    """For each certificate below the root: when there is a fresh list, which does not name it."""

    def holds(self, moment: datetime, at: datetime) -> bool:
        """For a signature of ``moment``, as known at ``at``."""
        began, ends = self.valid
        return began <= moment <= ends and all(
            any(since <= at <= until for since, until in spans) for spans in self.lists
        )


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose signatures in one exact form were accepted by the careful reader."""

    certificate: bytes
    sha256: bytes
    subject: str
    valid: Span
    """The certificate itself."""
    standing: Standing
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    digest: hashes.HashAlgorithm
    """Of the signature."""
    content_digest: str
    """Of the signed content, by its name in hashlib."""

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature over ``message`` is this signer's."""
        try:
            if isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, message, padding.PKCS1v15(), self.digest)
            else:
                self.public.verify(signature, message, ec.ECDSA(self.digest))
        except InvalidSignature:
            return False
        return True


class Anchors:
    """What is remembered for one trust folder."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._forms: dict[bytes, Signer] = {}
        self._standings: dict[bytes, Standing] = {}
        self._shapes: dict[int, tuple[object, ...]] = {}

    def signer(self, form: bytes) -> Signer | None:
        """Whose form this is, if it was accepted before."""
        return self._forms.get(form)

    def shapes_of(self, length: int) -> tuple[object, ...]:
        """The remembered shapes of signatures so long."""
        return self._shapes.get(length, ())

    def remember(self, length: int, shape: object) -> None:
        """This shape, of an accepted signer, is known from now on."""
        if len(self._shapes) >= FORMS_MAX:
            self._shapes.clear()
        self._shapes[length] = (shape, *self._shapes.get(length, ()))[:SHAPES_MAX]

    def accept(self, form: bytes, data: SignedData, at: datetime) -> Signer:
        """The signer of what the careful reader accepted; from now on in this form.

        Raises :class:`Unfamiliar` where certificates or lists say anything unusual, or a certificate
        comes along that the trust folder does not hold.
        """
        trust = self.trust
        known = {*trust.roots, *trust.issuers, *trust.seals, *trust.time_stamps}
        if not known.issuperset(data.certificates):
            raise Unfamiliar
        public = x509.load_der_x509_certificate(data.certificate)
        key = public.public_key()
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise Unfamiliar
        signer = Signer(
            certificate=data.certificate,
            sha256=hashlib.sha256(data.certificate).digest(),
            subject=subject_of(data.certificate),
            valid=(public.not_valid_before_utc, public.not_valid_after_utc),
            standing=self._standing(data.certificate, at),
            public=key,
            digest=hash_of(data),
            content_digest=data.digest_algorithm,
        )
        if len(self._forms) >= FORMS_MAX:
            self._forms.clear()
        self._forms[form] = signer
        return signer

    def _standing(self, certificate: bytes, at: datetime) -> Standing:
        found = self._standings.get(certificate)
        if found is None:
            found = self._standings[certificate] = _standing(certificate, self.trust, at)
        return found


@lru_cache(maxsize=8)
def anchors_of(trust: Trust) -> Anchors:
    """The same for the same trust."""
    return Anchors(trust)


def _standing(certificate: bytes, trust: Trust, at: datetime) -> Standing:
    """Only for a signer whom no list names. Raises :class:`Unfamiliar`."""
    try:
        chain = chain_of(certificate, trust.roots, trust.issuers, at)
    except ChainBroken as broken:
        raise Unfamiliar from broken
    lists = [x509.load_der_x509_crl(der) for der in trust.revocations]
    fresh = []
    for below, above in pairwise(chain):
        known = [crl for crl in lists if is_published_by(crl, above)]
        if any(crl.get_revoked_certificate_by_serial_number(below.serial_number) for crl in known):
            raise Unfamiliar
        spans = [(crl.last_update_utc, crl.next_update_utc) for crl in known]
        fresh.append(tuple((since, until) for since, until in spans if until is not None))
    valid = (
        max(one.not_valid_before_utc for one in chain),
        min(one.not_valid_after_utc for one in chain),
    )
    return Standing(valid, tuple(fresh))
