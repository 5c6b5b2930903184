"""Signatures are checked against openssl and published vectors, never only against ourselves."""

import base64
import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from meterai.clock import now
from meterai.payment.snap_signing import (
    mac,
    mac_fits,
    to_sign,
    to_sign_for_token,
    to_sign_with_token,
    token_for,
    token_good,
)
from meterai.signing.messages import MessageKey, PartnerKey, make_pair

RAW = b'{"amount":{"value":"10500.00","currency":"IDR"}}'
TIME = "2026-11-25T10:00:00+07:00"
RFC_4231 = [  # HMAC-SHA-512, test cases 1, 2, 3, 6
    (
        b"\x0b" * 20,
        b"Hi There",
        (
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
            "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        ),
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        (
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        (
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
            "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"
        ),
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        (
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        ),
    ),
]


@pytest.mark.parametrize(("key", "message", "digest"), RFC_4231)
def test_the_symmetric_signature_is_rfc_4231s(key: bytes, message: bytes, digest: str) -> None:
    assert base64.b64decode(mac(key, message)).hex() == digest
    assert mac_fits(key, message, mac(key, message))
    assert not mac_fits(key, message + b"!", mac(key, message))


def test_what_is_signed_is_spelled_as_the_standard_says() -> None:
    digest = hashlib.sha256(RAW).hexdigest()
    path = "/v1.0/qr/qr-mpm-notify"
    assert to_sign("POST", path, RAW, TIME).decode() == f"POST:{path}:{digest}:{TIME}"
    assert (
        to_sign_with_token("POST", path, "TOKEN", RAW, TIME).decode()
        == f"POST:{path}:TOKEN:{digest}:{TIME}"
    )
    assert to_sign_for_token("client", TIME) == f"client|{TIME}".encode()
    assert digest == digest.lower()


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(
        ["openssl", *arguments], input=stdin, check=True, capture_output=True
    ).stdout


def test_openssl_accepts_our_asymmetric_signature_and_we_accept_its(tmp_path: Path) -> None:
    key, public = tmp_path / "our.key", tmp_path / "our.pub"
    make_pair(key, public)
    message = to_sign("POST", "/v1.0/qr/qr-mpm-generate", RAW, TIME)
    (tmp_path / "signature").write_bytes(base64.b64decode(MessageKey.load(key).sign(message)))
    said = openssl(
        "dgst", "-sha256", "-verify", str(public), "-signature", str(tmp_path / "signature"),
        stdin=message,
    )  # fmt: skip
    assert said.strip() == b"Verified OK"
    openssl("genrsa", "-out", str(tmp_path / "their.key"), "2048")
    openssl(
        "rsa", "-in", str(tmp_path / "their.key"), "-pubout", "-out", str(tmp_path / "their.pub")
    )
    theirs = openssl("dgst", "-sha256", "-sign", str(tmp_path / "their.key"), stdin=message)
    partner = PartnerKey.load(tmp_path / "their.pub")
    assert partner.signed(message, base64.b64encode(theirs).decode())
    assert not partner.signed(message + b" ", base64.b64encode(theirs).decode())


def test_openssl_makes_the_same_symmetric_signature() -> None:
    message = to_sign_with_token("POST", "/v1.0/qr/qr-mpm-query", "TOKEN", RAW, TIME)
    said = openssl("dgst", "-sha512", "-hmac", "a secret", "-binary", stdin=message)
    assert base64.b64encode(said).decode() == mac(b"a secret", message)


def test_an_access_token_of_ours_is_good_for_its_client_until_its_end() -> None:
    moment = now()
    until = int(moment.timestamp()) + 900
    token = token_for(b"secret", "snap", until)
    assert token_good(b"secret", token, "snap", moment)
    assert not token_good(b"secret", token, "other", moment)
    assert not token_good(b"another", token, "snap", moment)
    assert not token_good(b"secret", token, "snap", moment + timedelta(seconds=901))
    for bad in ("", "x", token[:-2], token + "=", "AAAA" * 20):
        assert not token_good(b"secret", bad, "snap", moment)
