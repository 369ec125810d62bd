"""From what Lambda hands over to what it means: every message says only "observe".

Beyond that EC2's own event, delivered by EventBridge and by nobody else, can say that an instance
is leaving; a lifecycle hook of the own group can ask for its action to be completed; and
CloudFormation, calling directly and for the own stack, can ask for an answer. What comes through
the topic is hearsay: whoever may publish there can make the function observe, and nothing else. A
message that cannot be understood is reported and still leads to an observation. Nothing here
raises, whatever arrives, and what one invocation costs in time and log is bounded.

Shapes: EC2 Auto Scaling user guide, "SNS notifications" and "lifecycle hooks"; EventBridge event
reference, "EC2 instance state-change notification"; CloudWatch user guide, "alarm actions";
CloudFormation user guide, "custom resource request objects".
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING, Any

from nat_failover.actions import CompleteLifecycleAction
from nat_failover.contract import SWEEP_SOURCE, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from nat_failover.contract import Settings

_LEAVING_STATES = frozenset({"stopping", "stopped", "shutting-down", "terminated"})

_MOST_RECORDS = 100
"""Records of one event that are read; SNS hands one over at a time (Lambda guide, "SNS")."""

_MOST_ACTIONS = 20
"""Lifecycle actions of one event that are believed, each of which can cost a call."""

_MOST_PROBLEMS = 10
"""Lines that one event can leave in the log."""

_MOST_ASSOCIATIONS = 1000
"""Associations of one request that are read; a VPC has 200 subnets unless its quota was raised."""

_LONGEST_MESSAGE = 262_144
"""Characters; SNS takes messages of 256 KiB (SNS API reference, Publish)."""

_LONGEST_PROBLEM = 300

_INSTANCE = re.compile(r"i-[0-9a-f]{1,17}")
_HOOK = re.compile(r"[A-Za-z0-9_/-]{1,255}")
_TOKEN = re.compile(r"[0-9A-Fa-f-]{36}")
_ASSOCIATION = re.compile(r"rtbassoc-[0-9a-f]{1,17}")
_WORDS = re.compile(r"[\x20-\ud7ff]{1,1024}")
"""Identifiers as the models of the EC2 and the EC2 Auto Scaling API have them; CloudFormation's are
words of its own, which go back as they came."""

_REQUESTS = frozenset({"Create", "Update", "Delete"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """CloudFormation's request, to be answered at `response_url`.

    `resource` is the type of the custom resource, `associations` the ids of those that
    CloudFormation made and will delete itself.
    """

    resource: Resource
    request: str
    response_url: str
    stack: str
    request_id: str
    logical_id: str
    physical_id: str
    associations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What an event means, all its records together. `problems` are the parts not believed."""

    kinds: frozenset[Kind] = frozenset()
    leaving: frozenset[str] = frozenset()
    actions: frozenset[CompleteLifecycleAction] = frozenset()
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


class _NotUnderstoodError(ValueError):
    """A message is not what it should be; the text, if any, says why."""


def parse(event: object, settings: Settings) -> Trigger:
    """Say what an event means; an event of SNS may carry several records."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return _bounded(_read(event, settings, _DIRECT))
    read = (_record(record, settings) for record in records[:_MOST_RECORDS])
    return _bounded(reduce(Trigger.__or__, read), len(records) - _MOST_RECORDS)


def _bounded(trigger: Trigger, records_left: int = 0) -> Trigger:
    """Leave aside what would cost too much, and say so once."""
    actions, problems = sorted(trigger.actions), trigger.problems
    left = {
        "records": records_left,
        "lifecycle actions": len(actions) - _MOST_ACTIONS,
        "problems": len(problems) - _MOST_PROBLEMS,
    }
    said = ", ".join(f"{count} {what}" for what, count in left.items() if count > 0)
    return replace(
        trigger,
        actions=frozenset(actions[:_MOST_ACTIONS]),
        problems=problems[:_MOST_PROBLEMS] + ((f"left aside: {said}",) if said else ()),
    )


def _record(record: object, settings: Settings) -> Trigger:
    """Read one SNS record; its `Message` is JSON in a string."""
    try:
        text = record["Sns"]["Message"]  # type: ignore[index]  # anything else is garbage
        if len(text) > _LONGEST_MESSAGE:
            return _not_understood(text, "it is too long")
        message = json.loads(text)
    except (TypeError, KeyError, ValueError, RecursionError):
        return _not_understood(record)
    return _read(message, settings, _THROUGH_THE_TOPIC)


def _read(message: object, settings: Settings, readers: Mapping[str, _Reader]) -> Trigger:
    """Read one message with the first reader whose field it has."""
    if not isinstance(message, Mapping):
        return _not_understood(message)
    try:
        for field, read in readers.items():
            if field in message:
                return read(message, settings)
    except _NotUnderstoodError as error:
        return _not_understood(message, str(error))
    except (TypeError, KeyError, AttributeError, ValueError):
        pass
    return _not_understood(message)


class _Shown(reprlib.Repr):
    """Shows the outside of a value of any size and depth."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxstring = 3, 12, 3, 60


def _not_understood(message: object, why: str = "") -> Trigger:
    """Report a message, in ASCII: not everything that JSON can carry can be printed."""
    try:
        shown = _Shown().repr(message)
    except (ValueError, RecursionError):  # a number of too many digits
        shown = type(message).__name__
    problem = ": ".join(filter(None, ("not understood", why, shown)))
    problem = problem.encode("ascii", "backslashreplace").decode()[:_LONGEST_PROBLEM]
    return Trigger(kinds=frozenset({Kind.UNKNOWN}), problems=(problem,))


def _identifier(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _NotUnderstoodError
    return value


def _notification(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read a notification of the group: something changed, and the observation tells what."""
    del settings
    return Trigger(kinds=frozenset({_NOTIFICATIONS[message["Event"]]}))


def _lifecycle_action(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read a lifecycle hook's message; a launching instance completes its own action."""
    if message["LifecycleTransition"] != "autoscaling:EC2_INSTANCE_TERMINATING":
        return Trigger(kinds=frozenset({Kind.LIFECYCLE}))
    if message["AutoScalingGroupName"] != settings.group:
        problem = "a lifecycle action of another group"
        raise _NotUnderstoodError(problem)
    action = CompleteLifecycleAction(
        group=settings.group,
        hook=_identifier(_HOOK, message["LifecycleHookName"]),
        token=_identifier(_TOKEN, message["LifecycleActionToken"]),
        instance=_identifier(_INSTANCE, message["EC2InstanceId"]),
    )
    return Trigger(kinds=frozenset({Kind.LIFECYCLE}), actions=frozenset({action}))


def _alarm(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read an alarm: it says that something is wrong, and the observation will tell what."""
    del message, settings
    return Trigger(kinds=frozenset({Kind.ALARM}))


def _eventbridge(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read an event with which EventBridge invokes the function itself."""
    read = _EVENTS[message["source"], message.get("detail-type")]
    return read(message.get("detail", {}), settings)


def _hearsay(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read what claims to be an event of EventBridge: nothing that it says is believed."""
    meant = _eventbridge(message, settings)
    return replace(meant, leaving=frozenset())


def _sweep(detail: Mapping[str, Any], settings: Settings) -> Trigger:
    del detail, settings
    return Trigger(kinds=frozenset({Kind.SWEEP}))


def _state_change(detail: Mapping[str, Any], settings: Settings) -> Trigger:
    del settings
    instance = _identifier(_INSTANCE, detail["instance-id"])
    leaves = detail["state"] in _LEAVING_STATES
    return Trigger(
        kinds=frozenset({Kind.STATE_CHANGE}),
        leaving=frozenset({instance}) if leaves else frozenset(),
    )


def _deployment(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read CloudFormation's request; the physical id is chosen once and then kept."""
    if message["StackId"] != settings.stack_id:
        problem = "a request of another stack"
        raise _NotUnderstoodError(problem)
    if message["RequestType"] not in _REQUESTS:
        problem = "an unknown request"
        raise _NotUnderstoodError(problem)
    logical_id = _identifier(_WORDS, message["LogicalResourceId"])
    deployment = Deployment(
        resource=Resource(message["ResourceType"]),
        request=message["RequestType"],
        response_url=str(message["ResponseURL"]),
        stack=settings.stack_id,
        request_id=_identifier(_WORDS, message["RequestId"]),
        logical_id=logical_id,
        physical_id=_identifier(_WORDS, message.get("PhysicalResourceId") or logical_id),
        associations=_associations(message),
    )
    return Trigger(kinds=frozenset({Kind.DEPLOYMENT}), deployment=deployment)


def _associations(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the associations that CloudFormation made, of those that it names."""
    given = message["ResourceProperties"].get("Associations")
    named = given[:_MOST_ASSOCIATIONS] if isinstance(given, list) else []
    known = (one for one in named if isinstance(one, str) and _ASSOCIATION.fullmatch(one))
    return frozenset(known)


if TYPE_CHECKING:
    _Reader = Callable[[Mapping[str, Any], Settings], Trigger]

_EVENTS: dict[tuple[str, str | None], _Reader] = {
    (SWEEP_SOURCE, None): _sweep,
    ("aws.ec2", "EC2 Instance State-change Notification"): _state_change,
    ("aws.autoscaling", "EC2 Instance-launch Lifecycle Action"): _lifecycle_action,
    ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"): _lifecycle_action,
}
"""What an event of EventBridge is, by its source and detail-type. Nobody can put an event whose
source begins with `aws.` (EventBridge API reference, PutEvents)."""

_DIRECT: dict[str, _Reader] = {"RequestType": _deployment, "source": _eventbridge}
"""Who invokes the function without the topic, by the field that tells them apart."""

_THROUGH_THE_TOPIC: dict[str, _Reader] = {
    "Event": _notification,
    "LifecycleTransition": _lifecycle_action,
    "AlarmName": _alarm,
    "source": _hearsay,
}
"""What is published to the topic, likewise, in the order of trying."""
