"""Asking the intake; any process may, over its socket file."""

import asyncio
from pathlib import Path

import msgspec

from meterai.errors import MeteraiError
from meterai.intake.errors import IntakeUnavailable, TooHeavy
from meterai.intake.wire import (
    LENGTHS,
    Answer,
    AnyAsk,
    AskExamine,
    AskInspect,
    AskPicture,
    AskRead,
    AskRepair,
    AskSuggest,
    pack,
)
from meterai.pdf.errors import BY_CODE
from meterai.pdf.inspection import Inspection
from meterai.pdf.model import Place
from meterai.signing.report import SignatureReport
from meterai.signing.statement import Statement


class Intake:
    """The intake listening at a socket file."""

    def __init__(self, socket: Path, *, patience_s: float = 30) -> None:
        self._socket = socket
        self._patience_s = patience_s

    async def inspect(self, document: bytes, bytes_max: int) -> Inspection:
        """What the document is like and whether it may be stamped. Raises :class:`TooHeavy`."""
        found = await self._ask(AskInspect(bytes_max), document)
        return msgspec.json.decode(found, type=Inspection)

    async def repair(self, document: bytes, bytes_max: int) -> bytes:
        """The document written anew. Raises :class:`TooHeavy` and classes below ``CannotStamp``."""
        return await self._ask(AskRepair(bytes_max), document)

    async def picture(self, document: bytes, page: int, width_px: int) -> bytes:
        """The page as WebP."""
        return await self._ask(AskPicture(page, width_px), document)

    async def suggest(self, document: bytes, page: int) -> Place:
        """Where the mark would stand well."""
        return msgspec.json.decode(await self._ask(AskSuggest(page), document), type=Place)

    async def examine(self, document: bytes, *, twice: bool = True) -> SignatureReport:
        """What the document's seal is worth, against the trust bundle of this installation."""
        found = await self._ask(AskExamine(twice), document)
        return msgspec.json.decode(found, type=SignatureReport)

    async def read(self, document: bytes) -> Statement | None:
        """What a paper (PDF) or statement (JWS) of this installation says; None for anything else."""
        return msgspec.json.decode(await self._ask(AskRead(), document), type=Statement | None)

    async def _ask(self, ask: AnyAsk, document: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._patience_s):
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=1024 * 1024)
                try:
                    return await _converse(reader, writer, ask, document)
                finally:
                    writer.close()
        except asyncio.IncompleteReadError as error:
            raise TooHeavy from error  # the process that had it was killed by its limits
        except ConnectionResetError as error:
            raise TooHeavy from error
        except (OSError, TimeoutError) as error:
            raise IntakeUnavailable from error


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: AnyAsk, document: bytes
) -> bytes:
    writer.write(pack(msgspec.json.encode(ask), document))
    await writer.drain()
    head_length, body_length = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
    answer = msgspec.json.decode(await reader.readexactly(head_length), type=Answer)
    body = await reader.readexactly(body_length)
    if answer.failed is not None:
        raise _known_failure(answer)
    return body


def _known_failure(answer: Answer) -> MeteraiError:
    assert answer.failed is not None
    return BY_CODE.get(answer.failed, TooHeavy)(**answer.facts)
