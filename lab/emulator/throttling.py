"""API throttling: token buckets per account and Region, one for each action.

Source of the rule and of EC2's figures: Amazon EC2 developer guide, "Request throttling for the
Amazon EC2 API". Resource tokens are left out: no function of this kind starts a thousand instances.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.emulator.lambda_runtime.calls import Reply

if TYPE_CHECKING:
    from lab.emulator.iam.calls import ApiCall
    from lab.emulator.lambda_runtime.environment import ExecutionEnvironment
    from lab.emulator.time.clock import Clock


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: how many tokens it holds at most, and how many come back each second."""

    capacity: float
    refill: float


READS = Limit(100, 20)
UNFILTERED_READS = Limit(50, 10)
WRITES = Limit(50, 5)
AUTO_SCALING = Limit(100, 20)
"""Auto Scaling publishes no figures, only that its actions share a bucket (re:Post knowledge
center, "autoscaling-api-calls-throttled"): EC2's for reads are assumed."""

_UNFILTERED = frozenset(
    {
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeVolumes",
    }
)
"""The reads that cost more when they ask for neither a filter nor a page."""

_OF_THEIR_OWN = {
    "AssignPrivateIpAddresses": Limit(100, 5),
    "CreateTags": Limit(100, 10),
    "DeleteTags": Limit(100, 10),
    "ModifyNetworkInterfaceAttribute": Limit(100, 5),
    "RunInstances": Limit(5, 2),
    "StartInstances": Limit(5, 2),
    "TerminateInstances": Limit(100, 5),
}
"""The writes of a failover function that have limits of their own; the guide lists many more."""


class _Bucket:
    def __init__(self, limit: Limit, level: float, since: float) -> None:
        self._limit = limit
        self._level = level
        self._since = since

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        filled = self._level + (now - self._since) * self._limit.refill
        self._level, self._since = min(filled, self._limit.capacity), now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Throttling:
    """The buckets of one account in one Region; a judge of functions' calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._others_call = False
        self._refilling_since: float | None = None

    def exhaust(self) -> None:
        """Let others in the account use up all tokens, and those that come back, from now on."""
        self._others_call = True

    def restore(self) -> None:
        """Let the others stop: the buckets, all of them empty, begin to fill."""
        self._others_call = False
        self._buckets.clear()
        self._refilling_since = self._clock.now()

    def __call__(self, call: ApiCall, caller: ExecutionEnvironment) -> Reply | None:
        """Refuse a call for which there is no token."""
        del caller
        if call.service not in _REFUSALS:
            return None
        name, limit = _bucket_of(call)
        bucket = self._buckets.setdefault(name, self._fresh(limit))
        passes = not self._others_call and bucket.take(self._clock.now())
        return None if passes else _REFUSALS[call.service]()

    def _fresh(self, limit: Limit) -> _Bucket:
        if self._refilling_since is None:
            return _Bucket(limit, limit.capacity, self._clock.now())
        return _Bucket(limit, 0.0, self._refilling_since)


def _bucket_of(call: ApiCall) -> tuple[str, Limit]:
    """Return the bucket of a call, by name, and its limit."""
    if call.service == "autoscaling":
        return call.service, AUTO_SCALING
    if not call.reads:
        return call.operation, _OF_THEIR_OWN.get(call.operation, WRITES)
    narrowed = any(key.startswith(("Filter", "MaxResults")) for key in call.parameters)
    if call.operation in _UNFILTERED and not narrowed:
        return f"{call.operation} of everything", UNFILTERED_READS
    return call.operation, READS


def _ec2_refuses() -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        "<Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message>"
        f"</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
    )
    return Reply("503 Service Unavailable", _XML, body.encode())


def _auto_scaling_refuses() -> Reply:
    body = (
        '<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><Error>'
        "<Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Reply("400 Bad Request", _XML, body.encode())


_XML = [("Content-Type", "text/xml;charset=UTF-8")]
_REFUSALS = {"ec2": _ec2_refuses, "autoscaling": _auto_scaling_refuses}
