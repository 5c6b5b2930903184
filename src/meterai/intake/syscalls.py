"""What a process that opens strangers' files may not ask of the kernel: no program, process or socket.

A seccomp filter (Linux, ``seccomp(2)``) of a few lines. What it denies fails with ``EPERM``; readers that were
turned by a hostile file find no way out, and what they are made for needs none of it. Threads may be made,
processes not.
"""

import ctypes
import errno
import os
import struct
from dataclasses import dataclass

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD_WORD, _IF_EQUAL, _IF_AT_LEAST, _IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT = 0, 4, 16
"""Offsets in ``struct seccomp_data``."""
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERROR = 0x00050000
_CLONE_THREAD = 0x00010000
_OTHER_ABI = 0x40000000
"""Numbers from here on are those of x32 on x86-64."""


@dataclass(frozen=True, slots=True)
class _Architecture:
    """Numbers of system calls (``asm/unistd.h``)."""

    audit: int
    """As the kernel names it (``AUDIT_ARCH_…``)."""
    denied: tuple[int, ...]
    clone: int
    clone3: int


_ARCHITECTURES = {
    "x86_64": _Architecture(
        0xC000003E,
        # socket connect bind listen fork vfork execve ptrace add_key request_key keyctl unshare perf_event_open
        # process_vm_readv process_vm_writev setns mount pivot_root init_module finit_module kexec_load
        # open_by_handle_at bpf execveat userfaultfd io_uring_setup pidfd_getfd
        (
            *(41, 42, 49, 50, 57, 58, 59, 101, 248, 249, 250, 272, 298, 310, 311, 308, 165, 155),
            *(175, 313, 246, 304, 321, 322, 323, 425, 438),
        ),
        clone=56,
        clone3=435,
    ),
    "aarch64": _Architecture(
        0xC00000B7,
        # the same; fork and vfork do not exist there
        (
            *(
                198,
                203,
                200,
                201,
                221,
                117,
                217,
                218,
                219,
                97,
                241,
                270,
                271,
                268,
                40,
                41,
                105,
                273,
            ),
            *(104, 265, 280, 281, 282, 425, 438),
        ),
        clone=220,
        clone3=435,
    ),
}


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("count", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_ways_out() -> bool:
    """This process starts no program and no process and opens no socket any more; False where the kernel, or
    this architecture, has no such filter. Privileges must have been given up before (``no_new_privs``).
    """
    known = _ARCHITECTURES.get(os.uname().machine)
    if known is None:
        return False
    code = _filter(known)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(known: _Architecture) -> bytes:
    deny = _step(_RETURN, _ERROR | errno.EPERM)
    allow = _step(_RETURN, _ALLOW)
    steps = [
        _step(_LOAD_WORD, _AT_ARCHITECTURE),
        _step(_IF_EQUAL, known.audit, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD_WORD, _AT_NUMBER),
        _step(_IF_AT_LEAST, _OTHER_ABI, no=1),
        deny,
    ]
    for number in known.denied:
        steps += [_step(_IF_EQUAL, number, no=1), deny]
    # clone3 hides its flags from a filter: without it the C library takes clone
    steps += [_step(_IF_EQUAL, known.clone3, no=1), _step(_RETURN, _ERROR | errno.ENOSYS)]
    steps += [
        _step(_IF_EQUAL, known.clone, no=3),
        _step(_LOAD_WORD, _AT_FIRST_ARGUMENT),
        _step(_IF_SET, _CLONE_THREAD, yes=1),
        deny,
        allow,
    ]
    return b"".join(steps)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """``struct sock_filter``: an instruction, and how many to pass over when its condition holds or not."""
    return struct.pack("=HBBI", code, yes, no, value)
