"""How much a request may bring, asked of a running installation."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from meterai.payment.snap import NOTIFY
from meterai.web.body import FILE_REQUEST_MAX, ORDINARY_REQUEST_MAX
from world.demo import Demo

PIECE = 64 * 1024


def form_without_end(size: int) -> Iterator[bytes]:
    """A form with one file, of at least this size, that does not say its length."""
    yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    for _ in range(size // PIECE + 1):
        yield b"0" * PIECE


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/stampings", FILE_REQUEST_MAX),
        ("/v1/verifications", FILE_REQUEST_MAX),
        ("/cek", FILE_REQUEST_MAX),
        ("/unggah", FILE_REQUEST_MAX),
        ("/masuk", ORDINARY_REQUEST_MAX),
        (NOTIFY, ORDINARY_REQUEST_MAX),
    ],
)
def test_a_body_without_end_is_cut_off_and_told_so(demo: Demo, path: str, most: int) -> None:
    with httpx.Client(base_url=demo.url) as stranger:
        key = stranger.post("/demo/kunci-api").json()["key"]
        answer = stranger.post(
            path,
            content=form_without_end(most),
            headers={
                "content-type": "multipart/form-data; boundary=x",
                "authorization": f"Bearer {key}",
                "accept": "application/json",
            },
        )
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(demo: Demo) -> None:
    to = urlsplit(demo.url)
    assert to.hostname is not None
    with socket.create_connection((to.hostname, to.port), timeout=10) as line:
        line.sendall(
            b"POST /v1/verifications HTTP/1.1\r\nhost: here\r\nconnection: close\r\n"
            b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000000000\r\n\r\n"
        )
        said = line.makefile("rb").read()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert json.loads(body)["code"] == "request_too_large"


def test_the_largest_file_that_may_be_checked_still_passes(demo: Demo) -> None:
    answer = httpx.post(
        f"{demo.url}/v1/verifications",
        files={"file": b"%PDF-1.7\n".ljust(32 * 1024 * 1024, b"0")},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["verdict"]) == (200, "unreadable")
