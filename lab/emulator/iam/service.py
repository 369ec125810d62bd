"""Whether identity policies allow requests, as `@cloud-copilot/iam-simulate` evaluates them.

It knows AWS's Service Authorization Reference, and runs in a process of node's of its own, because
starting it takes longer than thousands of its answers. It has no state: threads may ask at the same
time, and so may processes that were forked after `start`.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lab.emulator.isolation import end_process_group
from lab.emulator.node import NotSetUpError, node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVICE = Path(__file__).with_name("service.mjs")
_LIMIT = 30.0  # seconds for an answer, on the busiest of machines
_CLOSED = "the IAM simulator is closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action on one resource: a call that touches several resources is a request for each."""

    action: str
    resource: str
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    resource_policy: Mapping[str, Any] | None = None
    """The resource's own policy; without that of a key, nobody may use the key."""


Context = tuple[tuple[str, str | tuple[str, ...]], ...]
"""Condition keys with their values, sorted; keys of several values have a tuple."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource that a call may touch, with the condition keys that it has.

    `policy` is its own one as text, if it has one: without that of a key, nobody may use the key.
    """

    resource: str
    context: Context = ()
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What IAM is asked about one call: an action, and every resource that the call names.

    Candidates of a type that the action does not take are passed over, and so are condition keys
    that it does not know. A type that it needs and no candidate has is asked about as a whole.
    """

    action: str
    context: Context
    candidates: tuple[Candidate, ...]


class Verdict(Enum):
    """What policies say of a request."""

    ALLOWED = "Allowed"
    NOT_ALLOWED = "ImplicitlyDenied"
    DENIED = "ExplicitlyDenied"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on one resource; None where the action takes no resource."""

    resource: str | None
    verdict: Verdict


class Simulator:
    """The simulator, started when it is first asked. Its process ends with this one at the latest.

    Raises:
        NotSetUpError: when node or the simulator is not installed.
        ValueError: when a question makes no sense, with what is wrong with it.

    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        self._port = 0
        self._closed = False

    def start(self) -> None:
        """Start it now: processes that are forked from here on share it."""
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            if self._process is None:
                self._process, self._port = _started()
                self._owner = os.getpid()

    def evaluate(
        self, policies: Sequence[Mapping[str, Any]], requests: Sequence[Request], *, principal: str
    ) -> list[bool]:
        """Return for each request whether the policies allow it to the principal.

        A resource of a type that the action does not take, or a condition key that it does not
        know, makes no sense.
        """
        rows = [_as_json(request) for request in requests]
        answers = self._ask("/evaluate", principal, policies, requests=rows)
        return [Verdict(answer) is Verdict.ALLOWED for answer in answers]

    def decide(
        self, policies: Sequence[Mapping[str, Any]], question: Question, *, principal: str
    ) -> tuple[Decision, ...]:
        """Return a decision for each resource that the action takes."""
        candidates = [
            {
                "resource": row.resource,
                "context": dict(row.context),
                "policy": json.loads(row.policy) if row.policy else None,
            }
            for row in question.candidates
        ]
        answers = self._ask(
            "/decide",
            principal,
            policies,
            action=question.action,
            context=dict(question.context),
            candidates=candidates,
        )
        return tuple(Decision(row["resource"], Verdict(row["result"])) for row in answers)

    def close(self) -> None:
        """End its process, unless another process started it."""
        with self._lock:
            self._closed = True
            if self._process and self._owner == os.getpid():
                end_process_group(self._process)
            self._process = None

    def _ask(
        self, path: str, principal: str, policies: Sequence[Mapping[str, Any]], **question: object
    ) -> list[Any]:
        self.start()
        body = json.dumps({"principal": principal, "policies": list(policies), **question})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_LIMIT)
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            said = answer.read().decode()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ValueError(said)
        return cast("list[Any]", json.loads(said))


def _started() -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(  # noqa: S603 - our own script, no shell
        [node(), str(SERVICE)],
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe, see above
    said = process.stdout.readline()
    if said.strip().isdigit():
        return process, int(said)
    end_process_group(process)
    message = "the IAM simulator does not start: run the lab with `make lab`, which installs it"
    raise NotSetUpError(message)


def _as_json(request: Request) -> dict[str, Any]:
    tags = {f"aws:ResourceTag/{key}": value for key, value in request.tags.items()}
    return {
        "action": request.action,
        "resource": request.resource,
        "context": {**request.context, **tags},
        "resourcePolicy": request.resource_policy,
    }
