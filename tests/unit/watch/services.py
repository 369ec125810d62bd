"""AWS as an instance sees it, on a port of this host: its metadata, a topic, a table."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "any-token"  # noqa: S105 - of nobody
CREDENTIALS = {"AccessKeyId": "AKIAANY", "SecretAccessKey": "any", "Token": "any//token=="}
METADATA = {
    "instance-id": "i-a",
    "placement/region": "eu-west-1",
    "services/domain": "amazonaws.com",
    "iam/security-credentials/": "any-role",
    "iam/security-credentials/any-role": json.dumps(CREDENTIALS),
}


@dataclass
class Services:
    """What was asked of AWS, and what it answers; `item` is that of the table."""

    item: Mapping[str, Any] | None = None
    refuses: bool = False
    metadata_read: list[str] = field(default_factory=list)
    requests: list[Mapping[str, str]] = field(default_factory=list)
    """The headers of each request to a service."""
    items_wanted: list[Any] = field(default_factory=list)
    published: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to answer."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._server.server_close()

    def metadata(self, path: str, token: str | None) -> str | None:
        """Answer the question for metadata; None to those without a token (IMDSv2)."""
        self.metadata_read.append(path)
        return METADATA.get(path) if token == TOKEN else None

    def answer(self, headers: Mapping[str, str], body: str) -> str | None:
        """Answer a request to a service; None refuses it."""
        self.requests.append(headers)
        if self.refuses:
            return None
        if "x-amz-target" in headers:
            self.items_wanted.append(json.loads(body))
            return json.dumps({"Item": self.item} if self.item else {})
        self.published.append(dict(parse_qsl(body)))
        return "<PublishResponse/>"


def _handler(services: Services) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._send(TOKEN if self.path == "/latest/api/token" else None)

        def do_GET(self) -> None:
            path = self.path.removeprefix("/latest/meta-data/")
            self._send(services.metadata(path, self.headers["X-aws-ec2-metadata-token"]))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(services.answer(headers, body))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def _send(self, answer: str | None) -> None:
            self.send_response(400 if answer is None else 200)
            self.end_headers()
            self.wfile.write((answer or "").encode())

    return Handler
