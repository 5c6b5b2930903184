"""Objects in an S3 bucket (or anything obstore speaks), by address."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.objects.errors import ObjectMissing, StoreUnavailable
from meterai.objects.store import Found


class BucketObjects:
    """See :class:`meterai.objects.store.Objects`; credentials come from the usual places of S3."""

    def __init__(self, url: str, **options: Any) -> None:
        self._store = from_url(url, **options)

    async def put(self, name: str, content: bytes) -> None:
        """Durable once the service has acknowledged it."""
        try:
            await obstore.put_async(self._store, name, content)
        except BaseError as error:
            raise StoreUnavailable from error

    async def get(self, name: str) -> bytes:
        """The content."""
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError as error:
            raise ObjectMissing from error
        except BaseError as error:
            raise StoreUnavailable from error

    async def put_all(self, files: Mapping[str, bytes]) -> None:
        """Durable once the service has acknowledged each; all are on their way at once."""
        await asyncio.gather(*(self.put(name, content) for name, content in files.items()))

    async def get_all(self, names: Sequence[str]) -> dict[str, Found]:
        """What was found; all are asked for at once."""
        return dict(zip(names, await asyncio.gather(*map(self._find, names)), strict=True))

    async def _find(self, name: str) -> Found:
        try:
            return await self.get(name)
        except MeteraiError as error:
            return error

    async def delete(self, name: str) -> None:
        """Gone."""
        try:
            await obstore.delete_async(self._store, name)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise StoreUnavailable from error

    async def older_than(self, seconds: float) -> AsyncIterator[str]:
        """Names, by the service's own clock of last change."""
        limit = now() - timedelta(seconds=seconds)
        async for page in obstore.list(self._store):
            for entry in page:
                if entry["last_modified"] < limit:
                    yield entry["path"]
