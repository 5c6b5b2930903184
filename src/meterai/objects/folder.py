"""Objects in a local folder, written so that a power cut leaves each complete or absent."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from meterai.clock import now
from meterai.objects.errors import ObjectMissing, StoreUnavailable


class FolderObjects:
    """See :class:`meterai.objects.store.Objects`; ``root`` belongs to us alone (mode 0700)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fresh = root / "fresh"

    async def put(self, name: str, content: bytes) -> None:
        """Durable: temporary file, fsync, rename, fsync of the folder."""
        await asyncio.to_thread(self._put, name, content)

    async def get(self, name: str) -> bytes:
        """The content."""
        return await asyncio.to_thread(self._get, name)

    async def delete(self, name: str) -> None:
        """Gone."""
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self._path(name).unlink)

    async def older_than(self, seconds: float) -> AsyncIterator[str]:
        """Names, and leftovers of writes that never finished are removed on the way."""
        for name in await asyncio.to_thread(self._older_than, now().timestamp() - seconds):
            yield name

    def _path(self, name: str) -> Path:
        folder, _, file = name.partition("/")
        assert folder.isalnum(), name
        assert file == Path(file).name != "", name
        assert not file.startswith("."), name
        return self._root / folder / file

    def _put(self, name: str, content: bytes) -> None:
        path = self._path(name)
        fresh = self._fresh / f"{path.name}.{secrets.token_hex(4)}"
        try:
            for folder in (self._root, self._fresh, path.parent):
                if not folder.is_dir():
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                    _sync_folder(folder.parent)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.rename(path)
            _sync_folder(path.parent)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise StoreUnavailable from error

    def _older_than(self, limit: float) -> list[str]:
        names = []
        for folder in sorted(path for path in self._root.glob("*") if path.is_dir()):
            for entry in os.scandir(folder):
                if entry.stat().st_mtime > limit:
                    continue
                if folder == self._fresh:
                    Path(entry.path).unlink(missing_ok=True)
                else:
                    names.append(f"{folder.name}/{entry.name}")
        return names

    def _get(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissing from error
        except OSError as error:
            raise StoreUnavailable from error


def _sync_folder(folder: Path) -> None:
    """A new name is durable only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
