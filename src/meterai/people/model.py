"""Parties, roles and telephone numbers. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from uuid import UUID

from meterai.people.errors import PhoneNotUnderstood

CODE_LIFETIME = timedelta(minutes=10)
"""OWASP ASVS 6.5.5: a one-time code lives at most ten minutes."""
CODE_TRIES_MAX = 5
CODES_PER_HOUR = 5
SESSION_LIFETIME = timedelta(days=30)
GUEST_LINK_DAYS = 30


class PartyKind(Enum):
    """Who holds the quota."""

    GUEST = "guest"
    """Whoever has the secret link; no sign-in."""
    PERSON = "person"
    """Somebody who proved a telephone number."""
    COMPANY = "company"


class Role(Enum):
    """What a person may do beyond their own things."""

    DISTRIBUTOR = "distributor"
    """Sees the stock and the sales of a channel."""
    CLERK = "clerk"
    """Sells at a counter (*petugas loket*)."""
    COMMITTEE = "committee"
    """Checks stamped files for a selection (*panitia*)."""
    OFFICER = "officer"
    """Runs the service (*petugas*): incidents, messages, unplaced payments."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing (*auditor DJP*)."""


class CompanyRole(Enum):
    """What a member may do for the company."""

    OWNER = "owner"
    FINANCE = "finance"
    STAMPER = "stamper"
    VIEWER = "viewer"


class Scope(Enum):
    """What an API key may do."""

    STAMP = "stampings:write"
    READ = "stampings:read"
    VERIFY = "verifications:write"
    AUDIT = "audit:read"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who can hold quota."""

    id: UUID
    kind: PartyKind
    name: str | None
    language: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in a company."""

    company: Party
    role: CompanyRole


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever stands at a door, and what they may do. A stranger has no party."""

    party: Party | None = None
    roles: frozenset[Role] = frozenset()
    memberships: tuple[Membership, ...] = ()

    def may(self, role: Role) -> bool:
        """Whether this visitor has the role."""
        return role in self.roles

    @property
    def holders(self) -> tuple[Party, ...]:
        """The parties whose quota this visitor may see: their own and their companies'."""
        own = () if self.party is None else (self.party,)
        return own + tuple(membership.company for membership in self.memberships)


_MOBILE = re.compile(r"8[1-9][0-9]{7,10}")


def read_phone(typed: str) -> str:
    """An Indonesian mobile number as ``+628…``; ``08…``, ``62…`` and ``+62…`` are understood.

    Raises :class:`PhoneNotUnderstood`.
    """
    digits = re.sub(r"[\s().+-]", "", typed)
    local = digits.removeprefix("62").removeprefix("0")
    if not digits.isascii() or not _MOBILE.fullmatch(local):
        raise PhoneNotUnderstood
    return f"+62{local}"


def masked_phone(phone: str) -> str:
    """``+62812****789``: enough to recognise, not enough to call."""
    return f"{phone[:6]}****{phone[-3:]}"
