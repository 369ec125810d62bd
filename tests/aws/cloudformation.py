"""Where CloudFormation waits for what a custom resource answers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class CloudFormation:
    """Where CloudFormation waits for answers."""

    url: str = ""
    status: int = 200
    answers: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """The length of each answer's body in bytes."""


@contextmanager
def waiting_for_answers() -> Iterator[CloudFormation]:
    """Wait for answers at a real HTTP server on the loopback interface."""
    waiting = CloudFormation()

    class Answer(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            """Take an answer."""
            size = int(self.headers["Content-Length"])
            waiting.answers.append(json.loads(self.rfile.read(size)))
            waiting.sizes.append(size)
            self.send_response(waiting.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        waiting.url = f"http://127.0.0.1:{server.server_port}/any-signature"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield waiting
        server.shutdown()
        thread.join()
