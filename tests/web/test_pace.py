"""Whoever asks too often is told when to come again; nobody else notices."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from meterai.api.problems import problem
from meterai.errors import TooMany
from meterai.web import pace
from meterai.web.pace import FILES, QUESTIONS, Buckets, Pace, Share, address_of, share_of

FEW = Share("few", burst=3, each_second=0.5)


def test_a_burst_is_granted_and_then_the_wait_is_said() -> None:
    buckets = Buckets()
    assert [buckets.take("a", FEW, 10.0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert buckets.take("b", FEW, 10.0) == 0
    assert buckets.take("a", FEW, 11.0) == 1.0
    assert buckets.take("a", FEW, 12.0) == 0


@given(st.lists(st.floats(0, 5), max_size=200))
def test_nobody_ever_gets_more_than_the_share(pauses: list[float]) -> None:
    buckets, at, granted = Buckets(), 0.0, 0
    for pause in pauses:
        at += pause
        granted += buckets.take("a", FEW, at) == 0
    assert granted <= FEW.burst + at * FEW.each_second + 1e-6


def test_memory_is_bounded_and_the_latest_are_remembered() -> None:
    buckets = Buckets(most=2)
    for who in "abc":
        for _ in range(3):
            buckets.take(who, FEW, 0.0)
    assert buckets.take("c", FEW, 0.0) > 0
    assert buckets.take("a", FEW, 0.0) == 0


def test_a_folder_of_a_thousand_is_no_abuse() -> None:
    buckets = Buckets()
    assert all(buckets.take("kantor", FILES, 0.0) == 0 for _ in range(1000))


@pytest.mark.parametrize(
    ("method", "path", "share"),
    [
        ("POST", "/cek", FILES),
        ("POST", "/cek/satu", FILES),
        ("POST", "/v1/verifications", FILES),
        ("GET", "/c/0000000000000000000000", QUESTIONS),
        ("GET", "/cek", None),
        ("POST", "/v1/stampings", None),
        ("GET", "/hasil/x", None),
    ],
)
def test_only_what_costs_work_is_counted(method: str, path: str, share: Share | None) -> None:
    assert share_of(method, path) is share


@pytest.mark.parametrize(
    ("client", "forwarded", "behind", "who"),
    [
        ("198.51.100.7", "", False, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", False, "198.51.100.7"),
        ("10.0.0.1", "192.0.2.1, 203.0.113.9", True, "203.0.113.9"),
        ("10.0.0.1", "", True, "10.0.0.1"),
        ("2001:db8::1", "", False, "2001:db8::/64"),
        ("2001:db8::2", "", False, "2001:db8::/64"),
        ("::ffff:198.51.100.7", "", False, "198.51.100.7"),
        ("unix:", "", False, "?"),
    ],
)
def test_who_asks(client: str, forwarded: str, behind: bool, who: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"client": (client, 1), "headers": headers}
    assert address_of(scope, behind_proxy=behind) == who


async def _answer(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _refuse(_: Request, error: TooMany) -> Response:
    return problem(error)


async def test_the_answer_says_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = iter([0.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr(pace, "monotonic", lambda: next(moment))
    monkeypatch.setattr(pace, "QUESTIONS", Share("few", burst=2, each_second=1))
    app = Starlette(routes=[Route("/c/x", _answer)], middleware=[Middleware(Pace, refuse=_refuse)])
    door = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=door, base_url="http://meterai.test") as client:
        assert [(await client.get("/c/x")).status_code for _ in range(2)] == [200, 200]
        told = await client.get("/c/x")
        assert (told.status_code, told.headers["retry-after"]) == (429, "1")
        assert told.json()["code"] == "too_many_requests"
        assert (await client.get("/c/x")).status_code == 200
