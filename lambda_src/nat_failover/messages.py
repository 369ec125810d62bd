"""What each message means: a new trigger is a row here, and a reader if none fits.

The first field of `DIRECT` or `THROUGH_THE_TOPIC` that a message has says its shape. Where one
shape carries several triggers, its own table has a row for each; what is in no row is not
understood, and the problem names it.

EC2's own event, delivered by EventBridge and by nobody else, can say that an instance is leaving; a
lifecycle hook of the own group can say that one waits to be terminated, which the observation has
to show; and CloudFormation, calling directly and for the own stack, can ask for an answer. What
comes through the topic is hearsay: anybody who may publish there can make the function observe, and
can claim something of NATs, which counts as far as the planner lets it.

Shapes: EC2 Auto Scaling user guide, "SNS notifications" and "lifecycle hooks"; EventBridge event
reference, "EC2 instance state-change notification"; CloudWatch user guide, "alarm actions";
CloudFormation user guide, "custom resource request objects".
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nat_failover.claim_messages import INSTANCE, ClaimError, read_claim
from nat_failover.contract import CLAIM_MARK, SWEEP_SOURCE, Resource
from nat_failover.triggers import Deployment, GivenNetwork, Trigger, TriggerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nat_failover.contract import Settings

    Reader = Callable[[Mapping[str, Any], Settings], Trigger]

_LEAVING_STATES = frozenset({"stopping", "stopped", "shutting-down", "terminated"})

_MOST_NAMED = 1000
"""Values of one property that are read; a VPC has 200 subnets unless its quota was raised."""

_ASSOCIATION = re.compile(r"rtbassoc-[0-9a-f]{1,17}")
_WORDS = re.compile(r"[\x20-\ud7ff]{1,1024}")
"""Identifiers as the models of the EC2 and the EC2 Auto Scaling API have them; CloudFormation's are
words of its own, which go back as they came."""

_REQUESTS = frozenset({"Create", "Update", "Delete"})


class NotUnderstoodError(ValueError):
    """A message is not what it should be; the text, if any, says why."""


class _Shown(reprlib.Repr):
    """Shows the outside of a value of any size and depth."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxstring = 3, 12, 3, 60


def shown(value: object) -> str:
    """Show a value of any size and depth in few characters."""
    try:
        return _Shown().repr(value)
    except (ValueError, RecursionError):  # a number of too many digits
        return type(value).__name__


def _row(
    rows: Mapping[tuple[object, ...], Reader], message: Mapping[str, Any], *fields: str
) -> Reader:
    """Return the reader in whose row a message is, by its values of some fields.

    Raises:
        NotUnderstoodError: naming the values, when there is no such row.

    """
    values = tuple(message.get(field) for field in fields)
    for named, reader in rows.items():
        if named == values:
            return reader
    pairs = zip(fields, values, strict=True)
    names = " and ".join(f"{field} {shown(value)}" for field, value in pairs)
    problem = f"there is no trigger with {names}"
    raise NotUnderstoodError(problem)


def _means(kind: TriggerKind) -> Reader:
    """Return the reader of what says no more than its kind."""

    def read(message: Mapping[str, Any], settings: Settings) -> Trigger:
        del message, settings
        return Trigger(kinds=frozenset({kind}))

    return read


def _notification(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read a notification of the group: something changed, and the observation shows what."""
    return _row(_NOTIFICATIONS, message, "Event")(message, settings)


def _lifecycle_action(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read a lifecycle hook's message; a launching instance completes its own action."""
    return _row(_TRANSITIONS, message, "LifecycleTransition")(message, settings)


def _termination(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read the message of a hook that holds a termination: an instance waits."""
    if message["AutoScalingGroupName"] != settings.group:
        problem = "a lifecycle action of another group"
        raise NotUnderstoodError(problem)
    instance = _identifier(INSTANCE, message["EC2InstanceId"])
    return Trigger(kinds=frozenset({TriggerKind.LIFECYCLE}), waiting=frozenset({instance}))


def _claim(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read what a NAT claims of itself and its peers."""
    del settings
    try:
        claim = read_claim(message)
    except ClaimError as error:
        raise NotUnderstoodError(*error.args) from error
    return Trigger(kinds=frozenset({TriggerKind.CLAIM}), claims=frozenset({claim}))


def _eventbridge(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read an event with which EventBridge invokes the function itself."""
    read = _row(_EVENTS, message, "source", "detail-type")
    return read(message.get("detail", {}), settings)


def _hearsay(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read what claims to be an event of EventBridge: nothing that it says is believed."""
    meant = _eventbridge(message, settings)
    return replace(meant, leaving=frozenset())


def _state_change(detail: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read an instance's new state; one that ends is leaving, whatever EC2 still describes."""
    del settings
    instance = _identifier(INSTANCE, detail["instance-id"])
    leaves = detail["state"] in _LEAVING_STATES
    return Trigger(
        kinds=frozenset({TriggerKind.STATE_CHANGE}),
        leaving=frozenset({instance}) if leaves else frozenset(),
    )


def _deployment(message: Mapping[str, Any], settings: Settings) -> Trigger:
    """Read CloudFormation's request; the physical id is chosen once and then kept."""
    if message["StackId"] != settings.stack_id:
        problem = "a request of another stack"
        raise NotUnderstoodError(problem)
    if message["RequestType"] not in _REQUESTS:
        problem = "an unknown request"
        raise NotUnderstoodError(problem)
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
        network=GivenNetwork(
            cidrs=_texts(message, "Cidrs"),
            public_subnets=_texts(message, "PublicSubnets"),
            served_cidrs=_texts(message, "ServedCidrs"),
        ),
        new_gateway=_gateway(message, "ResourceProperties")
        != _gateway(message, "OldResourceProperties"),
    )
    return Trigger(kinds=frozenset({TriggerKind.DEPLOYMENT}), deployment=deployment)


def _associations(message: Mapping[str, Any]) -> frozenset[str]:
    """Return the associations that CloudFormation made, of those that it names."""
    return frozenset(filter(_ASSOCIATION.fullmatch, _texts(message, "Associations")))


def _gateway(message: Mapping[str, Any], properties: str) -> object:
    """Return the standby gateway that a deployment names, or the one before it named."""
    named = message.get(properties)
    return named.get("StandbyGateway") if isinstance(named, dict) else None


def _texts(message: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the texts in a property of a custom resource, up to a number."""
    given = message["ResourceProperties"].get(name)
    named = given[:_MOST_NAMED] if isinstance(given, list) else []
    return tuple(one for one in named if isinstance(one, str))


def _identifier(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise NotUnderstoodError
    return value


_NOTIFICATIONS: dict[tuple[object, ...], Reader] = {
    ("autoscaling:EC2_INSTANCE_LAUNCH",): _means(TriggerKind.LAUNCHED),
    ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR",): _means(TriggerKind.LAUNCH_FAILED),
    ("autoscaling:EC2_INSTANCE_TERMINATE",): _means(TriggerKind.TERMINATED),
    ("autoscaling:EC2_INSTANCE_TERMINATE_ERROR",): _means(TriggerKind.TERMINATE_FAILED),
    ("autoscaling:TEST_NOTIFICATION",): _means(TriggerKind.TEST),
}
"""What a notification of the group is, by its event."""

_TRANSITIONS: dict[tuple[object, ...], Reader] = {
    ("autoscaling:EC2_INSTANCE_LAUNCHING",): _means(TriggerKind.LIFECYCLE),
    ("autoscaling:EC2_INSTANCE_TERMINATING",): _termination,
}
"""What a lifecycle hook's message is, by the transition that the hook holds."""

_EVENTS: dict[tuple[object, ...], Reader] = {
    (SWEEP_SOURCE, None): _means(TriggerKind.SWEEP),
    ("aws.ec2", "EC2 Instance State-change Notification"): _state_change,
    ("aws.autoscaling", "EC2 Instance-launch Lifecycle Action"): _lifecycle_action,
    ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"): _lifecycle_action,
}
"""What an event of EventBridge is, by its source and detail-type; its detail is what is read.
Nobody can put an event whose source begins with `aws.` (EventBridge API reference, PutEvents)."""

DIRECT: dict[str, Reader] = {"RequestType": _deployment, "source": _eventbridge}
"""What invokes the function without the topic, by the field that marks it."""

THROUGH_THE_TOPIC: dict[str, Reader] = {
    CLAIM_MARK: _claim,
    "Event": _notification,
    "LifecycleTransition": _lifecycle_action,
    "AlarmName": _means(TriggerKind.ALARM),
    "source": _hearsay,
}
"""What is published to the topic, likewise, in the order of trying."""
