"""HTTP servers of the lab's own process that listen in a namespace."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from http.server import BaseHTTPRequestHandler

_POLL = 0.05  # seconds after which a server notices that it is to stop


class HttpServer(ThreadingHTTPServer):
    """Answers on a socket that listens already, from now on until it is closed."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def begin(self) -> None:
        """Answer, in a thread."""
        Thread(target=self.serve_forever, args=(_POLL,), daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - inherited
        """Let a client go that went without a word, as one does whose packets are lost."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
