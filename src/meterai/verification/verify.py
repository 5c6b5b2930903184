"""One file, one verdict: cryptography by the intake, the registry by us, and the worse of the two counts."""

import hashlib
from typing import Protocol

from meterai.db.connection import Database
from meterai.intake.errors import TooHeavy
from meterai.serial import store as serials
from meterai.serial.model import read_number
from meterai.signing.report import SignatureReport
from meterai.verification.judgement import judge
from meterai.verification.model import Finding, Verdict


class Examiner(Protocol):
    """Examines a stranger's file under limits; handed in by wiring."""

    async def examine(self, document: bytes, *, twice: bool = True) -> SignatureReport:
        """What its seal is worth."""


async def verify(
    database: Database, examiner: Examiner, file: bytes, *, twice: bool = True
) -> Finding:
    """The verdict on a file, with the registry asked; ``twice`` sends it both roads (one of thousands: no)."""
    try:
        report = await examiner.examine(file, twice=twice)
    except TooHeavy as error:
        digest = hashlib.sha256(file).digest()
        return Finding(Verdict.UNREADABLE, error.code, (), digest)
    named = [read_number(serial) for serial in report.serials]
    async with database.reading() as connection:
        found = await serials.find_all(connection, [n for n in named if n is not None])
    return judge(report, [None if number is None else found.get(number) for number in named])
