"""Signals: what a stack's resource waits for, beyond what its service says of it.

A group's creation policy waits for so many of them, and so does a rolling update for each of its
batches. They count by their unique id, which is an instance's.
"""
# ruff: noqa: SLF001 - moto gives no other access to its state

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import EmptyResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.emulator.behaviour import Emulation

SUCCESS, FAILURE = "SUCCESS", "FAILURE"

_IN_PROGRESS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS")
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(slots=True)
class Signals:
    """The signals that a resource got so far: each status by its unique id."""

    received: dict[str, str] = field(default_factory=dict)

    @property
    def successes(self) -> int:
        """Return how many said SUCCESS."""
        return sum(status == SUCCESS for status in self.received.values())

    @property
    def failed(self) -> bool:
        """Return whether one said FAILURE, which ends the wait."""
        return FAILURE in self.received.values()


_RECEIVED: SideTable[Stack, dict[str, Signals]] = SideTable(dict)
"""The signals of a stack's resources since each began to wait for them."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What the creation of a resource waits for: so many signals within so many seconds."""

    signals: Signals
    count: int
    timeout: float

    @property
    def lacking(self) -> int:
        """Return how many signals are still to come."""
        return max(self.count - self.signals.successes, 0)

    @property
    def refusal(self) -> str:
        """Return what CloudFormation says when the time is over, or one said FAILURE."""
        if self.signals.failed:
            return "Received a FAILURE signal"
        return f"Failed to receive {self.lacking} resource signal(s) within the specified duration"


_awaited: ContextVar[Awaited | None] = ContextVar("awaited", default=None)


def awaited() -> Awaited | None:
    """Return what the creation that is under way here waits for, if it has a creation policy."""
    return _awaited.get()


@contextmanager
def creating(stack: Stack, name: str, body: Mapping[str, Any]) -> Iterator[None]:
    """Let the creation of a resource know what its creation policy waits for.

    The time begins when the creation does (CloudFormation template reference, "CreationPolicy
    attribute").
    """
    wanted = body.get("CreationPolicy", {}).get("ResourceSignal")
    found = wanted and Awaited(
        begin(stack, name), int(wanted.get("Count", 1)), seconds(wanted.get("Timeout", "PT5M"))
    )
    token = _awaited.set(found or None)
    try:
        yield
    finally:
        _awaited.reset(token)


def begin(stack: Stack, name: str) -> Signals:
    """Let a resource wait for signals anew: those that came before do not count."""
    signals = Signals()
    _RECEIVED[stack][name] = signals
    return signals


def seconds(duration: str) -> float:
    """Return the seconds of a duration such as PT15M.

    Raises:
        ValueError: it is none.

    """
    match = _DURATION.fullmatch(duration)
    if not match or not any(match.groups()):
        message = f"{duration!r} is no duration such as PT5M"
        raise ValueError(message)
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + rest)


class ResourcesAreSignalled(Behaviour):
    """SignalResource tells a stack's resource success or failure while it is in progress.

    A signal at any other time is refused. moto has no such API.
    """

    source = "CloudFormation API reference, SignalResource; messages from public issue reports"

    def install(self, patches: Patches) -> None:
        """Add the action."""
        patches.method(CloudFormationResponse, "signal_resource", self._signal)

    def _signal(self, response: CloudFormationResponse) -> EmptyResult:
        names = ("StackName", "LogicalResourceId", "UniqueId", "Status")
        signal(self._aws, *(str(response._get_param(name)) for name in names))
        return EmptyResult()


def signal(aws: Emulation, stack_name: str, resource: str, id_: str, status: str) -> None:
    """Take a signal for a stack's resource.

    Raises:
        ValidationError: there is no such stack or resource, or it is not in progress.

    """
    stack = cloudformation_backends[aws.account][aws.region].get_stack(stack_name)
    _refuse_unless_in_progress(stack, resource)
    signals = _RECEIVED[stack].get(resource) or begin(stack, resource)
    signals.received[id_] = status
    what = f"Received {status} signal with UniqueId {id_}"
    aws.journal.note(Who.CLOUDFORMATION, "signal", what, resource=resource, status=status)


def _refuse_unless_in_progress(stack: Stack, name: str) -> None:
    if stack.status not in _IN_PROGRESS:
        _refuse(stack, f"Stack:{stack.stack_id} is in {stack.status} state")
    statuses = [row.resource_status for row in stack.events if row.logical_resource_id == name]
    if not statuses:
        message = f"Resource {name} does not exist for stack {stack.name}"
        raise ValidationError(stack.name, message)
    if not str(statuses[-1]).endswith("IN_PROGRESS"):
        _refuse(stack, f"Resource {name} is in {statuses[-1]} state")


def _refuse(stack: Stack, state: str) -> None:
    message = f"{state} and can not be signaled"
    raise ValidationError(stack.name, message)
