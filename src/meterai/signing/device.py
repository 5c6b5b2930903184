"""The key that seals on a device spoken to by PKCS#11 (OASIS PKCS #11 2.40). It never leaves its place."""

import asyncio
import contextlib
import hashlib
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from meterai.signing.cryptoki import Library, open_library
from meterai.signing.errors import SignerUnavailable
from meterai.signing.keys import QUESTION, Algorithm, algorithm_of, prove, read_chain

SESSIONS = 8
"""Signatures that a key makes at once, each in a session of its own; small devices allow ten or so."""

_doors: dict[tuple[str, str], Any] = {}
"""By library and token, the session that signed this process in: that holds for all its sessions (§5.6)."""
_refused: set[tuple[str, str, str]] = set()
"""Library, token and PIN that a token refused in this process."""
_signing_in = Lock()


class Pkcs11Key:
    """A private key that never leaves its device; sessions and key handles are kept open.

    Each signature has a session to itself, and at most :data:`SESSIONS` are made at once; a library that cannot
    lock is called by one thread at a time. A kept session that fails, as after the device restarted, is thrown
    away and the signature is asked for once more in a new one. A PIN that was refused once is never tried
    again, for devices lock themselves.
    """

    def __init__(self, device: "Device", chain: tuple[bytes, ...]) -> None:
        self.chain = chain
        self.algorithm = algorithm_of(chain[0])
        self._device = device
        self._rested: list[_Handle] = []  # the latest used last; append and pop are atomic
        self._threads = ThreadPoolExecutor(SESSIONS, thread_name_prefix="seal")
        self._close = weakref.finalize(self, _let_go, self._threads, self._rested)

    @classmethod
    def open(cls, module: Path, *, token: str, label: str, pin: str, chain: Path) -> Self:
        """The key called ``label`` on the device called ``token``, spoken to through the library ``module``.

        Raises :class:`SignerUnavailable`, and :class:`meterai.signing.errors.KeyNotUsable` when the
        certificates in ``chain`` belong to another key.
        """
        key = cls(Device(module, token, label, pin), read_chain(chain.read_bytes()))
        try:
            prove(key.chain[0], key.sign_now(QUESTION), QUESTION)
        except BaseException:
            key.close()
            raise
        return key

    async def sign(self, message: bytes) -> bytes:
        """See :class:`meterai.signing.keys.SealKey`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.sign_now, message)

    def sign_now(self, message: bytes) -> bytes:
        """The signature over ``message``, at once. Raises :class:`SignerUnavailable`."""
        try:
            return self._sign_with(self._rested.pop(), message)
        except IndexError:
            pass  # none rests
        except pkcs11.PKCS11Error as error:
            self._note(error)  # lost while it rested: that costs a new session and no seal
        try:
            return self._sign_with(self._device.connect(), message)
        except pkcs11.PKCS11Error as error:
            self._note(error)
            raise SignerUnavailable from error

    def _sign_with(self, handle: "_Handle", message: bytes) -> bytes:
        """The signature, and the session rests for the next; closed when it failed."""
        try:
            signature = handle.sign(self.algorithm, message)
        except BaseException:
            handle.close()
            raise
        self._rested.append(handle)
        return signature

    def _note(self, error: pkcs11.PKCS11Error) -> None:
        if isinstance(error, pkcs11.UserNotLoggedIn):
            self._device.sign_in_anew()

    def close(self) -> None:
        """All sessions that rest are closed, as when the last holder lets the key go. It signs no more."""
        self._close()


def _let_go(threads: ThreadPoolExecutor, rested: "list[_Handle]") -> None:
    threads.shutdown(wait=False)  # whoever waits for a signature holds the key, so nobody does
    while rested:
        rested.pop().close()


@dataclass(frozen=True, slots=True)
class _Handle:
    """A session with the key found in it, and the library that both belong to."""

    library: Library
    session: Any
    key: Any

    def sign(self, algorithm: Algorithm, message: bytes) -> bytes:
        """The signature over ``message``. Raises ``PKCS11Error``."""
        with self.library.turn():
            if algorithm is Algorithm.RSA:
                return bytes(self.key.sign(message, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
            # The raw mechanism: many devices, SoftHSM among them, know no ECDSA that hashes by itself.
            digest = hashlib.sha256(message).digest()
            pair = bytes(self.key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        half = len(pair) // 2
        r, s = int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big")
        return encode_dss_signature(r, s)

    def close(self) -> None:
        """The session is closed, also where it was lost."""
        with self.library.turn(), contextlib.suppress(pkcs11.PKCS11Error):
            self.session.close()  # opened without a PIN, so that this signs nobody out


class Device:
    """Opens sessions on one token."""

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        self._module = module
        self._token = token
        self._label = label
        self._pin = pin

    def connect(self) -> _Handle:
        """A new session, signed in. Raises :class:`SignerUnavailable`."""
        with _signing_in:
            if (str(self._module), self._token, self._pin) in _refused:
                raise SignerUnavailable
            try:
                return self._connect()
            except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinInvalid) as error:
                _refused.add((str(self._module), self._token, self._pin))
                raise SignerUnavailable from error
            except (pkcs11.PKCS11Error, OSError) as error:
                raise SignerUnavailable from error

    def _connect(self) -> _Handle:
        library = open_library(self._module)
        with library.turn():
            token = library.get_token(token_label=self._token)
            self._sign_in(token)
            session = token.open()
            try:
                return _Handle(library, session, self._find_in(session))
            except pkcs11.PKCS11Error:
                session.close()
                raise

    def _sign_in(self, token: Any) -> None:
        """This process is signed in on the token, by a session that is kept for nothing else.

        A session opened with a PIN signs all others out when it closes, and one whose sign-in fails is lost to
        python-pkcs11, unclosed: so neither is ever done twice while the first still answers.
        """
        name = (str(self._module), self._token)
        if name in _doors:
            try:
                _doors[name].generate_random(64)  # the plainest question that a session answers
            except (pkcs11.RandomNoRNG, pkcs11.FunctionNotSupported):
                return  # an answer, too
            except pkcs11.PKCS11Error:
                del _doors[name]
            else:
                return
        try:
            _doors[name] = token.open(user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:
            _doors[name] = token.open()

    def _find_in(self, session: Any) -> Any:
        return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label)

    def sign_in_anew(self) -> None:
        """The next session signs in first: the device has signed us out."""
        with _signing_in:
            _doors.pop((str(self._module), self._token), None)
