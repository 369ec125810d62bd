"""The calls that functions make: each takes its time, may be refused, and is noted.

A call is carried out at the moment at which its answer is back: a read shows the state of that
moment, a write has its effect then, so that no outage is reported too short.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lab.emulator.iam.requests import parse, signer
from lab.emulator.isolation import ACCOUNT
from lab.emulator.journal import Who
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.emulator.iam.calls import ApiCall
    from lab.emulator.journal import Journal
    from lab.emulator.lambda_runtime.environment import ExecutionEnvironment
    from lab.emulator.lambda_runtime.service import Functions
    from lab.emulator.time.clock import Clock

    Environ = dict[str, Any]
    Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_CODE = re.compile(rb"<Code>([^<]+)</Code>")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def error(self) -> str:
        """Return AWS's error code; empty where the call did what it should."""
        if self.status.startswith("2"):
            return ""
        if found := _CODE.search(self.body):
            return found[1].decode()
        try:
            return str(json.loads(self.body).get("__type", self.status)).rsplit("#", 1)[-1]
        except ValueError:
            return self.status


class Judge(Protocol):
    """Something that may refuse a call before AWS does what it asks for."""

    def __call__(self, call: ApiCall, caller: ExecutionEnvironment) -> Reply | None:
        """Return the refusal, or None to let the call pass."""
        ...


class Calls:
    """Stands before the emulated services; requests that no function made pass at once."""

    def __init__(
        self, services: Application, clock: Clock, journal: Journal, functions: Functions
    ) -> None:
        self.judges: list[Judge] = []
        self._services = services
        self._clock = clock
        self._journal = journal
        self._functions = functions

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request of the WSGI server."""
        key = signer(environ)
        caller = self._functions.caller(key) if key else None
        if caller is None:
            return self._services(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        reply = self._hold(parse(environ, body, ACCOUNT), caller, environ, body)
        start_response(reply.status, reply.headers)
        return [reply.body]

    def _hold(
        self, call: ApiCall, caller: ExecutionEnvironment, environ: Environ, body: bytes
    ) -> Reply:
        activity, sent = caller.activity, self._clock.now()
        run, replies = activity.run, list[Reply]()

        def perform() -> None:
            asked = {**environ, "wsgi.input": io.BytesIO(body)}
            try:
                reply = self._judge(call, caller) or self._ask(asked)
            except Exception as error:  # noqa: BLE001 - the function must get an answer
                self._journal.note(Who.LAB, "problem", f"the lab cannot do {call.name}: {error!r}")
                reply = Reply("500 The lab cannot do this", [], b"")
            self._note(call, reply, sent, run)
            replies.append(reply)

        row = delays.READ_CALL if call.reads else delays.WRITE_CALL
        name = f"{row.name}/{run}/{call}"
        activity.hold(
            str(call), lambda: self._clock.chance.between(row.low, row.high, name), perform
        )
        return replies[0] if replies else Reply("503 The lab is closing", [], b"")

    def _judge(self, call: ApiCall, caller: ExecutionEnvironment) -> Reply | None:
        refusals = (judge(call, caller) for judge in self.judges)
        return next((refusal for refusal in refusals if refusal), None)

    def _ask(self, environ: Environ) -> Reply:
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            head[:] = [status, headers]

        body = b"".join(self._services(environ, start_response))
        return Reply(head[0], head[1], body)

    def _note(self, call: ApiCall, reply: Reply, sent: float, run: int) -> None:
        what = f"{call.name}: {reply.error}" if reply.error else call.name
        self._journal.note(
            Who.LAMBDA,
            "call",
            what,
            name=call.name,
            error=reply.error,
            sent=str(sent),
            run=str(run),
            parameters=json.dumps(call.parameters, default=str),
        )
