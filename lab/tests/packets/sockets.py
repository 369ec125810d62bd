"""Connections through a NAT, of which a test holds both ends."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.packets.values import SERVER

if TYPE_CHECKING:
    from lab.packets.namespaces import Namespace

LIMIT = 5.0
"""Seconds after which a packet that has not come will not come."""

PORT = 5000


def listen(namespace: Namespace, port: int = PORT, *, address: str = "") -> socket.socket:
    """Listen for TCP connections."""
    listener = namespace.socket(socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(LIMIT)
    listener.bind((address, port))
    listener.listen(1024)
    return listener


def connect(namespace: Namespace, port: int = PORT, *, limit: float = LIMIT) -> socket.socket:
    """Connect to the server on the internet."""
    client = namespace.socket(socket.SOCK_STREAM)
    client.settimeout(limit)
    client.connect((SERVER, port))
    return client


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection: its client, its server, and where it came from in the server's eyes."""

    client: socket.socket
    server: socket.socket
    source: str

    def close(self) -> None:
        """Close both ends."""
        self.client.close()
        self.server.close()

    def exchange(self) -> None:
        """Send a word there and back; raises OSError when it is lost."""
        for one, other in ((self.client, self.server), (self.server, self.client)):
            one.sendall(b"word")
            assert receive(other, 4) == b"word"


def flow(namespace: Namespace, listener: socket.socket) -> Flow:
    """Open a connection to the server, which listens there."""
    client = connect(namespace, listener.getsockname()[1])
    server, (source, _) = listener.accept()
    server.settimeout(LIMIT)
    return Flow(client, server, source)


def receive(end: socket.socket, size: int) -> bytes:
    """Wait for this many bytes, or the end of the stream."""
    received = b""
    while len(received) < size and (more := end.recv(size - len(received))):
        received += more
    return received
