"""Which topics a group tells of its activities."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.emulator.behaviour import Behaviour
from lab.emulator.services.autoscaling.activities import TEST, envelope, notify, topics
from lab.emulator.services.autoscaling.requests import group_of
from lab.emulator.services.autoscaling.settings import GroupsKeepTheirSettings

if TYPE_CHECKING:
    from lab.emulator.behaviour import Patches


class PublishesNotifications(Behaviour):
    """A group has notification configurations, and sends TEST_NOTIFICATION to a topic it is given.

    moto has no such API and drops the CloudFormation property NotificationConfigurations.
    """

    source = "EC2 Auto Scaling user guide, 'Amazon SNS notification options'"
    after = (GroupsKeepTheirSettings,)

    def install(self, patches: Patches) -> None:
        """Add the API's actions and the property."""
        api = AutoScalingResponse
        patches.method(api, "put_notification_configuration", self._put)
        patches.method(api, "delete_notification_configuration", self._delete)
        patches.method(api, "describe_notification_configurations", self._describe)
        patches.creation(FakeAutoScalingGroup, after=self._read_template)

    def _configure(self, group: FakeAutoScalingGroup, topic: str, types: list[str]) -> None:
        topics(group)[topic] = types
        subject = f'Auto Scaling: test notification for group "{group.name}"'
        notify(self._aws, topic, envelope(self._aws, group, TEST), subject)

    def _read_template(self, group: FakeAutoScalingGroup, properties: dict[str, Any]) -> None:
        for row in properties.get("NotificationConfigurations", []):
            given = row["TopicARN"]
            for topic in [given] if isinstance(given, str) else given:
                self._configure(group, topic, row["NotificationTypes"])

    def _put(self, response: AutoScalingResponse) -> EmptyResult:
        wanted = response._get_param("NotificationTypes", [])
        self._configure(group_of(response), response._get_param("TopicARN"), wanted)
        return EmptyResult()

    @staticmethod
    def _delete(response: AutoScalingResponse) -> EmptyResult:
        topics(group_of(response)).pop(response._get_param("TopicARN"), None)
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
