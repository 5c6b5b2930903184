import base64
import json
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from meterai.proving.pki import make_pki
from meterai.signing.errors import KeyNotUsable, StatementNotGenuine
from meterai.signing.statement import Statement, StatementKey, public_keys_of, verify
from meterai.signing.trust import Trust
from world import pki

KEY = StatementKey.load(pki.keys_folder())
KEYS = KEY.public_keys()
AT = datetime(2026, 11, 24, 7, 5, 9, tzinfo=UTC)
FACTS = {"units": 1, "serials": ["7K4P2M9QAB0O1I5S8BZ2XY"], "reason": "time_stamp_down"}


def decoded(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "==")))


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_statement_says_what_was_signed() -> None:
    said = verify(KEY.sign("restoration", FACTS, AT), KEYS)
    assert said.kind == "restoration"
    assert said.facts == FACTS
    assert said.issued_at == AT
    assert said.issuer == "CONTOH Surat Keterangan"
    assert said.key_id == KEY.key_id


def test_each_statement_has_an_id_of_its_own() -> None:
    first, second = (verify(KEY.sign("outage", {}, AT), KEYS) for _ in range(2))
    assert first.id != second.id


def test_the_header_names_key_and_type_and_nothing_else() -> None:
    assert decoded(KEY.sign("outage", {}).split(".")[0]) == {
        "alg": "ES256",
        "kid": KEY.key_id,
        "typ": "meterai-statement+jws",
    }


def test_anybodys_library_can_verify_it() -> None:
    # RFC 7515 by hand: the signing input is header.payload, the signature r and s of 32 bytes each
    jws = KEY.sign("outage", FACTS)
    signed, _, signature = jws.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    (jwk,) = KEYS["keys"]
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[c] + "=="), "big") for c in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))


@given(st.data())
def test_a_changed_sign_is_found(data: st.DataObject) -> None:
    jws = list(KEY.sign("outage", FACTS))
    place = data.draw(st.integers(0, len(jws) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=+/ "))
    if other == jws[place]:
        return
    jws[place] = other
    with pytest.raises(StatementNotGenuine):
        verify("".join(jws), KEYS)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": KEY.key_id, "typ": "meterai-statement+jws"},
        {"alg": "HS256", "kid": KEY.key_id, "typ": "meterai-statement+jws"},
        {"alg": "ES256", "kid": KEY.key_id, "typ": "JWT"},
        {"alg": "ES256", "kid": KEY.key_id},
        {"alg": "ES256", "kid": "other", "typ": "meterai-statement+jws"},
        {"alg": "ES256", "kid": KEY.key_id, "typ": "meterai-statement+jws", "crit": ["exp"]},
        {"alg": "ES256", "kid": KEY.key_id, "typ": "meterai-statement+jws", "jwk": {}},
    ],
)
def test_another_header_is_refused(header: dict[str, object]) -> None:
    _, payload, signature = KEY.sign("outage", {}).split(".")
    with pytest.raises(StatementNotGenuine):
        verify(f"{encoded(header)}.{payload}.{signature}", KEYS)


@pytest.mark.parametrize("junk", ["", ".", "..", "a.b.c", "a.b.c.d", "{}", "x" * 2_000_000])
def test_what_is_no_statement_is_refused(junk: str) -> None:
    with pytest.raises(StatementNotGenuine):
        verify(junk, KEYS)


def test_a_signature_of_noughts_is_refused() -> None:
    head, payload, _ = KEY.sign("outage", {}).split(".")
    with pytest.raises(StatementNotGenuine):
        verify(f"{head}.{payload}.{'A' * 86}", KEYS)


def test_a_key_of_somebody_else_is_unknown(tmp_path: Path) -> None:
    make_pki(tmp_path)
    with pytest.raises(StatementNotGenuine):
        verify(StatementKey.load(tmp_path).sign("outage", {}), KEYS)


def test_statements_of_an_earlier_key_stay_verifiable(tmp_path: Path) -> None:
    make_pki(tmp_path)
    old = StatementKey.load(tmp_path)
    jws = old.sign("outage", FACTS, AT)
    for name in ("statement.key", "statement-chain.pem"):
        (tmp_path / name).unlink()
    known = (tmp_path / "trust/statements.pem").read_bytes()
    make_pki(tmp_path)
    new = tmp_path / "trust/statements.pem"
    new.write_bytes(new.read_bytes() + known)
    fresh = StatementKey.load(tmp_path)
    assert fresh.key_id != old.key_id
    assert verify(jws, fresh.public_keys()).facts == FACTS
    assert verify(jws, public_keys_of(Trust.load(tmp_path / "trust").statements)).facts == FACTS


def test_only_a_p256_key_signs_statements(tmp_path: Path) -> None:
    for ours, theirs in (("seal.key", "statement.key"), ("seal-chain.pem", "statement-chain.pem")):
        (tmp_path / theirs).write_bytes((pki.keys_folder() / ours).read_bytes())
    with pytest.raises(KeyNotUsable):
        StatementKey.load(tmp_path)


def test_what_is_found_genuine_is_a_value() -> None:
    said = verify(KEY.sign("outage", {}, AT).encode() + b"\n", KEYS)
    assert isinstance(said, Statement)
