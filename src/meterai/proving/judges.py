"""Five independent programs judge a stamped file: pyHanko, poppler, MuPDF, qpdf and OpenSSL.

None of them is ours and none is enough alone: poppler calls a signature valid though the file was changed
after it, qpdf only sees structure. A stamp is good when all five agree.
"""

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from meterai.signing.keys import read_chain
from meterai.signing.second_opinion import completed

TIMEOUT_S = 30
PROGRAMS = ("pdfsig", "mutool", "qpdf", "openssl")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one program says."""

    judge: str
    good: bool
    said: str


@dataclass(frozen=True, slots=True)
class Case:
    """A stamped file before the judges."""

    whole: bytes
    path: Path
    field: str
    """Name of the signature field whose seal is judged."""
    trust: Path
    source_code: int
    """What ``qpdf --check`` returned for the document before it was stamped."""


def missing_programs() -> list[str]:
    """Which of the programs are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def judge(whole: bytes, field: str, trust: Path, *, source_code: int = 0) -> tuple[Judgement, ...]:
    """What all five say about the seal in ``field`` of this file; ``trust`` is a trust folder."""
    judges: dict[str, Callable[[Case], tuple[bool, str]]] = {
        "pyhanko": _pyhanko,
        "pdfsig": _pdfsig,
        "mutool": _mutool,
        "qpdf": _qpdf,
        "openssl": _openssl,
    }
    with tempfile.TemporaryDirectory(prefix="judges-") as folder:
        path = Path(folder) / "stamped.pdf"
        path.write_bytes(whole)
        case = Case(whole, path, field, trust, source_code)
        return tuple(Judgement(name, *ask(case)) for name, ask in judges.items())


def _run(*command: str | Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, "timed out"
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def _find(case: Case) -> EmbeddedPdfSignature:
    """The signature as pyHanko reads it: strictly, or leniently where its strict reading refuses the file.

    Strict reading also refuses on principle what has hybrid cross-references, as Word writes them.
    """
    for strict in (True, False):
        try:
            reader = PdfFileReader(io.BytesIO(case.whole), strict=strict)
            if reader.encrypted:
                reader.decrypt(b"")
            if strict and reader.xrefs.hybrid_xrefs_present:
                continue
            found = list(enumerate_sig_fields(reader, filled_status=True, with_name=case.field))
        except PdfReadError:
            if strict:
                continue
            raise
        ((name, _, field),) = found
        return EmbeddedPdfSignature(reader, field.get_object(), name)
    raise AssertionError


def _pyhanko(case: Case) -> tuple[bool, str]:
    try:
        signature = _find(case)
        context = ValidationContext(
            trust_roots=_certificates(case.trust / "roots.pem"),
            other_certs=_certificates(case.trust / "issuers.pem"),
            crls=[_crl(file) for file in sorted(case.trust.glob("*.crl"))],
            revocation_mode="hard-fail",
            allow_fetching=False,
        )
        status = completed(async_validate_pdf_signature(signature, context))
    except Exception as error:  # noqa: BLE001 - whatever it stumbles over is its judgement
        return False, f"{type(error).__name__}: {error}"
    good = (
        status.bottom_line
        and status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        and status.modification_level is ModificationLevel.NONE
        and bool(status.docmdp_ok)
        and status.timestamp_validity is not None
        and status.timestamp_validity.trusted
    )
    return good, status.summary()


def _certificates(file: Path) -> list[asn1_x509.Certificate]:
    return [asn1_x509.Certificate.load(der) for der in read_chain(file.read_bytes())]


def _crl(file: Path) -> bytes:
    from asn1crypto import pem

    _, _, der = pem.unarmor(file.read_bytes())
    return bytes(der)


def _pdfsig(case: Case) -> tuple[bool, str]:
    _, said = _run("pdfsig", "-nocert", "-no-ocsp", case.path)
    blocks = re.split(r"(?m)^Signature #\d+:", said)
    ours = [block for block in blocks if f"Signature Field Name: {case.field}" in block]
    block = ours[0] if len(ours) == 1 else ""
    good = (
        "Signature is Valid" in block
        and "Total document signed" in block
        and "Not total document" not in block
    )
    return good, " ".join((block or said).split())


def _mutool(case: Case) -> tuple[bool, str]:
    _, said = _run("mutool", "sign", "-v", case.path)
    blocks = re.split(r"(?m)^Verifying signature \d+:", said)
    # It names no fields; the newest seal is the one that leaves the file unchanged.
    good = any("The document is unchanged since signing" in block for block in blocks)
    return good, " ".join(said.split())


def _qpdf(case: Case) -> tuple[bool, str]:
    code, said = _run("qpdf", "--check", case.path)
    # 2: errors, 3: warnings. What the document had before is not ours; it must not become worse.
    good = code == 0 or (code == 3 and case.source_code != 0) or code == case.source_code
    return good, f"{code}: " + " ".join(said.split())


def _openssl(case: Case) -> tuple[bool, str]:
    """The bare CMS over the extracted ranges, CAdES rules included."""
    ranges = re.findall(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", case.whole[-200_000:])
    if not ranges:
        return False, "no byte range"
    first, second, length = (int(number) for number in ranges[-1])
    content, seal = case.path.with_suffix(".bin"), case.path.with_suffix(".p7s")
    content.write_bytes(case.whole[:first] + case.whole[second : second + length])
    der = bytes.fromhex(case.whole[first + 1 : second - 1].decode("ascii"))
    seal.write_bytes(der[: 4 + int.from_bytes(der[2:4], "big")])
    code, said = _run(
        *("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"),
        *("-in", seal, "-content", content, "-CAfile", case.trust / "roots.pem"),
        *("-out", "/dev/null"),
    )
    return code == 0 and "successful" in said, " ".join(said.split())


def source_code(document: bytes) -> int:
    """What ``qpdf --check`` returns for a document: 0 well, 3 warnings, 2 errors, below 0 it crashed."""
    with tempfile.TemporaryDirectory(prefix="judges-") as folder:
        path = Path(folder) / "source.pdf"
        path.write_bytes(document)
        return _run("qpdf", "--check", path)[0]
