"""The one interface to kept files, and encryption around any of its implementations."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from meterai.errors import MeteraiError
from meterai.objects.errors import ObjectDamaged

Found = bytes | MeteraiError
"""The content of an object, or the error why there is none."""


class Objects(Protocol):
    """Named files. Names have the form ``folder/file`` and are made by us, never by users."""

    async def put(self, name: str, content: bytes) -> None:
        """The object is durable under this name; raises :class:`StoreUnavailable`."""

    async def get(self, name: str) -> bytes:
        """Its content; raises :class:`ObjectMissing` and :class:`StoreUnavailable`."""

    async def put_all(self, files: Mapping[str, bytes]) -> None:
        """All of them are durable; raises :class:`StoreUnavailable`, and then any of them may be."""

    async def get_all(self, names: Sequence[str]) -> dict[str, Found]:
        """For each name what :meth:`get` gives or raises."""

    async def delete(self, name: str) -> None:
        """There is no such object any more; deleting it twice is harmless."""

    def older_than(self, seconds: float) -> AsyncIterator[str]:
        """Names of objects that were written at least so long ago, in no order."""


class Cipher(Protocol):
    """Authenticated encryption bound to a context; handed in by wiring."""

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypted."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypted; raises ``ValueError`` when anything was changed or the context is another."""


class EncryptedObjects:
    """Objects that are unreadable at rest; each is bound to its name, so none can stand for another."""

    def __init__(self, kept: Objects, cipher: Cipher) -> None:
        self._kept = kept
        self._cipher = cipher

    async def put(self, name: str, content: bytes) -> None:
        """See :class:`Objects`."""
        await self._kept.put(name, self._cipher.seal(content, name.encode()))

    async def get(self, name: str) -> bytes:
        """See :class:`Objects`; raises :class:`ObjectDamaged` when the content was changed at rest."""
        sealed = await self._kept.get(name)
        try:
            return self._cipher.open(sealed, name.encode())
        except ValueError as error:
            raise ObjectDamaged from error

    async def put_all(self, files: Mapping[str, bytes]) -> None:
        """See :class:`Objects`."""
        await self._kept.put_all(await asyncio.to_thread(self._seal_all, files))

    def _seal_all(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        return {name: self._cipher.seal(content, name.encode()) for name, content in files.items()}

    async def get_all(self, names: Sequence[str]) -> dict[str, Found]:
        """See :class:`Objects`; :class:`ObjectDamaged` where the content was changed at rest."""
        return await asyncio.to_thread(self._open_all, await self._kept.get_all(names))

    def _open_all(self, found: Mapping[str, Found]) -> dict[str, Found]:
        return {name: self._opened(name, content) for name, content in found.items()}

    def _opened(self, name: str, content: Found) -> Found:
        if isinstance(content, MeteraiError):
            return content
        try:
            return self._cipher.open(content, name.encode())
        except ValueError:
            return ObjectDamaged()

    async def delete(self, name: str) -> None:
        """See :class:`Objects`."""
        await self._kept.delete(name)

    def older_than(self, seconds: float) -> AsyncIterator[str]:
        """See :class:`Objects`."""
        return self._kept.older_than(seconds)
