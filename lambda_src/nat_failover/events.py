"""From what Lambda hands over to what it means: every trigger says only "look again".

Beyond that a message can say that an instance is leaving, ask for a lifecycle action to be
completed, or ask for CloudFormation to be answered. A message that cannot be understood is reported
and still leads to a look. Nothing here raises, whatever arrives.

Shapes: EC2 Auto Scaling user guide, "SNS notifications" and "lifecycle hooks"; EventBridge event
reference, "EC2 instance state-change notification"; CloudWatch user guide, "alarm actions";
CloudFormation user guide, "custom resource request objects".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Any

from nat_failover.settings import SWEEP_SOURCE

_LEAVING_STATES = frozenset({"stopping", "stopped", "shutting-down", "terminated"})


class Kind(StrEnum):
    """What kind of message a trigger was."""

    SWEEP = "sweep"
    LAUNCHED = "launched"
    LAUNCH_FAILED = "launch failed"
    TERMINATED = "terminated"
    TERMINATE_FAILED = "terminate failed"
    TEST = "test"
    LIFECYCLE = "lifecycle action"
    STATE_CHANGE = "state change"
    ALARM = "alarm"
    DEPLOYMENT = "deployment"
    UNKNOWN = "unknown"


_NOTIFICATIONS = {
    "autoscaling:EC2_INSTANCE_LAUNCH": Kind.LAUNCHED,
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR": Kind.LAUNCH_FAILED,
    "autoscaling:EC2_INSTANCE_TERMINATE": Kind.TERMINATED,
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR": Kind.TERMINATE_FAILED,
    "autoscaling:TEST_NOTIFICATION": Kind.TEST,
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LifecycleAction:
    """A lifecycle action of a terminating instance, to be completed when its tables have moved."""

    group: str
    hook: str
    token: str
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """CloudFormation's request, to be answered at `response_url`.

    `resource` is the type of the custom resource, `associations` the ids of those that
    CloudFormation made and will delete itself.
    """

    resource: str
    request: str
    response_url: str
    stack: str
    request_id: str
    logical_id: str
    physical_id: str
    associations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What an event means, all its records together. `problems` are its unintelligible parts."""

    kinds: frozenset[Kind] = frozenset()
    leaving: frozenset[str] = frozenset()
    actions: frozenset[LifecycleAction] = frozenset()
    deployment: Deployment | None = None
    problems: tuple[str, ...] = ()

    def __or__(self, other: Trigger) -> Trigger:
        """Join what two messages mean."""
        return Trigger(
            kinds=self.kinds | other.kinds,
            leaving=self.leaving | other.leaving,
            actions=self.actions | other.actions,
            deployment=self.deployment or other.deployment,
            problems=self.problems + other.problems,
        )

    def tells_of_a_loss(self, nats: Iterable[str]) -> bool:
        """Say whether one of these NATs is lost, or could not be replaced.

        EC2 tells of every instance of the account; the group tells only of its own.
        """
        losses = {Kind.TERMINATED, Kind.LAUNCH_FAILED, Kind.ALARM}
        return bool(self.leaving.intersection(nats) or self.kinds & losses)


def parse(event: object) -> Trigger:
    """Say what an event means; an event of SNS may carry several records."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if isinstance(records, list) and records:
        return reduce(Trigger.__or__, (_record(record) for record in records))
    return _message(event)


def _record(record: object) -> Trigger:
    """Read one SNS record; its `Message` is JSON in a string."""
    try:
        text = record["Sns"]["Message"]  # type: ignore[index]  # anything else is garbage
        return _message(json.loads(text))
    except (TypeError, KeyError, ValueError, RecursionError):
        return _garbage(record)


def _message(message: object) -> Trigger:
    if not isinstance(message, Mapping):
        return _garbage(message)
    try:
        for field, read in _READERS.items():
            if field in message:
                return read(message)
    except (TypeError, KeyError, AttributeError):
        pass
    return _garbage(message)


def _garbage(message: object) -> Trigger:
    shown = json.dumps(message, default=str)[:500]
    return Trigger(kinds=frozenset({Kind.UNKNOWN}), problems=(f"not understood: {shown}",))


def _notification(message: Mapping[str, Any]) -> Trigger:
    """Read a notification of the group; errors and tests may name no instance."""
    kind = _NOTIFICATIONS[message["Event"]]
    instance = message.get("EC2InstanceId")
    left = kind is Kind.TERMINATED and instance
    return Trigger(
        kinds=frozenset({kind}), leaving=frozenset({str(instance)}) if left else frozenset()
    )


def _lifecycle_action(message: Mapping[str, Any]) -> Trigger:
    """Read a lifecycle hook's message; a launching instance completes its own action."""
    instance = str(message["EC2InstanceId"])
    if message["LifecycleTransition"] != "autoscaling:EC2_INSTANCE_TERMINATING":
        return Trigger(kinds=frozenset({Kind.LIFECYCLE}))
    action = LifecycleAction(
        group=str(message["AutoScalingGroupName"]),
        hook=str(message["LifecycleHookName"]),
        token=str(message["LifecycleActionToken"]),
        instance=instance,
    )
    return Trigger(
        kinds=frozenset({Kind.LIFECYCLE}),
        leaving=frozenset({instance}),
        actions=frozenset({action}),
    )


def _eventbridge(message: Mapping[str, Any]) -> Trigger:
    if message["source"] == SWEEP_SOURCE:
        return Trigger(kinds=frozenset({Kind.SWEEP}))
    detail = message["detail"]
    if "LifecycleTransition" in detail:
        return _lifecycle_action(detail)
    leaves = detail["state"] in _LEAVING_STATES
    return Trigger(
        kinds=frozenset({Kind.STATE_CHANGE}),
        leaving=frozenset({str(detail["instance-id"])}) if leaves else frozenset(),
    )


def _alarm(message: Mapping[str, Any]) -> Trigger:
    """Read an alarm: it says that something is wrong, and the look will tell what."""
    del message
    return Trigger(kinds=frozenset({Kind.ALARM}))


def _deployment(message: Mapping[str, Any]) -> Trigger:
    """Read CloudFormation's request; the physical id is chosen once and then kept."""
    deployment = Deployment(
        resource=str(message["ResourceType"]),
        request=str(message["RequestType"]),
        response_url=str(message["ResponseURL"]),
        stack=str(message["StackId"]),
        request_id=str(message["RequestId"]),
        logical_id=str(message["LogicalResourceId"]),
        physical_id=str(message.get("PhysicalResourceId") or message["LogicalResourceId"]),
        associations=frozenset(message["ResourceProperties"].get("Associations", ())),
    )
    return Trigger(kinds=frozenset({Kind.DEPLOYMENT}), deployment=deployment)


_READERS = {
    "RequestType": _deployment,
    "Event": _notification,
    "LifecycleTransition": _lifecycle_action,
    "AlarmName": _alarm,
    "source": _eventbridge,
}
"""The field that tells each kind of message from the others, in the order of trying."""
