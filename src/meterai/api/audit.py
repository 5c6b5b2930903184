"""The audit from outside: every invariant checked now."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from meterai.api.access import Auditor, app_of
from meterai.audit.reconciler import audit

router = APIRouter(tags=["audit"])


class Contradiction(BaseModel):
    """One contradiction to an invariant."""

    invariant: int
    name: str
    about: str
    detail: str


class AuditReport(BaseModel):
    """What was counted, and what contradicts the invariants: nothing, when all is well."""

    clean: bool
    counted: dict[str, int]
    contradictions: list[Contradiction]


@router.post("/audits")
async def create_audit(request: Request, _caller: Auditor) -> AuditReport:
    """All seven invariants over books, registry, payments, affixings, certificates and files."""
    app = app_of(request)
    report = await audit(
        app.database,
        objects=app.objects,
        examine=app.examine_file,
        read_statement=app.read_statement,
    )
    return AuditReport(
        clean=report.clean,
        counted=report.counted,
        contradictions=[
            Contradiction(
                invariant=found.invariant.value,
                name=found.invariant.name.lower(),
                about=found.about,
                detail=found.detail,
            )
            for found in report.discrepancies
        ],
    )
