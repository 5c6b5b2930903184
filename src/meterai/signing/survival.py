"""Did the signatures that were there before survive the stamp? Asked before anything is charged for it."""

from datetime import datetime

from meterai.signing.sealed_file import open_file, signatures_in
from meterai.signing.second_opinion import opinion_on_other
from meterai.signing.trust import Trust

_NOBODY = Trust(roots=(), issuers=(), seals=(), time_stamps=())


def lost_signatures(source: bytes, whole: bytes, at: datetime) -> tuple[str, ...]:
    """Fields of signatures that hold in ``source`` and no longer hold in ``whole``, whoever made them.

    ``whole`` is ``source`` with an increment. A signature that was broken before cannot be lost.
    """
    before = _holding(source, at)
    after = _holding(whole, at) if before else frozenset()
    return tuple(sorted(before - after))


def _holding(data: bytes, at: datetime) -> frozenset[str]:
    try:
        reader = open_file(data)
        found = signatures_in(reader)
    except Exception:  # noqa: BLE001 - what cannot be read holds nothing
        return frozenset()
    names = set()
    for signature in found:
        try:
            opinion = opinion_on_other(reader, signature, _NOBODY, at)
        except Exception:  # noqa: BLE001, S112 - a signature that the validator stumbles over does not hold
            continue
        if opinion.intact and opinion.whole_revision and opinion.permitted:
            names.add(signature.field)
    return frozenset(names)
