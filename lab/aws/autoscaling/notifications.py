"""What a group tells its topics, and when."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import sns_backends

from lab.aws.behaviour import Behaviour, Emulation, Patches
from lab.journal import Who

if TYPE_CHECKING:
    from datetime import datetime

LAUNCH = "autoscaling:EC2_INSTANCE_LAUNCH"
TERMINATE = "autoscaling:EC2_INSTANCE_TERMINATE"
TEST = "autoscaling:TEST_NOTIFICATION"

_WORDS = {
    LAUNCH: ("Launching a new EC2 instance", "EC2", "AutoScalingGroup"),
    TERMINATE: ("Terminating EC2 instance", "AutoScalingGroup", "EC2"),
}


def topics(group: FakeAutoScalingGroup) -> dict[str, list[str]]:
    """Return the group's topics, and the notification types that each one wants."""
    configured: dict[str, list[str]] = vars(group).setdefault("notification_topics", {})
    return configured


def publish_activity(
    aws: Emulation, state: InstanceState, event: str, *, cause: str, started: datetime
) -> None:
    """Tell the topics that want it that an activity of the group has ended just now."""
    group = state.auto_scaling_group
    doing, origin, destination = _WORDS[event]
    now = iso_8601_datetime_with_milliseconds()
    message = {
        **_envelope(aws, group, event),
        "Origin": origin,
        "Destination": destination,
        "Progress": 50,
        "Description": f"{doing}: {state.instance.id}",
        "StartTime": iso_8601_datetime_with_milliseconds(started),
        "EndTime": now,
        "ActivityId": str(uuid.uuid4()),
        "EC2InstanceId": state.instance.id,
        "StatusCode": "InProgress",
        "StatusMessage": "",
        "Details": {
            "Subnet ID": state.instance.subnet_id,
            "Availability Zone": state.availability_zone,
        },
        "Cause": f"At {now} {cause}",
    }
    for topic, wanted in topics(group).items():
        if event in wanted:
            _publish(aws, topic, message)


def _envelope(aws: Emulation, group: FakeAutoScalingGroup, event: str) -> dict[str, Any]:
    return {
        "AccountId": aws.account,
        "RequestId": str(uuid.uuid4()),
        "AutoScalingGroupARN": group.arn,
        "AutoScalingGroupName": group.name,
        "Service": "AWS Auto Scaling",
        "Event": event,
        "Time": iso_8601_datetime_with_milliseconds(),
    }


def _publish(aws: Emulation, topic: str, message: dict[str, Any]) -> None:
    event = message["Event"].removeprefix("autoscaling:")
    instance = message.get("EC2InstanceId", "")
    what = f"publishes {event} {instance}".rstrip()
    aws.journal.note(Who.AUTO_SCALING, "published", what, event=event, instance=instance)
    subject = f'Auto Scaling: {event} for group "{message["AutoScalingGroupName"]}"'
    sns_backends[aws.account][aws.region].publish(json.dumps(message), arn=topic, subject=subject)


class PublishesNotifications(Behaviour):
    """A group has notification configurations, and sends TEST_NOTIFICATION to a topic it is given.

    moto has no such API and drops the CloudFormation property NotificationConfigurations.
    """

    source = "EC2 Auto Scaling user guide, 'Amazon SNS notification options'"

    def install(self, patches: Patches) -> None:
        """Add the API's actions and the property."""
        api = AutoScalingResponse
        patches.method(api, "put_notification_configuration", self._put)
        patches.method(api, "delete_notification_configuration", self._delete)
        patches.method(api, "describe_notification_configurations", self._describe)
        patches.creation(FakeAutoScalingGroup, after=self._read_template)

    def _configure(self, group: FakeAutoScalingGroup, topic: str, types: list[str]) -> None:
        topics(group)[topic] = types
        _publish(self._aws, topic, _envelope(self._aws, group, TEST))

    def _read_template(self, group: FakeAutoScalingGroup, properties: dict[str, Any]) -> None:
        for row in properties.get("NotificationConfigurations", []):
            given = row["TopicARN"]
            for topic in [given] if isinstance(given, str) else given:
                self._configure(group, topic, row["NotificationTypes"])

    def _put(self, response: AutoScalingResponse) -> EmptyResult:
        wanted = response._get_param("NotificationTypes", [])
        self._configure(_group(response), response._get_param("TopicARN"), wanted)
        return EmptyResult()

    @staticmethod
    def _delete(response: AutoScalingResponse) -> EmptyResult:
        topics(_group(response)).pop(response._get_param("TopicARN"), None)
        return EmptyResult()

    @staticmethod
    def _describe(response: AutoScalingResponse) -> ActionResult:
        names = response._get_param("AutoScalingGroupNames", [])
        rows = [
            {"AutoScalingGroupName": group.name, "TopicARN": topic, "NotificationType": kind}
            for group in response.autoscaling_backend.describe_auto_scaling_groups(names)
            for topic, kinds in topics(group).items()
            for kind in kinds
        ]
        return ActionResult({"NotificationConfigurations": rows})


def _group(response: AutoScalingResponse) -> FakeAutoScalingGroup:
    name = response._get_param("AutoScalingGroupName")
    return response.autoscaling_backend.autoscaling_groups[name]
