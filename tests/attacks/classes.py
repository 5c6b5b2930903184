"""The classes of attack: how each is done, and the verdict and reason that must be given."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from attacks import structural
from attacks.scenes import (
    Profile,
    Scene,
    another,
    key_under,
    known,
    registry_of,
    sealed_by,
    stranger,
)
from meterai.clock import now
from meterai.serial.model import Serial, SerialState
from meterai.signing.seal import Sealer
from meterai.signing.trust import Trust
from meterai.verification.model import Verdict
from world import pki, planting, tampering
from world.revocation import lists, revoked
from world.sealed import trust


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown to the verifier, and what it knows."""

    data: bytes
    registry: Mapping[str, Serial]
    trust: Trust
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attack:
    """One class."""

    name: str
    family: str
    make: Callable[[Scene], Shown]
    verdict: Verdict
    reason: str
    structural: bool = False
    """The structure is at fault, whoever signed."""
    only: tuple[str, ...] = ()
    """Kinds of profile that it can be done to; empty: all."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Another reason where a profile's structure makes another check speak first."""

    def reason_for(self, profile: Profile) -> str:
        return self.elsewhere.get(profile.kind, self.reason)


def _shown(stage: Scene, data: bytes, **changes: Any) -> Shown:
    return Shown(data, registry_of(stage), trust(), **changes)


_VERDICT = {
    "junk_before_header": Verdict.UNREADABLE,
    "structure_damaged": Verdict.UNREADABLE,
    "locked": Verdict.UNREADABLE,
    "no_seal": Verdict.NOT_A_STAMP,
    "foreign_signer": Verdict.NOT_A_STAMP,
    "signer_revoked": Verdict.NOT_A_STAMP,
    "time_stamp_missing": Verdict.NOT_A_STAMP,
    "time_stamp_wrong": Verdict.NOT_A_STAMP,
}


def _change(
    family: str, name: str, change: Callable[[bytes], bytes], reason: str, **more: Any
) -> Attack:
    def make(stage: Scene) -> Shown:
        return _shown(stage, change(stage.whole))

    verdict = _VERDICT.get(reason, Verdict.ALTERED)
    more.setdefault("structural", reason != "foreign_signer")
    return Attack(name, family, make, verdict, reason, **more)


FAMILIES = {
    "sealed bytes": tampering.INSIDE,
    "the seal's own data": tampering.SEAL,
    "added behind": tampering.ADDED,
    "carried elsewhere": tampering.CARRIED,
}
_LEVEL_ONE = ("P=1", "several stamps", "cross-reference stream")
_ONLY = {"permission widened": _LEVEL_ONE}

OF_TAMPERING = tuple(
    _change(family, name, change, reason, only=_ONLY.get(name, ()))
    for family, group in FAMILIES.items()
    for name, (change, reason) in group.items()
    if name != "serial changed"  # of another scene; ours follows
)
OF_SERIALS = (
    _change("sealed bytes", "serial changed", structural.serial_changed, "content_damaged"),
)

_ADDED = "changed_after_seal"
_S = structural
_BEHIND: dict[str, Callable[[bytes], bytes]] = {
    "content stream replaced": _S.content_replaced,
    "shadow replace: font": _S.font_replaced,
    "QR swap: appearance of the mark replaced": _S.mark_replaced,
    "mark emptied": _S.mark_emptied,
    "QR swap: another QR laid over": _S.qr_covered,
    "page added": _S.page_added,
    "pages exchanged": _S.page_removed,
    "catalogue replaced": _S.catalogue_replaced,
    "script added": _S.script_added,
    "unseen object added": _S.information_changed,
    "attachment added": _S.attachment_added,
    "seal moved to another field": _S.seal_moved_to_another_field,
    "signature dictionary written again": _S.seal_dictionary_replaced,
    "rolled back to before the stamp": _S.rolled_back,
    "comment appended": _S.comment_appended,
    "noughts appended": _S.noughts_appended,
}
REVISIONS = (
    *(_change("added behind", name, change, _ADDED) for name, change in _BEHIND.items()),
    _change(
        "added behind",
        "certification dropped",
        _S.certification_dropped,
        _ADDED,
        only=(*_LEVEL_ONE, "P=2"),
    ),
)
AROUND = tuple(
    _change(family, name, change, reason)
    for family, name, change, reason in (
        ("sealed bytes", "header changed", _S.header_changed, "content_damaged"),
        ("sealed bytes", "last byte dropped", _S.last_byte_dropped, "range_wrong"),
        ("the seal's own data", "range begins later", _S.range_begins_later, "range_wrong"),
        ("the seal's own data", "range of six numbers", _S.range_of_six, "range_wrong"),
        ("the seal's own data", "range of two numbers", _S.range_of_two, "range_wrong"),
        ("the seal's own data", "range written twice", _S.range_twice, "structure_damaged"),
        ("the seal's own data", "seal written twice", _S.contents_twice, "structure_damaged"),
        ("the seal's own data", "ranges overlap", _S.range_overlaps, "range_wrong"),
        ("carried elsewhere", "saved by Ghostscript", _S.by_ghostscript, "no_seal"),
        ("carried elsewhere", "saved by mutool", _S.by_mutool, "range_wrong"),
        ("carried elsewhere", "saved by qpdf without options", _S.by_qpdf, "range_wrong"),
        ("carried elsewhere", "joined by poppler", _S.by_poppler, "range_wrong"),
        ("carried elsewhere", "password put on", _S.locked, "locked"),
        ("carried elsewhere", "attached to another document", _S.attached_to_another, "no_seal"),
        ("carried elsewhere", "field without its signature", _S.field_alone, "no_seal"),
        ("carried elsewhere", "stamp cut off", _S.stripped, "no_seal"),
    )
)


def _shadow(spring: str) -> Callable[[Scene], Shown]:
    def make(stage: Scene) -> Shown:
        return _shown(stage, structural.shadow(stage.profile.stamp, spring))

    return make


def _planted(stage: Scene) -> Shown:
    return _shown(stage, asyncio.run(planting.sprung(stage.serials()[0])).sprung)


def _transplanted(stage: Scene) -> Shown:
    other = another(stage.profile)
    return _shown(stage, tampering.transplanted(stage.whole, other))


SHADOWS = (
    *(Attack(f"shadow {spring}", "prepared before", _shadow(spring), Verdict.ALTERED, _ADDED, True)
      for spring in ("hide", "replace", "hide-and-replace")),
    Attack("gap taken over by a planted dictionary", "prepared before", _planted, Verdict.ALTERED,
           "range_wrong", True, only=("P=1",)),
    Attack("seal transplanted", "carried elsewhere", _transplanted, Verdict.ALTERED,
           "content_damaged", True, only=("P=1", "P=2", "several stamps", "approval")),
)  # fmt: skip


# --- who sealed, and when ---


def _sibling(stage: Scene) -> Shown:
    return _shown(stage, sealed_by(key_under(), stage.profile))


def _same_name(stage: Scene) -> Shown:
    return _shown(stage, sealed_by(stranger(), stage.profile))


def _twin(stage: Scene) -> Shown:
    return _shown(stage, sealed_by(key_under(pki.seal_key().private), stage.profile))


def _revoked(stage: Scene, reason: x509.ReasonFlags | None, days: int) -> Shown:
    when = now() + timedelta(days=days)
    listed = lists(revoked(pki.seal_key().chain[0], reason, when))
    return Shown(stage.whole, registry_of(stage), _with(revocations=listed))


def _authority_revoked(stage: Scene) -> Shown:
    entry = revoked(
        pki.stamper().key.chain[0], x509.ReasonFlags.key_compromise, now() - timedelta(days=1)
    )
    return Shown(stage.whole, registry_of(stage), _with(revocations=lists(entry)))


def _no_list(stage: Scene) -> Shown:
    return Shown(stage.whole, registry_of(stage), _with(revocations=()))


def _expired(stage: Scene) -> Shown:
    key = key_under(pki.seal_key().private, timedelta(seconds=-60))
    data = sealed_by(key, stage.profile)
    return Shown(data, registry_of(stage), _with(seals=(key.chain[0],)))


def _no_witness(stage: Scene) -> Shown:
    bare = Sealer(pki.seal_key(), None)
    data = stage.profile.stamp(sealer=bare)
    return _shown(stage, data)


def _strange_witness(stage: Scene) -> Shown:
    return Shown(stage.whole, registry_of(stage), _with(time_stamps=trust().seals))


def _other_root(stage: Scene) -> Shown:
    return Shown(stage.whole, registry_of(stage), _with(roots=stranger().chain[-1:]))


def _with(**changes: Any) -> Trust:
    return replace(trust(), **changes)


ISSUERS = tuple(
    Attack(name, "who sealed, and when", make, verdict, reason)
    for name, make, verdict, reason in (
        ("sibling certificate of our issuer", _sibling, Verdict.NOT_A_STAMP, "foreign_signer"),
        ("issuer of the same name", _same_name, Verdict.NOT_A_STAMP, "foreign_signer"),
        ("other certificate of our key", _twin, Verdict.NOT_A_STAMP, "foreign_signer"),
        ("signer revoked before", lambda s: _revoked(s, x509.ReasonFlags.superseded, -1),
         Verdict.NOT_A_STAMP, "signer_revoked"),
        ("key stolen, revoked later", lambda s: _revoked(s, x509.ReasonFlags.key_compromise, 1),
         Verdict.NOT_A_STAMP, "signer_revoked"),
        ("revoked later without a reason", lambda s: _revoked(s, None, 1),
         Verdict.NOT_A_STAMP, "signer_revoked"),
        ("no revocation list", _no_list, Verdict.NEEDS_REVIEW, "revocation_unknown"),
        ("signer expired", _expired, Verdict.NEEDS_REVIEW, "certificate_expired"),
        ("root unknown", _other_root, Verdict.NOT_A_STAMP, "chain_broken"),
        ("no time stamp", _no_witness, Verdict.NOT_A_STAMP, "time_stamp_missing"),
        ("time stamp by a stranger", _strange_witness, Verdict.NOT_A_STAMP, "time_stamp_wrong"),
        ("authority of time stamps revoked", _authority_revoked, Verdict.NOT_A_STAMP,
         "time_stamp_wrong"),
    )
)  # fmt: skip


# --- serials: only the registry sees these ---


def _replayed(stage: Scene) -> Shown:
    return _shown(stage, another(stage.profile))


def _state(state: SerialState | None) -> Callable[[Scene], Shown]:
    def make(stage: Scene) -> Shown:
        last = stage.serials()[-1]
        registry = registry_of(stage)
        if state is None:
            del registry[last]
        else:
            registry[last] = known(last, state)
        return Shown(stage.whole, registry, trust())

    return make


def _borrowed(stage: Scene) -> Shown:
    """The serial is somebody else's: it is in the registry under another document."""
    last = stage.serials()[-1]
    registry = registry_of(stage) | {last: known(last, signed=bytes(32))}
    return Shown(stage.whole, registry, trust())


def _altered_and_void(stage: Scene) -> Shown:
    registry = {serial: known(serial, SerialState.VOID) for serial in stage.serials()}
    return Shown(tampering.overlaid(stage.whole), registry, trust())


REGISTRY = tuple(
    Attack(name, "serials", make, verdict, reason)
    for name, make, verdict, reason in (
        ("serial replayed in another document", _replayed, Verdict.REUSED, "other_document"),
        ("serial borrowed", _borrowed, Verdict.REUSED, "other_document"),
        ("void serial", _state(SerialState.VOID), Verdict.VOID, "serial_void"),
        ("serial never settled", _state(SerialState.BOUND), Verdict.VOID, "serial_not_settled"),
        ("serial never issued", _state(None), Verdict.NEEDS_REVIEW, "serial_unknown"),
        ("void serial, overlaid", _altered_and_void, Verdict.VOID, "serial_void"),
    )
)

ATTACKS = (*OF_TAMPERING, *OF_SERIALS, *REVISIONS, *AROUND, *SHADOWS, *ISSUERS, *REGISTRY)
assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
