"""Traffic for tests: a server that tells clients where they seem to come from, and clients.

What is lost raises TimeoutError.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Self

from lab.packets.values import SERVER

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from lab.packets.namespaces import Namespace

PORT = 7
WAIT = 60.0  # seconds on the wall, for a busy machine
TIMEOUT = 5.0  # seconds in which an answer comes however busy the machine is
LOST = 0.4  # seconds after which a packet counts as lost where it should be


class Echo:
    """A server that tells each client, by TCP and UDP, the address that it comes from."""

    def __init__(self, namespace: Namespace, port: int = PORT) -> None:
        self._stream = namespace.socket(socket.SOCK_STREAM)
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._datagrams = namespace.socket(socket.SOCK_DGRAM)
        self._port = port

    def __enter__(self) -> Self:
        self._stream.bind(("", self._port))
        self._stream.listen(64)
        self._datagrams.bind(("", self._port))
        Thread(target=self._accept, daemon=True).start()
        Thread(target=self._answer, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for listener in (self._stream, self._datagrams):
            with suppress(OSError):  # a socket for datagrams says that it is not connected
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, (address, _) = self._stream.accept()
                Thread(target=_serve, args=(connection, address), daemon=True).start()

    def _answer(self) -> None:
        with suppress(OSError):
            while asked := self._datagrams.recvfrom(64)[1]:
                self._datagrams.sendto(asked[0].encode(), asked)


def _serve(connection: socket.socket, address: str) -> None:
    with suppress(OSError), connection:
        while connection.recv(64):
            connection.sendall(address.encode())


def connect(
    namespace: Namespace, address: str = SERVER, port: int = PORT, timeout: float = TIMEOUT
) -> socket.socket:
    """Return a TCP connection from a namespace to the server, or another address."""
    connection = namespace.socket(socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def ask(connection: socket.socket, timeout: float = TIMEOUT) -> str:
    """Return the address from which the connection seems to come to the server."""
    connection.settimeout(timeout)
    connection.sendall(b"?")
    return connection.recv(64).decode()


def source(namespace: Namespace, timeout: float = TIMEOUT) -> str:
    """Return the address from which a new connection of a namespace comes to the server."""
    with connect(namespace, timeout=timeout) as connection:
        return ask(connection)


def source_of_datagrams(namespace: Namespace, timeout: float = TIMEOUT) -> str:
    """Return the address from which a datagram of a namespace comes to the server."""
    with namespace.socket(socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.sendto(b"?", (SERVER, PORT))
        return client.recv(64).decode()


def eventually(condition: Callable[[], bool], *, limit: float = WAIT) -> None:
    """Wait until something holds, for some seconds on the wall at most."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
