"""What a group tells of its activities: its topics over SNS, and everybody over EventBridge."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends

from lab.emulator.journal import Who
from lab.emulator.services.messaging.events import event_of, publish
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup

    from lab.emulator.behaviour import Emulation

LAUNCH = "autoscaling:EC2_INSTANCE_LAUNCH"
LAUNCH_ERROR = "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"
TERMINATE = "autoscaling:EC2_INSTANCE_TERMINATE"
TEST = "autoscaling:TEST_NOTIFICATION"


@dataclass(frozen=True, slots=True)
class _Words:
    """How an activity is told: in its description, its event, its mail's subject, the journal."""

    doing: str
    event: str
    subject: str
    done: str


_LAUNCHING = "Launching a new EC2 instance"
_TERMINATING = "Terminating EC2 instance"
_WORDS = {
    LAUNCH: _Words(_LAUNCHING, "EC2 Instance Launch Successful", "launch", "launched"),
    LAUNCH_ERROR: _Words(
        _LAUNCHING, "EC2 Instance Launch Unsuccessful", "failed launch", "not launched"
    ),
    TERMINATE: _Words(
        _TERMINATING, "EC2 Instance Terminate Successful", "termination", "terminated"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An activity of a group that has ended: `event` says which, and whether it succeeded.

    `cause` is a sentence without the time, `started` a timestamp. One that failed has the `status`
    Failed or Cancelled and a `reason`; a failed launch may have no instance.
    """

    event: str
    started: str
    cause: str
    zone: str
    subnet: str
    instance: str = ""
    status: str = "InProgress"
    reason: str = ""


_TOPICS: SideTable[FakeAutoScalingGroup, dict[str, list[str]]] = SideTable(dict)


def tell(aws: Emulation, group: FakeAutoScalingGroup, activity: Activity) -> None:
    """Tell the topics that want it, and EventBridge, that an activity has ended just now."""
    words = _WORDS[activity.event]
    message = _message(aws, activity, words)
    for topic, wanted in topics(group).items():
        if activity.event in wanted:
            subject = f'Auto Scaling: {words.subject} for group "{group.name}"'
            notify(aws, topic, {**envelope(aws, group, activity.event), **message}, subject)
    resources = [group.arn, *_instance_arn(aws, activity.instance)]
    detail = {"AutoScalingGroupName": group.name, "RequestId": message["ActivityId"], **message}
    event = event_of(aws, "aws.autoscaling", words.event, resources, detail)
    publish(aws, event, f"{activity.instance or 'an instance'} was {words.done}")


def topics(group: FakeAutoScalingGroup) -> dict[str, list[str]]:
    """Return the group's topics, and the notification types that each one wants."""
    return _TOPICS[group]


def envelope(aws: Emulation, group: FakeAutoScalingGroup, event: str) -> dict[str, Any]:
    """Return what every notification of a group has."""
    return {
        "AccountId": aws.account,
        "RequestId": str(uuid.uuid4()),
        "AutoScalingGroupARN": group.arn,
        "AutoScalingGroupName": group.name,
        "Service": "AWS Auto Scaling",
        "Event": event,
        "Time": aws.clock.timestamp(),
    }


def notify(aws: Emulation, topic: str, message: dict[str, Any], subject: str) -> None:
    """Publish a notification to a topic, now."""
    event = message["Event"].removeprefix("autoscaling:")
    instance = message.get("EC2InstanceId", "")
    what = f"publishes {event} {instance}".rstrip()
    aws.journal.note(Who.AUTO_SCALING, "published", what, event=event, instance=instance)
    sns_backends[aws.account][aws.region].publish(json.dumps(message), arn=topic, subject=subject)


def _message(aws: Emulation, activity: Activity, words: _Words) -> dict[str, Any]:
    launches = activity.event != TERMINATE
    reason = f".  Status Reason: {activity.reason}" if activity.reason else ""
    instance = f": {activity.instance}" if activity.instance else ""
    return {
        "Origin": "EC2" if launches else "AutoScalingGroup",
        "Destination": "AutoScalingGroup" if launches else "EC2",
        "Progress": 100 if activity.reason else 50,
        "Description": f"{words.doing}{instance}{reason}",
        "StartTime": activity.started,
        "EndTime": aws.clock.timestamp(),
        "ActivityId": str(uuid.uuid4()),
        **({"EC2InstanceId": activity.instance} if activity.instance else {}),
        "StatusCode": activity.status,
        "StatusMessage": activity.reason,
        "Details": {"Subnet ID": activity.subnet, "Availability Zone": activity.zone},
        "Cause": f"At {activity.started[:19]}Z {activity.cause}",
    }


def _instance_arn(aws: Emulation, instance: str) -> list[str]:
    return [f"arn:aws:ec2:{aws.region}:{aws.account}:instance/{instance}"] if instance else []
