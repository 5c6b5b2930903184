import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meterai.objects.errors import ObjectDamaged, ObjectMissing, StoreUnavailable
from meterai.objects.folder import FolderObjects
from meterai.objects.store import EncryptedObjects
from meterai.signing.vault import Vault

SRC = Path(__file__).parents[2] / "src"


async def test_what_was_put_is_read_back_and_deleted_twice(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "o")
    await objects.put("stamped/a.pdf", b"content")
    assert await objects.get("stamped/a.pdf") == b"content"
    await objects.delete("stamped/a.pdf")
    await objects.delete("stamped/a.pdf")
    with pytest.raises(ObjectMissing):
        await objects.get("stamped/a.pdf")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "a/.hidden", "/etc/passwd", "a/b/c", "a"])
async def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises((AssertionError, StoreUnavailable)):
        await FolderObjects(tmp_path / "o").put(name, b"x")
    assert not (tmp_path / "x").exists()


async def test_encrypted_objects_are_unreadable_at_rest_and_bound_to_their_names(
    tmp_path: Path,
) -> None:
    kept = FolderObjects(tmp_path / "o")
    objects = EncryptedObjects(kept, Vault(b"k" * 32))
    await objects.put("source/a.pdf", b"a very secret letter")
    file = tmp_path / "o" / "source" / "a.pdf"
    assert b"secret" not in file.read_bytes()
    assert await objects.get("source/a.pdf") == b"a very secret letter"
    shutil.copy(file, tmp_path / "o" / "source" / "b.pdf")
    with pytest.raises(ObjectDamaged):
        await objects.get("source/b.pdf")
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(ObjectDamaged):
        await objects.get("source/a.pdf")


async def test_old_names_are_listed_and_leftovers_removed(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "o")
    await objects.put("stamped/a.pdf", b"x")
    (tmp_path / "o" / "fresh" / "half").write_bytes(b"half a file")
    assert [name async for name in objects.older_than(60)] == []
    assert [name async for name in objects.older_than(-1)] == ["stamped/a.pdf"]
    assert list((tmp_path / "o" / "fresh").iterdir()) == []


def watched(folder: Path, then: str) -> str:
    """Which durable calls ``then`` makes, in order, once the folders are there."""
    code = (
        "import asyncio, os, sys, pathlib\n"
        "from meterai.objects import folder\n"
        "calls = []\n"
        "fsync, rename, whole = os.fsync, pathlib.Path.rename, folder.sync_file_system\n"
        "def watched_fsync(fd):\n"
        "    calls.append('fsync ' + os.readlink(f'/proc/self/fd/{fd}').rsplit('/', 1)[-1][:5])\n"
        "    fsync(fd)\n"
        "def watched_rename(self, target):\n"
        "    calls.append('rename')\n"
        "    return rename(self, target)\n"
        "def watched_whole(fd):\n"
        "    calls.append('syncfs' if whole(fd) else 'no syncfs')\n"
        "    return calls[-1] == 'syncfs' and POSSIBLE\n"
        "POSSIBLE = True\n"
        "os.fsync, pathlib.Path.rename = watched_fsync, watched_rename\n"
        "folder.sync_file_system = watched_whole\n"
        "objects = folder.FolderObjects(pathlib.Path(sys.argv[1]))\n"
        "asyncio.run(objects.put('stamped/first.pdf', b'x'))\n"
        "calls.clear()\n" + then + "print(calls)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={"PYTHONPATH": str(SRC), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


_MANY = "{f'stamped/{name}.pdf': b'x' * 100000 for name in 'abc'}"


def test_the_kernel_is_asked_to_make_file_and_folder_durable_in_order(tmp_path: Path) -> None:
    """A killed process cannot notice a missing fsync: the calls themselves are watched."""
    one = "asyncio.run(objects.put('stamped/a.pdf', b'x' * 100000))\n"
    assert watched(tmp_path / "o", one) == "['fsync a.pdf', 'rename', 'fsync stamp']"


def test_a_batch_is_made_durable_by_one_call_before_any_of_it_has_its_name(tmp_path: Path) -> None:
    calls = watched(tmp_path / "o", f"asyncio.run(objects.put_all({_MANY}))\n")
    assert calls == "['syncfs', 'rename', 'rename', 'rename', 'fsync stamp']"


def test_where_one_call_cannot_do_it_each_file_is_made_durable(tmp_path: Path) -> None:
    calls = watched(tmp_path / "o", f"POSSIBLE = False\nasyncio.run(objects.put_all({_MANY}))\n")
    files = "'fsync a.pdf', 'fsync b.pdf', 'fsync c.pdf'"
    assert calls == f"['syncfs', {files}, 'rename', 'rename', 'rename', 'fsync stamp']"


async def test_many_are_put_and_got_together(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "o")
    files = {f"stamped/{number}.pdf": bytes([number]) * number for number in range(5)}
    await objects.put_all(files)
    assert list((tmp_path / "o" / "fresh").iterdir()) == []
    found = await objects.get_all([*files, "stamped/none.pdf"])
    assert isinstance(found.pop("stamped/none.pdf"), ObjectMissing)
    assert found == files


async def test_a_full_disk_leaves_nothing_half_and_is_said(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        objects = FolderObjects(disk / "o")
        await objects.put("stamped/small.pdf", b"x" * 1000)
        with pytest.raises(StoreUnavailable):
            await objects.put("stamped/large.pdf", b"x" * 2_000_000)
        with pytest.raises(ObjectMissing):
            await objects.get("stamped/large.pdf")
        assert list((disk / "o" / "fresh").iterdir()) == []
        assert await objects.get("stamped/small.pdf") == b"x" * 1000
    finally:
        subprocess.run(["umount", str(disk)], check=True)
