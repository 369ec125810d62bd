"""The Lambda Runtime API, over which an execution environment fetches events and answers them.

Source: Lambda developer guide, "Using the Lambda runtime API". AWS's Python runtime client
(`awslambdaric`) needs the trace-id and content-type headers, which the guide calls optional.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.emulator.loopback import LoopbackServer, Quiet

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function returned, or the error object that it ended with."""

    payload: bytes
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event on its way through an execution environment.

    `deadline` is when it times out, in seconds since 1970 by the lab's calendar.
    """

    payload: bytes
    function_arn: str
    deadline: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    fetched: threading.Event = field(default_factory=threading.Event)
    answer: Future[Answer] = field(default_factory=Future)

    def settle(self, answer: Answer) -> None:
        """Take the first answer; later ones do not count."""
        if not self.answer.done():
            self.answer.set_result(answer)
        self.fetched.set()


def failure(error_type: str, message: str) -> Answer:
    """Return the answer that Lambda itself gives when the function could not."""
    body = {"errorType": error_type, "errorMessage": message}
    return Answer(json.dumps(body).encode(), failed=True)


class RuntimeApi:
    """One execution environment's side of the Runtime API, on a free port of the loopback."""

    def __init__(self) -> None:
        self._next: queue.Queue[Invocation | None] = queue.Queue()
        self._current: Invocation | None = None
        self._server = LoopbackServer(_handler(self))

    @property
    def address(self) -> str:
        """Return what the variable AWS_LAMBDA_RUNTIME_API says."""
        return self._server.address

    def offer(self, invocation: Invocation) -> None:
        """Hand an event to the environment, which is idle."""
        self._current = invocation
        self._next.put(invocation)

    def fail(self, answer: Answer) -> None:
        """Answer the current invocation in the environment's place."""
        if self._current:
            self._current.settle(answer)

    def fetch(self) -> Invocation | None:
        """Wait for the next event; None once the environment is shut down."""
        invocation = self._next.get()
        if invocation:
            invocation.fetched.set()
        return invocation

    def close(self) -> None:
        """Shut down: whoever waits for the next event is let go."""
        self._next.put(None)
        self._server.close()


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
            invocation = api.fetch()
            if invocation is None:
                self.close_connection = True
                return
            self._reply(200, invocation.payload, _headers(invocation))

        def do_POST(self) -> None:  # noqa: N802 - as http.server calls it
            body = self.rfile.read(int(self.headers["Content-Length"]))
            api.fail(Answer(body, failed=not self.path.endswith("/response")))
            self._reply(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _headers(invocation: Invocation) -> dict[str, str]:
    milliseconds = round(invocation.deadline * 1000)
    return {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(milliseconds),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
    }
