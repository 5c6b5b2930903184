"""Objects in a local folder, written so that a power cut leaves each complete or absent."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.objects.errors import ObjectMissing, StoreUnavailable
from meterai.objects.store import Found
from meterai.objects.syncing import sync_file_system

TOGETHER_MIN = 3
"""From so many files on, one flush of the file system costs less than a flush of each."""


class FolderObjects:
    """See :class:`meterai.objects.store.Objects`; ``root`` belongs to us alone (mode 0700)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fresh = root / "fresh"

    async def put(self, name: str, content: bytes) -> None:
        """Durable: temporary file, fsync, rename, fsync of the folder."""
        await asyncio.to_thread(self._put_all, {name: content})

    async def put_all(self, files: Mapping[str, bytes]) -> None:
        """Durable, with one wait for the disk where that is possible."""
        await asyncio.to_thread(self._put_all, files)

    async def get(self, name: str) -> bytes:
        """The content."""
        return await asyncio.to_thread(self._get, name)

    async def get_all(self, names: Sequence[str]) -> dict[str, Found]:
        """The contents."""
        return await asyncio.to_thread(lambda: {name: self._find(name) for name in names})

    def _find(self, name: str) -> Found:
        try:
            return self._get(name)
        except MeteraiError as error:
            return error

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

    def _put_all(self, files: Mapping[str, bytes]) -> None:
        """Temporary files, made durable, renamed; then the folders that have new names."""
        paths = {self._path(name): content for name, content in files.items()}
        fresh: dict[Path, Path] = {}
        try:
            for folder in dict.fromkeys((self._root, self._fresh, *(p.parent for p in paths))):
                if not folder.is_dir():
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                    _sync_folder(folder.parent)
            self._write_all(paths, fresh)
            for path, written in fresh.items():
                written.rename(path)
            for folder in dict.fromkeys(path.parent for path in paths):
                _sync_folder(folder)
        except OSError as error:
            for written in fresh.values():
                written.unlink(missing_ok=True)
            raise StoreUnavailable from error

    def _write_all(self, paths: Mapping[Path, bytes], fresh: dict[Path, Path]) -> None:
        together = len(paths) >= TOGETHER_MIN
        # opened before anything is written: it hears of every write that fails from now on
        root = os.open(self._fresh, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for path, content in paths.items():
                fresh[path] = self._fresh / f"{path.name}.{secrets.token_hex(4)}"
                _write(fresh[path], content, durable=not together)
            if together and not sync_file_system(root):
                for written in fresh.values():
                    _sync_file(written)
        finally:
            os.close(root)

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


def _write(path: Path, content: bytes, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """A new name is durable only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
