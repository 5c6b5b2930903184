"""What the kernel still does for a process that opens strangers' files. Each try has a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"

WAYS_OUT = {
    "a program": "os.execv('/bin/true', ['true'])",
    "a child": "os.fork()",
    "a shell": "subprocess.run(['true'])",
    "a socket to others": "socket.socket(socket.AF_INET)",
    "a socket file": "socket.socket(socket.AF_UNIX)",
    "another process": "os.pidfd_open(os.getppid()) and ctypes_call('process_vm_readv')",
    "a namespace": "ctypes_call('unshare')",
}
PRELUDE = """
import ctypes, os, socket, subprocess, sys, threading
from meterai.intake.limits import lock_in

def ctypes_call(name):
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = {"unshare": (0x00020000,), "process_vm_readv": (os.getppid(), None, 0, None, 0, 0)}[name]
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)

locked = lock_in()
if not locked.ways_out_forbidden:
    sys.exit("no filter")
"""


def tried(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        env={**os.environ, "PYTHONPATH": str(SRC)},  # noqa: TID251 - handed on as it is
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("way", WAYS_OUT)
def test_there_is_no_way_out(way: str) -> None:
    done = tried(f"try:\n    {WAYS_OUT[way]}\nexcept PermissionError:\n    print('denied')\n")
    if done.stderr.strip() == "no filter":
        pytest.skip("this kernel has no seccomp filter")
    assert done.stdout == "denied\n", done.stderr


def test_work_goes_on_inside(tmp_path: Path) -> None:
    done = tried(
        f"""
from meterai.pdf.inspection import inspect
from meterai.pdf.picture import picture
from meterai.proving.sample import letter
document = letter()
found = []
thread = threading.Thread(target=lambda: found.append(inspect(document).refusal()))
thread.start()
thread.join()
here, there = os.pipe()
open({str(tmp_path / "kept")!r}, "wb").write(picture(document, 1, 480))
print(found)
"""
    )
    if done.stderr.strip() == "no filter":
        pytest.skip("this kernel has no seccomp filter")
    assert done.stdout == "[None]\n", done.stderr
    assert (tmp_path / "kept").read_bytes()[:4] == b"RIFF"
