"""Small servers on a free port of the loopback, each in a thread of its own."""

from __future__ import annotations

import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

_POLL = 0.05  # seconds after which a server notices that it is to stop


class LoopbackServer(socketserver.ThreadingTCPServer):
    """A server that begins at once; `close` ends it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("localhost", 0), handler)
        threading.Thread(target=self.serve_forever, args=(_POLL,), daemon=True).start()

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"localhost:{self.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - inherited
        """Let a client go that went without a word: functions' processes are killed at times."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Quiet(BaseHTTPRequestHandler):
    """A handler of HTTP requests that keeps the terminal quiet."""

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Say nothing."""
