"""A statement on paper: one page for people, the signed statement attached, the page itself sealed.

Indonesian first, English below. The page only repeats what the attached JWS says; both are signed by the
statement key, and :func:`read` accepts a paper only when both hold.
"""

import asyncio
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import pikepdf
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import cms_embedder
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from meterai.signing.errors import StatementNotGenuine
from meterai.signing.keys import SealKey
from meterai.signing.paper_page import Row, Wording, draw
from meterai.signing.paper_table import Table
from meterai.signing.seal import Sealer
from meterai.signing.sealed_file import (
    docmdp_level,
    is_the_certification,
    open_file,
    range_of,
    signatures_in,
)
from meterai.signing.signed_data import check_signature, read_signed_data
from meterai.signing.statement import Statement, StatementKey, public_keys_of, verify
from meterai.signing.time_stamps import TimeStamps
from meterai.signing.trust import Trust

__all__ = ["Row", "Table", "Wording", "read", "write_paper"]

ATTACHMENT = "pernyataan.jws"
FIELD = "Keterangan"
TABLE = "tabel.csv"
PDF_MAX = 16 * 1024 * 1024


async def write_paper(
    jws: str, wording: Wording, key: StatementKey, time_stamps: TimeStamps | None
) -> bytes:
    """The statement as a sealed PDF of one page, and of the pages of a table if there is one.

    ``time_stamps`` is None only where a paper must be given out although no authority answers.
    Raises :class:`StatementNotGenuine` for a statement that ``key`` did not sign, and what sealing raises.
    """
    statement = verify(jws, key.public_keys())
    files = {ATTACHMENT: ("application/jose", jws.encode())}
    if wording.table is not None:
        _check_table(statement, wording.table.content)
        files[TABLE] = ("text/csv", wording.table.content)
    drawn = await asyncio.to_thread(draw, statement, wording, ATTACHMENT)  # a table has many pages
    drawn = _with_attachments(drawn, files, statement.issued_at)
    return await _sealed(drawn, key.key, time_stamps, statement.issued_at)


def read(data: bytes, trust: Trust) -> Statement:
    """What a paper (PDF) or a bare statement (JWS) says, if it is genuine; no network is needed.

    Raises :class:`StatementNotGenuine`.
    """
    keys = public_keys_of(trust.statements)
    if not data.startswith(b"%PDF-"):
        return verify(data, keys)
    if len(data) > PDF_MAX:
        raise StatementNotGenuine(why="too long")
    _check_seal(data, trust.statements)
    statement = verify(_attached(data, ATTACHMENT), keys)
    if "table_sha256" in statement.facts:
        _check_table(statement, _attached(data, TABLE))
    return statement


def _check_table(statement: Statement, content: bytes) -> None:
    if statement.facts.get("table_sha256") != hashlib.sha256(content).hexdigest():
        raise StatementNotGenuine(why="another table")


def _check_seal(data: bytes, pinned: Sequence[bytes]) -> None:
    """Exactly one signature, by the statement key, over the whole file, that permits no change."""
    try:
        why = _flaw(data, pinned)
    except Exception as error:
        raise StatementNotGenuine(why="changed, or no paper of ours") from error
    if why is not None:
        raise StatementNotGenuine(why=why)


def _flaw(data: bytes, pinned: Sequence[bytes]) -> str | None:
    """What is wrong with the seal of a paper, if anything. Raises whatever strange bytes make it raise."""
    reader = open_file(data)
    signatures = signatures_in(reader)
    if [signature.field for signature in signatures] != [FIELD]:
        return "not sealed as our papers are"
    (only,) = signatures
    where = range_of(data, reader, only)
    signed = read_signed_data(where.seal)
    if signed.certificate not in pinned:
        return "sealed by somebody else"
    digest = hashlib.sha256(data[: where.gap_start] + data[where.gap_end : where.end]).digest()
    check_signature(signed, digest)
    whole = where.end == len(data) and signed.digest_algorithm == "sha256"
    if not whole or docmdp_level(only) != 1 or not is_the_certification(reader, only):
        return "changed after it was sealed"
    return None


def _attached(data: bytes, name: str) -> bytes:
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            return bytes(pdf.attachments[name].get_file().read_bytes())
    except (pikepdf.PdfError, KeyError) as error:
        raise StatementNotGenuine(why="no statement attached") from error


def _with_attachments(
    page: bytes, files: Mapping[str, tuple[str, bytes]], moment: datetime
) -> bytes:
    with pikepdf.open(io.BytesIO(page)) as pdf:
        stamp = moment.strftime("D:%Y%m%d%H%M%SZ")
        for name, (kind, content) in files.items():
            pdf.attachments[name] = pikepdf.AttachedFileSpec(
                pdf, content, filename=name, mime_type=kind, creation_date=stamp, mod_date=stamp
            )
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


async def _sealed(
    document: bytes, key: SealKey, time_stamps: TimeStamps | None, moment: datetime
) -> bytes:
    sealer = Sealer(key, time_stamps)
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    steps = cms_embedder.PdfCMSEmbedder(SigFieldSpec(FIELD)).write_cms(FIELD, writer)
    next(steps)
    steps.send(
        cms_embedder.SigObjSetup(
            SignatureObject(
                timestamp=moment,
                subfilter=SigSeedSubFilter.PADES,
                bytes_reserved=2 * sealer.gap_bytes,
            ),
            mdp_setup=cms_embedder.SigMDPSetup(
                md_algorithm="sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES
            ),
        )
    )
    prepared, output = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", in_place=True))
    seal = await sealer.seal(prepared.document_digest)
    steps.send(seal)
    content: bytes = output.getvalue()
    return content
