"""A cable between a browser and a server that can be pulled and put back."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Cable:
    """Carries bytes from a port of its own to the server, while it is whole."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._whole = True
        self._ends: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._carriers: list[threading.Thread] = []
        self._listener = threading.Thread(target=self._accept, daemon=True)
        self._listener.start()

    def pull(self) -> None:
        """Every connection is cut, and none comes about."""
        self._whole = False
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def put_back(self) -> None:
        """New connections reach the server again."""
        self._whole = True

    def close(self) -> None:
        """Nothing listens any more."""
        self.pull()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.join()
        for thread in self._carriers:
            thread.join()
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if not self._whole:
                near.close()
                continue
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._ends |= {near, far}
            for giver, taker in ((near, far), (far, near)):
                thread = threading.Thread(target=self._carry, args=(giver, taker), daemon=True)
                self._carriers.append(thread)
                thread.start()

    def _carry(self, giver: socket.socket, taker: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := giver.recv(65536):
                taker.sendall(content)
        for end in (giver, taker):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.discard(giver)
        giver.close()  # each end is the giver of one thread


@contextlib.contextmanager
def a_cable(port: int) -> Iterator[Cable]:
    """A whole cable, closed at the end."""
    cable = Cable(port)
    try:
        yield cable
    finally:
        cable.close()
