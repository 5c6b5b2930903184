"""The one interface to kept files, and encryption around any of its implementations."""

from collections.abc import AsyncIterator
from typing import Protocol

from meterai.objects.errors import ObjectDamaged


class Objects(Protocol):
    """Named files. Names have the form ``folder/file`` and are made by us, never by users."""

    async def put(self, name: str, content: bytes) -> None:
        """The object is durable under this name; raises :class:`StoreUnavailable`."""

    async def get(self, name: str) -> bytes:
        """Its content; raises :class:`ObjectMissing` and :class:`StoreUnavailable`."""

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

    async def delete(self, name: str) -> None:
        """See :class:`Objects`."""
        await self._kept.delete(name)

    def older_than(self, seconds: float) -> AsyncIterator[str]:
        """See :class:`Objects`."""
        return self._kept.older_than(seconds)
