"""``meterai verify --report``: the record of a batch, signed by the statement key of this installation."""

import asyncio

from meterai.errors import NotFound, Text
from meterai.settings import Settings
from meterai.signing.errors import TimeStampUnavailable
from meterai.signing.paper import write_paper
from meterai.signing.statement import StatementKey
from meterai.signing.time_stamps import TimeStamps
from meterai.verification.record import CHECKER_MAX, KIND, Record, wording_of


class NoStatementKey(NotFound):
    """Nothing here can sign a record."""

    code = "no_statement_key"
    says = Text(
        "Berita acara tidak bisa ditandatangani: tidak ada kunci pernyataan di {place}.",
        "The record cannot be signed: there is no statement key in {place}.",
    )
    next_step = Text(
        "Jalankan di mesin penerbit dengan --data-dir, atau buat berita acara di halaman /cek/banyak.",
        "Run it on the issuer's machine with --data-dir, or make the record on the page /cek/banyak.",
    )


def write_record(record: Record, checker: str, settings: Settings) -> bytes:
    """The record as a sealed PDF with its table. Raises :class:`NoStatementKey`."""
    if not (settings.keys / "statement.key").is_file():
        raise NoStatementKey(place=str(settings.keys))
    return asyncio.run(_write(record, checker[:CHECKER_MAX] or "-", settings))


async def _write(record: Record, checker: str, settings: Settings) -> bytes:
    key = StatementKey.load(settings.keys)
    facts = record.facts(checker, "checker")
    wording = wording_of(record, facts, f"meterai proof verify FILE --keys {settings.base_url}")
    statement = key.sign(KIND, facts)
    async with TimeStamps.connect(settings.time_stamp_urls, settings.keys / "trust") as witnesses:
        try:
            return await write_paper(
                statement, wording, key, witnesses if settings.time_stamp_urls else None
            )
        except TimeStampUnavailable:
            return await write_paper(statement, wording, key, None)
