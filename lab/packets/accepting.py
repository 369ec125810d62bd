"""What self-tests and watches connect to on the internet: it takes connections, and hangs up."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.packets.namespaces import Namespace

_PORT = 443
_WAITING = 1024  # connections that may wait to be taken


def accepting(server: Namespace) -> socket.socket:
    """Take connections, until the socket that is returned is shut down."""
    listener = server.socket(socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", _PORT))
    listener.listen(_WAITING)
    Thread(target=_hang_up, args=(listener,), daemon=True).start()
    return listener


def _hang_up(listener: socket.socket) -> None:
    with listener, suppress(OSError):  # when the listener is shut down
        while True:
            listener.accept()[0].close()
