"""AWS's endpoints as instances reach them: on the internet, with their credentials in the request.

All services are on one port of the internet's server, without TLS. Requests leave an instance by
its uplink as its other packets do, so that one without a way out reaches none of them. Whoever
answers is given by the caller: an emulated region, or a test.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from lab.packets.http_server import HttpServer
from lab.packets.values import SERVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.packets.namespaces import Namespace

PORT = 8080
ENVIRONMENT = {"AWS_ENDPOINT_URL": f"http://{SERVER}:{PORT}"}
"""What a program of an instance needs in its environment to ask here."""

LIMIT = 30.0
"""Seconds after which a connection that nobody uses is closed."""

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")
"""Source: IAM user guide, "Elements of an AWS API request signature"."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A signed request: of which NAT (its credentials name it), to which service, and what."""

    nat: str
    service: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    body: bytes
    status: int = 200


class Endpoints:
    """Answers in the namespace of the internet's server until it is closed."""

    def __init__(self, server: Namespace, answer: Callable[[Asked], Answer]) -> None:
        listener = server.socket(socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        self._server = _Server(listener, _Handler)
        self._server.answer = answer
        self._server.begin()

    def close(self) -> None:
        """Answer no more."""
        self._server.close()


class _Server(HttpServer):
    answer: Callable[[Asked], Answer]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = LIMIT

    def do_POST(self) -> None:
        """Answer what is signed, and refuse the rest as AWS does."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        if scope is None:
            answer = Answer(b"MissingAuthenticationToken", 403)
        else:
            asked = Asked(scope[1], scope[2], dict(self.headers.items()), body)
            answer = self.server.answer(asked)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""
