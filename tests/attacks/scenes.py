"""What an attacker starts from: stamps of every profile, a registry that knows them, other people's keys."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from meterai.clock import now
from meterai.pdf.increment import Request, Slot, prepare, prepare_carefully
from meterai.pdf.model import Place
from meterai.pdf.road import Road
from meterai.proving.pki import SEAL, make_pki, read_issued
from meterai.proving.pki import issue as issue_certificate
from meterai.serial.model import Serial, SerialState, number_from
from meterai.signing.keys import FileKey, PrivateKey, algorithm_of
from meterai.signing.report import SignatureReport
from meterai.signing.seal import Sealer
from meterai.signing.signed_data import read_signed_data
from meterai.signing.trust import Trust
from meterai.signing.validation import examine, examine_carefully, examine_twice
from meterai.verification.judgement import judge
from meterai.verification.model import Finding
from world import pki, tampering
from world.documents import letter, mark, request, with_xref_stream
from world.sealed import sealed, trust

SERIALS = tuple(str(number_from(bytes([n] * 21))) for n in range(1, 10))
SLOTS = (Slot("penyewa", Place(1, 20, 200), 50, 20), Slot("pemilik", Place(1, 80, 200), 50, 20))


def asking(*serials: str, **changes: Any) -> Request:
    """A request for these marks side by side."""
    places = (Place(1, 150, 220), Place(1, 20, 240), Place(1, 60, 240))
    marks = [mark(serial, place) for serial, place in zip(serials, places, strict=False)]
    return request(*marks, **changes)


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of stamping, on one road of the engine."""

    kind: str
    asked: Request
    document: Callable[[], bytes] = letter
    road: Road = Road.FAST

    @property
    def name(self) -> str:
        return f"{self.kind} ({self.road.value})"

    def stamp(self, document: bytes | None = None, sealer: Sealer | None = None) -> bytes:
        """This document, or the profile's own, stamped so."""
        by = prepare if self.road is Road.FAST else prepare_carefully
        return asyncio.run(sealed(document or self.document(), self.asked, sealer=sealer, by=by))


KINDS = (
    Profile("P=1", asking(SERIALS[0])),
    Profile("P=2", asking(SERIALS[0], certify=2, slots=SLOTS)),
    Profile("several stamps", asking(SERIALS[0], SERIALS[1])),
    Profile("approval", asking(SERIALS[0], certify=None), road=Road.CAREFUL),
    Profile("cross-reference stream", asking(SERIALS[0]), lambda: with_xref_stream(letter())),
)
"""Every one of them is time-stamped: a seal without a witness is a class of attack of its own."""
PROFILES = (
    *KINDS,
    *(replace(kind, road=Road.CAREFUL) for kind in KINDS if kind.road is Road.FAST),
)
"""An approval always takes the careful road."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A stamp of one profile."""

    profile: Profile
    whole: bytes

    def serials(self) -> list[str]:
        return [m.serial for m in self.profile.asked.marks]


@cache
def scene(name: str) -> Scene:
    profile = next(profile for profile in PROFILES if name in (profile.name, profile.kind))
    return Scene(profile, profile.stamp())


def known(
    number: str, state: SerialState = SerialState.AFFIXED, signed: bytes | None = None
) -> Serial:
    """What the registry holds of a serial."""
    at = datetime(2026, 11, 24, 7, 5, 9, tzinfo=now().tzinfo)
    affixed = state is SerialState.AFFIXED
    return Serial(
        number,  # type: ignore[arg-type]  # made by number_from
        state, "test", None, None, signed if affixed else None, None,
        1 if affixed else None, at if affixed else None,
        at if state is SerialState.VOID else None,
    )  # fmt: skip


def registry_of(stage: Scene) -> dict[str, Serial]:
    """The registry after this stamp was settled."""
    report = examine(stage.whole, trust(), now())
    assert report.signed_sha256 is not None
    return {n: known(n, signed=report.signed_sha256) for n in stage.serials()}


ROADS: Mapping[str, Callable[[bytes, Trust, datetime], SignatureReport]] = {
    "as files are judged in bulk": examine,
    "carefully": examine_carefully,
    "by both roads": examine_twice,
}


def judged(
    data: bytes,
    registry: Mapping[str, Serial],
    believed: Trust,
    at: datetime | None = None,
    road: str = "as files are judged in bulk",
) -> Finding:
    report = ROADS[road](data, believed, at or now())
    return judge(report, [registry.get(serial) for serial in report.serials])


def own_trust(whole: bytes) -> Trust:
    """The test mode: whatever certificates the file brings are believed, as a careless validator would."""
    start, end = tampering.gap(whole)
    der = bytes.fromhex(whole[start + 1 : end - 1].decode())
    found = read_signed_data(der[: 4 + int.from_bytes(der[2:4], "big")])
    assert found.time_stamp is not None
    token = read_signed_data(found.time_stamp)
    theirs = (*found.certificates, *token.certificates)
    return Trust(roots=theirs, issuers=theirs, seals=theirs, time_stamps=theirs)


def key_under(certificate_key: PrivateKey | None = None, left: timedelta | None = None) -> FileKey:
    """A sealing key that our own authority certified but nobody pinned, valid for so long from now."""
    folder = pki.keys_folder()
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    begins = now() - timedelta(days=30)
    kind = SEAL if left is None else replace(SEAL, life=now() + left - begins)
    issued = issue_certificate(kind, issuing, begins=begins, key=certificate_key)
    leaf = issued.certificate.public_bytes(Encoding.DER)
    return FileKey((leaf, *pki.seal_key().chain[1:]), algorithm_of(leaf), issued.key)


@cache
def stranger() -> FileKey:
    """Somebody whose certificates bear the same names as ours, down to the root."""
    folder = pki.keys_folder().parent / "stranger"
    make_pki(folder)
    return FileKey.load(folder / "seal.key", folder / "seal-chain.pem")


def sealed_by(key: FileKey, profile: Profile) -> bytes:
    return profile.stamp(sealer=Sealer(key, pki.time_stamps()))


def another(profile: Profile, text: str = "Surat Kuasa") -> bytes:
    """Another document under the same request, sealed by our own key."""
    return profile.stamp(letter(text=text))
