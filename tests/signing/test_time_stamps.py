import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from asn1crypto import tsp

from meterai.clock import now
from meterai.proving.pki import make_pki
from meterai.proving.simulators.time_stamps import POLICY, REJECTION, Stamper, TimeStampServer
from meterai.signing.errors import TimeStampUnavailable
from meterai.signing.signed_data import BadSignedData, read_signed_data
from meterai.signing.time_stamps import Authority, TimeStamps, request_of
from meterai.signing.tokens import read_token
from world import pki

IMPRINT = hashlib.sha256(b"tanda tangan").digest()


@pytest.fixture(scope="module")
def server() -> Iterator[TimeStampServer]:
    with TimeStampServer(pki.keys_folder()) as server:
        yield server


def stamps(respond: Callable[[bytes], httpx.Response], *authorities: Authority) -> TimeStamps:
    client = httpx.AsyncClient(transport=pki.answering(respond))
    asked = authorities or (Authority("http://tsa.test/"),)
    return TimeStamps(client, asked, [pki.stamper().key.chain[0]])


def token_in(answer: bytes) -> bytes:
    token: bytes = tsp.TimeStampResp.load(answer)["time_stamp_token"].dump()
    return token


async def test_a_stamp_over_http_holds_and_its_connection_is_kept(server: TimeStampServer) -> None:
    async with TimeStamps.connect([server.url], pki.trust_folder()) as authorities:
        first = await authorities.stamp(IMPRINT)
        second = await authorities.stamp(IMPRINT)
    said = read_token(first.token, IMPRINT, [pki.stamper().key.chain[0]])
    assert said.time == first.time
    assert said.policy == POLICY
    assert first.token != second.token
    assert abs((first.time - now()).total_seconds()) < 30


async def test_the_switch_makes_trouble_and_ends_it(server: TimeStampServer) -> None:
    async with (
        TimeStamps.connect([server.url], pki.trust_folder(), timeout_s=5) as authorities,
        httpx.AsyncClient(trust_env=False) as switch,
    ):
        for mode in ("down", "wrong"):
            await switch.put(server.url + "mode", content=mode)
            assert (await switch.get(server.url + "mode")).text == mode
            with pytest.raises(TimeStampUnavailable):
                await authorities.stamp(IMPRINT)
        assert (await switch.put(server.url + "mode", content="nonsense")).status_code == 400
        await switch.put(server.url + "mode", content="slow 0.01")
        await authorities.stamp(IMPRINT)
        await switch.put(server.url + "mode", content="up")
        await authorities.stamp(IMPRINT)


async def test_an_authority_that_answers_too_slowly_counts_as_down(server: TimeStampServer) -> None:
    server.mode = "slow 5"
    try:
        async with TimeStamps.connect(
            [server.url], pki.trust_folder(), timeout_s=0.05
        ) as authorities:
            with pytest.raises(TimeStampUnavailable):
                await authorities.stamp(IMPRINT)
    finally:
        server.mode = "up"


async def test_the_next_authority_is_asked_when_one_fails_and_the_failed_one_rests() -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == "first":
            return httpx.Response(503)
        return httpx.Response(200, content=pki.stamper().answer(request.content, now(), 1))

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    authorities = TimeStamps(
        client,
        [Authority("http://first/"), Authority("http://second/")],
        [pki.stamper().key.chain[0]],
    )
    stamp = await authorities.stamp(IMPRINT)
    await authorities.stamp(IMPRINT)
    assert stamp.authority == "http://second/"
    assert asked == ["first", "second", "second"]


async def test_no_authority_at_all_is_unavailable() -> None:
    client = httpx.AsyncClient(transport=pki.answering())
    with pytest.raises(TimeStampUnavailable):
        await TimeStamps(client, [], []).stamp(IMPRINT)


@pytest.mark.parametrize(
    "body", [b"", b"halo", bytes(200), b"\x30\x05\x30\x03\x02\x01\x02", b"x" * 70_000]
)
async def test_nonsense_is_no_time_stamp(body: bytes) -> None:
    with pytest.raises(TimeStampUnavailable):
        await stamps(lambda _: httpx.Response(200, content=body)).stamp(IMPRINT)


async def test_a_stamp_for_another_imprint_is_not_taken() -> None:
    other = request_of(hashlib.sha256(b"lain").digest(), 1)
    answer = pki.stamper().answer(other, now(), 1)
    with pytest.raises(TimeStampUnavailable):
        await stamps(lambda _: httpx.Response(200, content=answer)).stamp(IMPRINT)


async def test_a_replayed_stamp_is_not_taken() -> None:
    replayed = pki.stamper().answer(request_of(IMPRINT, 12345), now(), 1)
    with pytest.raises(TimeStampUnavailable):
        await stamps(lambda _: httpx.Response(200, content=replayed)).stamp(IMPRINT)


async def test_a_stamp_under_another_policy_is_not_taken() -> None:
    def respond(query: bytes) -> httpx.Response:
        return httpx.Response(200, content=pki.stamper().answer(query, now(), 1))

    await stamps(respond, Authority("http://tsa.test/", POLICY)).stamp(IMPRINT)
    with pytest.raises(TimeStampUnavailable):
        await stamps(respond, Authority("http://tsa.test/", "1.2.3.4")).stamp(IMPRINT)


async def test_a_stamp_of_a_stranger_with_the_same_name_is_not_taken(tmp_path: Path) -> None:
    make_pki(tmp_path)
    stranger = Stamper.load(tmp_path)
    with pytest.raises(TimeStampUnavailable):
        await stamps(
            lambda query: httpx.Response(200, content=stranger.answer(query, now(), 1))
        ).stamp(IMPRINT)


def test_every_flipped_byte_of_what_was_said_is_found() -> None:
    token = token_in(pki.stamper().answer(request_of(IMPRINT, 7), now(), 1))
    pinned = [pki.stamper().key.chain[0]]
    read_token(token, IMPRINT, pinned)
    data = read_signed_data(token)
    assert data.content is not None
    # version, algorithm set and the certificates that ride along are outside the signature and decide nothing
    for part in (data.content, data.attributes_der[1:], data.signature):
        start = token.index(part)
        for place in range(start, start + len(part)):
            broken = bytearray(token)
            broken[place] ^= 0x04
            with pytest.raises(BadSignedData):
                read_token(bytes(broken), IMPRINT, pinned)


def test_the_stamping_certificate_may_do_nothing_else() -> None:
    # a sealing key of the same authority is no time-stamp authority, even if it were pinned
    impostor = Stamper(pki.seal_key())
    token = token_in(impostor.answer(request_of(IMPRINT, 7), now(), 1))
    with pytest.raises(BadSignedData, match="time_stamp_certificate"):
        read_token(token, IMPRINT, [pki.seal_key().chain[0]])


def test_a_query_that_makes_no_sense_is_rejected() -> None:
    assert pki.stamper().answer(b"halo", now(), 1) == REJECTION
