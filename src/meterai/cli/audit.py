"""``meterai audit``: every invariant and the journal's chain; exit 0 only when all is clean."""

from pathlib import Path

from meterai.audit.model import Invariant, Report
from meterai.audit.package import write_package
from meterai.audit.recomputation import recompute
from meterai.audit.reconciler import audit
from meterai.cli.speech import record, say
from meterai.client.calls import AuditReport, Client, Contradiction
from meterai.clock import now
from meterai.settings import Settings
from meterai.signing.paper import read
from meterai.signing.trust import Trust
from meterai.wiring import open_app


def ask_server(client: Client) -> AuditReport:
    """The server checks itself now."""
    return client.audit()


async def read_folder(settings: Settings) -> AuditReport:
    """The books and files of a data folder, read directly; PostgreSQL is started for it if it is down."""
    cluster = None if settings.database_url else settings.cluster()
    was_running = cluster is None or cluster.pid is not None
    if cluster is not None:
        await cluster.start()
    try:
        async with open_app(settings, "audit") as app:
            report = await audit(
                app.database,
                objects=app.objects,
                examine=app.examine_here,
                read_statement=app.read_statement,
            )
    finally:
        if cluster is not None and not was_running:
            await cluster.stop()
    return _told(report)


def read_package(file: Path, trust: Trust) -> AuditReport:
    """An auditor's package, computed anew; the signature is checked by ``trust``. Reads nothing else."""

    def read_statement(statement: str) -> tuple[str, dict[str, object]]:
        said = read(statement.encode(), trust)
        return said.kind, dict(said.facts)

    return _told(recompute(file, read_statement))


async def pack_folder(settings: Settings, file: Path) -> None:
    """``file`` is the auditor's package of a data folder whose database runs."""
    async with open_app(settings, "audit") as app:
        await write_package(app.database, app.statements, file, now())


def _told(report: Report) -> AuditReport:
    return AuditReport(
        report.clean,
        report.counted,
        [
            Contradiction(d.invariant.value, d.invariant.name.lower(), d.about, d.detail)
            for d in report.discrepancies
        ],
    )


def report(found: AuditReport, *, as_json: bool) -> None:
    """What was counted, and each contradiction."""
    if as_json:
        record(
            {
                "clean": found.clean,
                "counted": found.counted,
                "contradictions": [
                    {
                        "invariant": c.invariant,
                        "name": c.name,
                        "about": c.about,
                        "detail": c.detail,
                    }
                    for c in found.contradictions
                ],
            }
        )
        return
    for invariant in Invariant:
        broken = [c for c in found.contradictions if c.invariant == invariant.value]
        mark = "✓" if not broken else "✗"
        say(f"{mark} {invariant.value} {invariant.name.lower():<10} {_first_sentence(invariant)}")
        for c in broken:
            say(f"      {c.about}: {c.detail}")
    counted = "  ".join(f"{name} {number}" for name, number in found.counted.items())
    say(f"\n{counted}")
    say("Bersih." if found.clean else f"{len(found.contradictions)} pertentangan.")


def _first_sentence(invariant: Invariant) -> str:
    return {
        Invariant.BOOKS: "buku besar seimbang, rantai jurnal utuh",
        Invariant.UNITS: "keping: terbit = stok + tersedia + ditahan + terpakai + ditarik",
        Invariant.SERIALS: "nomor seri: satu seri, satu dokumen",
        Invariant.PAYMENTS: "pembayaran: masing-masing berakhir tepat sekali",
        Invariant.FILES: "berkas: ada, sama dengan registri, dan sah",
        Invariant.DEADLINES: "batas waktu: yang gagal sudah kembali, tepat sekali",
        Invariant.PROMISES: "janji: tidak ada yang hilang",
    }[invariant]
