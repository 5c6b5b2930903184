"""How the intake is asked and answers: a small JSON head and a body, each behind its length. Pure."""

import struct

import msgspec

LENGTHS = struct.Struct(">II")
BODY_MAX = 64 * 1024**2


class Ask(msgspec.Struct, frozen=True, tag_field="job"):
    """A job on a document, which is the body."""


class AskInspect(Ask, frozen=True, tag="inspect"):
    """Whether it may be stamped, and what it is like."""

    bytes_max: int


class AskRepair(Ask, frozen=True, tag="repair"):
    """Itself, written anew; for what an inspection said can be repaired."""

    bytes_max: int


class AskPicture(Ask, frozen=True, tag="picture"):
    """How a page looks."""

    page: int
    width_px: int


class AskSuggest(Ask, frozen=True, tag="suggest"):
    """Where on the page the mark would stand well."""

    page: int


class AskExamine(Ask, frozen=True, tag="examine"):
    """What its seal is worth."""

    twice: bool = True
    """By both roads, which must agree; one of thousands goes the fast road first."""


class AskRead(Ask, frozen=True, tag="read"):
    """What it states, if it is a signed paper of this installation."""


AnyAsk = AskRead | AskInspect | AskRepair | AskPicture | AskSuggest | AskExamine


class Answer(msgspec.Struct, frozen=True):
    """``failed`` names a known failure (its code and facts); else the body is the result."""

    failed: str | None = None
    facts: dict[str, str | int] = {}


def pack(head: bytes, body: bytes) -> bytes:
    """Head and body behind their lengths."""
    return LENGTHS.pack(len(head), len(body)) + head + body
