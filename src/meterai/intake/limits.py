"""What a process that opens strangers' files may not do."""

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

from meterai.intake.syscalls import forbid_ways_out

MEMORY_MAX = 2 * 1024**3
"""Bytes of address space, shared libraries included."""
CPU_SECONDS = 10
WALL_SECONDS = 20
FILE_BYTES_MAX = 64 * 1024**2
"""The largest file such a process may write."""

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 1, 38, 4


def die_with_parent(parent: int | None) -> None:
    """This process ends when its parent does, however that ends; now, if ``parent`` is it no longer.

    ``parent`` is the process id that it had when it started this one; None: nobody said.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:  # it died before we could ask to be told
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Locked:
    """Which of the locks that not every kernel has are on."""

    network_gone: bool
    """It is in a network namespace of its own, in which there is nothing."""
    ways_out_forbidden: bool
    """No program, process or socket; see :mod:`meterai.intake.syscalls`."""


def lock_in() -> Locked:
    """Memory is bounded, no core is dumped, privileges cannot grow, and there is no way out as far as the
    kernel goes along.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    wanted = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    network_gone = bool(libc.unshare(wanted) == 0)
    return Locked(network_gone, forbid_ways_out())


def start_job() -> None:
    """From now this process has so many seconds of processor and of waiting; then it is killed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WALL_SECONDS)


def end_job() -> None:
    """The clock of waiting stops."""
    signal.alarm(0)
