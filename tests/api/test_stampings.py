"""Stampings over HTTP, as a company's program makes them."""

import hashlib
import io
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pikepdf
import pytest

from meterai.client.calls import Client
from meterai.client.errors import Problem
from meterai.proving.sample import sample_letter
from world.demo import Demo
from world.tampering import gap


@pytest.fixture(scope="module")
def company(demo: Demo) -> Iterator[Client]:
    """The demo company's program."""
    with Client(demo.url) as stranger:
        key = stranger.demo_key()
    with Client(demo.url, key) as client:
        yield client


@pytest.fixture
def letter() -> bytes:
    return sample_letter(about=uuid.uuid4().hex)


def locked(letter: bytes, password: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(user=password, owner="owner"))
    return out.getvalue()


def refused(company: Client, content: bytes, **fields: str) -> Problem:
    with pytest.raises(Problem) as caught:
        company.stamp("surat.pdf", content, fields, idempotency_key=uuid.uuid4().hex)
    return caught.value


def test_a_pdf_goes_in_and_comes_out_stamped_with_the_original_bytes_in_front(
    company: Client, letter: bytes
) -> None:
    before = company.units()
    made = company.stamp("surat.pdf", letter, {}, idempotency_key=uuid.uuid4().hex)
    done = company.stamping(made.id, wait_s=25)
    assert (done.state, done.final, len(done.serials)) == ("affixed", True, 1)
    file = company.stamped_file(done.id)
    assert file.startswith(letter)
    verdict = company.verify("surat.pdf", file)
    assert (verdict.verdict, verdict.serials) == ("genuine", done.serials)
    after = company.units()
    assert (after.available, after.used) == (before.available - 1, before.used + 1)


def test_the_same_key_gives_the_same_stamping_also_when_many_ask_at_once(
    company: Client, letter: bytes
) -> None:
    before = company.units()
    key = uuid.uuid4().hex
    with ThreadPoolExecutor(8) as many:
        made = list(
            many.map(
                lambda _: company.stamp("surat.pdf", letter, {}, idempotency_key=key), range(8)
            )
        )
    assert len({stamping.id for stamping in made}) == 1
    company.stamping(made[0].id, wait_s=25)
    after = company.units()
    assert after.available + after.reserved == before.available + before.reserved - 1


def test_the_same_key_with_another_document_is_refused(company: Client, letter: bytes) -> None:
    key = uuid.uuid4().hex
    company.stamp("surat.pdf", letter, {}, idempotency_key=key)
    with pytest.raises(Problem) as caught:
        company.stamp("surat.pdf", letter + b"\n", {}, idempotency_key=key)
    assert (caught.value.status, caught.value.server_code) == (409, "idempotency_key_reused")


def test_a_document_stamped_before_wants_to_be_asked_for_twice(
    company: Client, letter: bytes
) -> None:
    first = company.stamp("surat.pdf", letter, {}, idempotency_key=uuid.uuid4().hex)
    company.stamping(first.id, wait_s=25)
    assert refused(company, letter).status in (409, 422)
    second = company.stamp(
        "surat.pdf", letter, {"repeat": "true"}, idempotency_key=uuid.uuid4().hex
    )
    assert second.id != first.id
    assert company.stamping(second.id, wait_s=25).state == "affixed"


def test_a_file_with_a_password_costs_no_unit(company: Client, letter: bytes) -> None:
    before = company.units()
    problem = refused(company, locked(letter, "rahasia"))
    assert problem.status == 422
    assert company.units() == before


def test_a_file_with_an_empty_password_is_stamped_inside_its_encryption(
    company: Client, letter: bytes
) -> None:
    original = locked(letter, "")
    made = company.stamp("surat.pdf", original, {}, idempotency_key=uuid.uuid4().hex)
    done = company.stamping(made.id, wait_s=25)
    assert done.state == "affixed", done.reason
    file = company.stamped_file(done.id)
    assert file.startswith(original)
    with pikepdf.open(io.BytesIO(file)) as pdf:
        assert pdf.is_encrypted
    assert company.verify("surat.pdf", file).verdict == "genuine"


@pytest.mark.parametrize(
    "fields",
    [
        {"page": "99"},
        {"position": "everywhere"},
        {"left_mm": "10"},
        {"left_mm": "9000", "top_mm": "9000"},
        {"left_mm": "nan", "top_mm": "nan"},
        {"document_date": "yesterday"},
    ],
)
def test_a_place_that_makes_no_sense_is_refused_before_anything_is_charged(
    company: Client, letter: bytes, fields: dict[str, str]
) -> None:
    before = company.units()
    assert refused(company, letter, **fields).status in (400, 422)
    assert company.units() == before


def test_nobody_reads_the_stampings_of_others_or_without_a_key(
    company: Client, demo: Demo, letter: bytes
) -> None:
    made = company.stamp("surat.pdf", letter, {}, idempotency_key=uuid.uuid4().hex)
    for headers in ({}, {"authorization": "Bearer mk_wrong"}, {"authorization": "Basic x"}):
        answer = httpx.get(f"{demo.url}/v1/stampings/{made.id}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_not_accepted")
    assert refused_look(company, str(uuid.uuid4())) == 404


def refused_look(company: Client, id: str) -> int:
    with pytest.raises(Problem) as caught:
        company.stamping(uuid.UUID(id))
    return caught.value.status


def test_a_failure_is_a_problem_in_both_languages_with_its_next_step(demo: Demo) -> None:
    for path, status in (("/v1/nothing/here", 404), ("/v1/units", 401)):
        answer = httpx.get(demo.url + path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["title"] != body["title_en"]
        assert body["next_step"]
        assert body["type"] == f"urn:meterai:error:{body['code']}"


def test_a_broken_file_is_repaired_only_with_consent(company: Client, letter: bytes) -> None:
    broken = letter[:-300]
    before = company.units()
    assert refused(company, broken).server_code == "repair_needed"
    assert company.units() == before
    key = uuid.uuid4().hex
    made = company.stamp("surat.pdf", broken, {"repair": "true"}, idempotency_key=key)
    done = company.stamping(made.id, wait_s=25)
    assert done.state == "affixed"
    assert company.verify("surat.pdf", company.stamped_file(done.id)).verdict == "genuine"
    again = company.stamp("surat.pdf", broken, {"repair": "true"}, idempotency_key=key)
    assert again.id == made.id


def test_the_registry_answers_pairs_without_seeing_any_file(company: Client, letter: bytes) -> None:
    made = company.stamp("surat.pdf", letter, {}, idempotency_key=uuid.uuid4().hex)
    file = company.stamped_file(company.stamping(made.id, wait_s=25).id)
    serial = made.serials[0]
    digest = signed_digest(file)
    answers = company.ask_registry([(serial, digest), (serial, bytes(32)), ("0" * 22, digest)])
    assert [(a.verdict, a.reason) for a in answers] == [
        ("genuine", "registered"),
        ("reused", "other_document"),
        ("needs_review", "serial_unknown"),
    ]
    assert answers[1].true_file is not None
    assert answers[1].true_file.pages == 1
    assert [a.signed_sha256 for a in answers] == [digest.hex(), bytes(32).hex(), digest.hex()]


def test_pairs_that_make_no_sense_are_refused(demo: Demo) -> None:
    for body in (b"", b"[]", b'{"pairs":[]}', b'{"pairs":[{"serial":"x","signed_sha256":"y"}]}'):
        answer = httpx.post(
            f"{demo.url}/v1/verifications",
            content=body,
            headers={"content-type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), body


def signed_digest(file: bytes) -> bytes:
    start, end = gap(file)
    return hashlib.sha256(file[:start] + file[end:]).digest()
