"""How often one address may ask what costs us work and nobody an account: a bucket for each, no captcha.

In memory, of this process: it needs no database (which may be away), costs microseconds, and there is one web
process a machine. With several machines each grants its own share, so a caller gets at most as many shares.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from meterai.clock import monotonic
from meterai.errors import TooMany
from meterai.web.body import CHECK_FILES

ADDRESSES_MAX = 50_000
"""Addresses that are remembered, the latest: about 10 MB."""

Refuse = Callable[[Request, TooMany], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Share:
    """What one address may do: ``burst`` at once, then ``each_second``."""

    name: str
    burst: float
    each_second: float


FILES = Share("files", burst=2_000, each_second=10)
"""Files to be opened: a folder of two thousand at once, for a whole office behind one address."""
QUESTIONS = Share("questions", burst=300, each_second=5)
"""Looking up serials: nobody scans faster, and a guess at a short MAC succeeds once in 10^12."""


def share_of(method: str, path: str) -> Share | None:
    """Which share a request takes from, if any."""
    if method == "POST" and path in CHECK_FILES:
        return FILES
    if path.startswith("/c/") or path == "/lacak":
        return QUESTIONS
    return None


class Buckets:
    """What is left to each address. Pure but for its own memory."""

    def __init__(self, most: int = ADDRESSES_MAX) -> None:
        self._most = most
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, who: str, share: Share, at: float) -> float:
        """One is taken at ``at`` (seconds) and 0 returned, or the seconds until there is one again."""
        key = share.name, who
        left, since = self._left.pop(key, (share.burst, at))
        left = min(share.burst, left + max(0.0, at - since) * share.each_second)
        enough = left >= 1
        self._left[key] = (left - 1 if enough else left, at)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) / share.each_second


def address_of(scope: Scope, *, behind_proxy: bool) -> str:
    """Who asks: an IPv4 address, or the /64 of an IPv6 address, which is one household."""
    said = (scope.get("client") or ("?",))[0]
    if behind_proxy:
        named = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
        said = named.rsplit(",", 1)[-1].strip() or said
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return "?"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Pace:
    """ASGI middleware: whoever has used up a share is told when to come again (429, ``Retry-After``)."""

    def __init__(self, app: ASGIApp, refuse: Refuse, *, behind_proxy: bool = False) -> None:
        self._app = app
        self._refuse = refuse
        self._behind_proxy = behind_proxy
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers before its body is read."""
        share = share_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if share is not None:
            who = address_of(scope, behind_proxy=self._behind_proxy)
            wait = self._buckets.take(who, share, monotonic())
            if wait:
                answer = await self._refuse(Request(scope), TooMany(seconds=ceil(wait)))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
