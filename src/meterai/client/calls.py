"""Calls to the API, one method each; answers are typed, failures are :class:`Problem`."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx
import msgspec

from meterai.client.errors import Problem, ServerUnreachable, StrangeAnswer


class Instance(msgspec.Struct):
    """What an installation says of itself."""

    product: str
    version: str
    demo: bool


class Stamping(msgspec.Struct):
    """One stamping; see the API."""

    id: UUID
    state: str
    final: bool
    file_name: str
    document_sha256: str
    file_sha256: str | None
    serials: list[str]
    units: int
    units_restored: int
    reason: str | None
    attempts: int
    reserved_at: datetime
    deadline: datetime
    ended_at: datetime | None


class Verification(msgspec.Struct):
    """One verdict; see the API."""

    verdict: str
    reason: str
    title: str
    title_en: str
    sentence: str
    sentence_en: str
    serials: list[str]
    sha256: str
    sealed_at: datetime | None
    signer: str | None
    last_good_bytes: int | None
    checked: list[str]
    not_checked: list[str]


class TrueFile(msgspec.Struct):
    """What may be told of the document that a reused serial belongs to."""

    affixed_at: datetime
    pages: int


class RegistryAnswer(msgspec.Struct):
    """What the registry says of one pair of serial and digest."""

    serial: str
    signed_sha256: str
    verdict: str
    reason: str
    true_file: TrueFile | None


class _Answers(msgspec.Struct):
    answers: list[RegistryAnswer]


class Units(msgspec.Struct):
    """The caller's units by state."""

    available: int
    reserved: int
    used: int


class Contradiction(msgspec.Struct):
    """One contradiction to an invariant."""

    invariant: int
    name: str
    about: str
    detail: str


class AuditReport(msgspec.Struct):
    """What an audit found."""

    clean: bool
    counted: dict[str, int]
    contradictions: list[Contradiction]


class Client:
    """One installation, called with one API key."""

    def __init__(self, url: str, key: str | None = None, *, patience_s: float = 60) -> None:
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def instance(self) -> Instance:
        """What is installed there. Raises :class:`ServerUnreachable`."""
        return msgspec.json.decode(self._get("/instance.json"), type=Instance)

    def demo_key(self) -> str:
        """A key of the demo company; only a demo gives one."""
        body = self._send("POST", "/demo/kunci-api")
        return str(msgspec.json.decode(body)["key"])

    def public_keys(self) -> bytes:
        """The keys that signed statements are checked by, as JWKS."""
        return self._get("/.well-known/meterai-keys.json")

    def trust_bundle(self) -> bytes:
        """Whose seals the installation recognises, as a signed statement."""
        return self._get("/v1/trust-bundle")

    def registry_snapshot(self) -> bytes:
        """The registry as a signed file."""
        return self._get("/v1/registry-snapshot")

    def stamp(
        self, name: str, content: bytes, fields: dict[str, str], *, idempotency_key: str
    ) -> Stamping:
        """The document waits to be stamped; the same key gives the same stamping."""
        body = self._send(
            "POST",
            "/v1/stampings",
            files={"file": (name, content, "application/pdf")},
            data=fields,
            headers={"idempotency-key": idempotency_key},
        )
        return msgspec.json.decode(body, type=Stamping)

    def stamping(self, id: UUID, *, wait_s: float = 0) -> Stamping:
        """The stamping now, or when it has ended within ``wait_s`` seconds (at most 25)."""
        return msgspec.json.decode(self._get(f"/v1/stampings/{id}?wait={wait_s}"), type=Stamping)

    def stamped_file(self, id: UUID) -> bytes:
        """The stamped PDF."""
        return self._get(f"/v1/stampings/{id}/file")

    def verify(self, name: str, content: bytes) -> Verification:
        """The verdict on a file."""
        body = self._send(
            "POST", "/v1/verifications", files={"file": (name, content, "application/pdf")}
        )
        return msgspec.json.decode(body, type=Verification)

    def ask_registry(self, pairs: Sequence[tuple[str, bytes]]) -> list[RegistryAnswer]:
        """What the registry says of each pair of a serial and a digest of a signed range (at most 5,000)."""
        asked = [{"serial": serial, "signed_sha256": digest.hex()} for serial, digest in pairs]
        body = self._send("POST", "/v1/verifications", json={"pairs": asked})
        return msgspec.json.decode(body, type=_Answers).answers

    def units(self) -> Units:
        """The caller's units by state."""
        return msgspec.json.decode(self._get("/v1/units"), type=Units)

    def audit(self) -> AuditReport:
        """All invariants, checked now."""
        return msgspec.json.decode(self._send("POST", "/v1/audits"), type=AuditReport)

    def _get(self, path: str) -> bytes:
        return self._send("GET", path)

    def _send(self, method: str, path: str, **more: object) -> bytes:
        try:
            answer = self._http.request(method, path, **more)  # type: ignore[arg-type]  # passed on to httpx as it is
        except httpx.HTTPError as error:
            raise ServerUnreachable(url=self.url) from error
        if answer.status_code >= 400:
            try:
                body = msgspec.json.decode(answer.content, type=dict[str, object])
            except msgspec.DecodeError as error:
                raise StrangeAnswer(url=self.url, status=answer.status_code) from error
            raise Problem(answer.status_code, body)
        return answer.content
