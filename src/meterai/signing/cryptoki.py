"""A PKCS#11 library told that threads will call it, which python-pkcs11 never tells."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock

from pkcs11 import PKCS11Error
from pkcs11._pkcs11 import lib

_OS_LOCKING_OK = 0x02  # CKF_OS_LOCKING_OK (PKCS #11 §5.4)
_OK = 0x00
_NEVER_HEARD_OF = (0x07, 0x0A)  # CKR_ARGUMENTS_BAD, CKR_CANT_LOCK: it cannot be called at once
_ALREADY = 0x191  # CKR_CRYPTOKI_ALREADY_INITIALIZED

_opened: dict[str, "Library"] = {}
_opening = Lock()


class _Arguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS: four functions for locks of our own, which we have not; flags; nothing."""

    _fields_ = (
        ("locks", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _Functions(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST, up to C_Initialize."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


class Library(lib):
    """A library that was initialised by us, for as long as the process lives."""

    at_once: bool
    """Whether several threads may call it at the same time."""
    _turn: "RLock"

    def initialize(self) -> None:
        """The library is ready; called by python-pkcs11 in place of its own, once. Raises ``PKCS11Error``."""
        self._turn = RLock()  # a key that is let go closes its sessions wherever that happens
        said = _initialize(self.so, _Arguments(flags=_OS_LOCKING_OK))
        self.at_once = said == _OK
        if said in _NEVER_HEARD_OF:
            said = _initialize(self.so, None)
        if said not in (_OK, _ALREADY):
            raise PKCS11Error(f"C_Initialize: {said:#x}")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This thread may call the library: at once, or after the others where it cannot lock."""
        if self.at_once:
            yield
        else:
            with self._turn:
                yield


def open_library(module: Path) -> Library:
    """The library in this file, the same for everybody in this process. Raises ``PKCS11Error``."""
    with _opening:
        if str(module) not in _opened:
            _opened[str(module)] = library = Library(str(module))
            # Never taken apart: at the end of the process its unloading would find half an interpreter.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(library))
        return _opened[str(module)]


def _initialize(module: str, arguments: _Arguments | None) -> int:
    functions = ctypes.POINTER(_Functions)()
    found = ctypes.CDLL(module).C_GetFunctionList(ctypes.byref(functions))
    if found != _OK:
        return int(found)
    given = None if arguments is None else ctypes.addressof(arguments)
    return int(functions.contents.initialize(given))
