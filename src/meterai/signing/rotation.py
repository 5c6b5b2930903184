"""The key that seals today: another one when its files change, without a restart and without a lost seal."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from meterai.clock import monotonic
from meterai.errors import MeteraiError
from meterai.signing.keys import SealKey
from meterai.signing.seal import Sealer
from meterai.signing.time_stamps import TimeStamps

_log = structlog.get_logger(__name__)

RETRY_S = 5.0
"""How long a key that could not be taken up is left alone while its files stay the same."""


class Sealers:
    """The newest usable sealer. Whoever holds an older one finishes with it.

    Key and chain are two files, so for a moment they do not belong together: a key that does not fit its
    certificate, or cannot be read, is not taken up and the one before stays in use.
    """

    def __init__(
        self, files: Sequence[Path], load: Callable[[], SealKey], time_stamps: TimeStamps | None
    ) -> None:
        """``files`` are all that ``load`` reads; it is asked at once. Raises what ``load`` raises."""
        self._files = tuple(files)
        self._load = load
        self._time_stamps = time_stamps
        self._taken = self._refused = _content_of(self._files)
        self._again_at = 0.0
        self._newest = Sealer(load(), time_stamps)
        self._turn = asyncio.Lock()

    async def newest(self) -> Sealer:
        """The sealer of the key whose files are there now, or the last that was usable. Never raises."""
        async with self._turn:
            content = await asyncio.to_thread(_content_of, self._files)
            if content != self._taken and (
                content != self._refused or monotonic() >= self._again_at
            ):
                await self._take_up(content)
            return self._newest

    async def _take_up(self, content: bytes) -> None:
        try:
            key = await asyncio.to_thread(self._load)
        except (MeteraiError, OSError) as error:
            why = error.code if isinstance(error, MeteraiError) else type(error).__name__
            _log.warning("seal_key_not_taken_up", why=why)
            self._refused, self._again_at = content, monotonic() + RETRY_S
            return
        self._newest, self._taken = Sealer(key, self._time_stamps), content
        _log.info("seal_key_taken_up", certificate=hashlib.sha256(key.chain[0]).hexdigest())


def _content_of(files: Sequence[Path]) -> bytes:
    """A digest over what the files hold; times and sizes of files can stay the same over a change."""
    digest = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            digest.update(b"-")  # not there, or not readable now
        else:
            digest.update(b"+" + hashlib.sha256(content).digest())
    return digest.digest()
