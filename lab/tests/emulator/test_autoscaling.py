"""Contracts of Auto Scaling groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.autoscaling.activities import LAUNCH, TERMINATE, TEST
from lab.emulator.services.autoscaling.health import ReplacesTheDead
from lab.emulator.services.autoscaling.launches import (
    GroupsStabilize,
    LaunchesTakeTime,
    SpreadsOverZones,
)
from lab.emulator.services.autoscaling.notifications import PublishesNotifications
from lab.emulator.services.autoscaling.terminations import TerminationsTakeTime
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    ECHO,
    any_function,
    any_group,
    any_rule,
    any_subnets,
    any_topic,
    deploy,
    describe,
    eventually,
    heard,
    in_service,
    inbox,
    members,
    state_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lab.emulator.region import Region


def watched(region: Region) -> tuple[Callable[[], list[dict[str, Any]]], list[str]]:
    """Return the inbox of a group of two in two zones, and the group's instances in service."""
    topic = any_topic(region)
    read = inbox(region, topic)
    group = any_group(region, any_subnets(region))
    region.client("autoscaling").put_notification_configuration(
        AutoScalingGroupName=group, TopicARN=topic, NotificationTypes=[LAUNCH, TERMINATE]
    )
    assert eventually(region, lambda: len(in_service(region)) == 2)
    return read, in_service(region)


def events(messages: list[dict[str, Any]], instance: str) -> list[str]:
    """Return the events that name an instance."""
    return [row["Event"] for row in messages if row.get("EC2InstanceId") == instance]


@contract_of(SpreadsOverZones)
def test_group_launches_in_both_zones_when_it_has_none(region: Region) -> None:
    """Two instances of a group over two zones are in two zones."""
    any_group(region, any_subnets(region))
    zones = {row["AvailabilityZone"] for row in members(region)}
    assert zones == {"us-east-1a", "us-east-1b"}


@contract_of(LaunchesTakeTime)
def test_member_is_pending_when_it_was_just_launched(region: Region) -> None:
    """A launch is an activity: InService comes at its end."""
    any_group(region, any_subnets(region))
    assert in_service(region) == []
    assert eventually(region, lambda: len(in_service(region)) == 2)


@contract_of(PublishesNotifications)
def test_group_sends_a_test_notification_when_it_is_given_a_topic(region: Region) -> None:
    """The first message on the topic has neither instance nor details."""
    read, _ = watched(region)
    assert eventually(region, lambda: bool(read()))
    assert read()[0]["Event"] == TEST
    assert "EC2InstanceId" not in read()[0]
    described = region.client("autoscaling").describe_notification_configurations()
    kinds = [row["NotificationType"] for row in described["NotificationConfigurations"]]
    assert kinds == [LAUNCH, TERMINATE]


@contract_of(LaunchesTakeTime)
def test_group_publishes_launch_when_the_instance_is_in_service(region: Region) -> None:
    """LAUNCH names the instance, its zone and its subnet."""
    read, (instance, _) = watched(region)
    assert eventually(region, lambda: events(read(), instance) == [LAUNCH])
    (message,) = [row for row in read() if row.get("EC2InstanceId") == instance]
    zone = describe(region, instance)["Placement"]["AvailabilityZone"]
    assert message["Details"]["Availability Zone"] == zone
    assert message["Details"]["Subnet ID"].startswith("subnet-")


@contract_of(LaunchesTakeTime)
def test_rule_hears_of_a_launch(region: Region) -> None:
    """EventBridge is told what the topics are told."""
    kind = "EC2 Instance Launch Successful"
    pattern = {"source": ["aws.autoscaling"], "detail-type": [kind]}
    any_rule(region, pattern, any_function(region, ECHO))
    any_group(region, any_subnets(region), 1)
    assert eventually(region, lambda: bool(heard(region)))
    (event,) = heard(region)
    assert event["detail"]["EC2InstanceId"] == members(region)[0]["InstanceId"]
    assert event["detail"]["AutoScalingGroupName"] == "any"
    assert event["resources"][1].endswith(event["detail"]["EC2InstanceId"])


@contract_of(ReplacesTheDead)
def test_group_replaces_an_instance_in_its_zone_when_it_was_killed(region: Region) -> None:
    """The group notices late; TERMINATE comes at the end of its activity, the launch meanwhile."""
    read, (victim, survivor) = watched(region)
    zone = describe(region, victim)["Placement"]["AvailabilityZone"]
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    assert sorted(in_service(region)) == sorted([victim, survivor])
    assert eventually(region, lambda: TERMINATE in events(read(), victim))
    assert victim not in [row["InstanceId"] for row in members(region)]
    assert eventually(region, lambda: len(in_service(region)) == 2)
    (new,) = set(in_service(region)) - {survivor}
    assert describe(region, new)["Placement"]["AvailabilityZone"] == zone


@contract_of(ReplacesTheDead)
def test_group_replaces_an_instance_when_it_was_stopped(region: Region) -> None:
    """A stopped instance is unhealthy: the group terminates it."""
    read, (victim, _) = watched(region)
    region.client("ec2").stop_instances(InstanceIds=[victim])
    assert eventually(region, lambda: TERMINATE in events(read(), victim))
    assert eventually(region, lambda: state_of(region, victim) == "terminated")


@contract_of(TerminationsTakeTime)
def test_group_publishes_terminate_when_it_scales_in(region: Region) -> None:
    """A member that the group ends itself is Terminating first, and announced at the end."""
    read, instances = watched(region)
    region.client("autoscaling").set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=1)
    states = [row["LifecycleState"] for row in members(region)]
    assert sorted(states) == ["InService", "Terminating"]
    assert eventually(region, lambda: len(members(region)) == 1)
    (ended,) = set(instances) - set(in_service(region))
    assert eventually(region, lambda: TERMINATE in events(read(), ended))


@contract_of(TerminationsTakeTime)
def test_group_publishes_terminate_when_a_member_is_terminated_through_the_group(
    region: Region,
) -> None:
    """The group knows at once, and fills the gap while the instance is terminating."""
    read, (victim, _) = watched(region)
    region.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=victim, ShouldDecrementDesiredCapacity=False
    )
    assert eventually(region, lambda: TERMINATE in events(read(), victim))
    assert eventually(region, lambda: len(in_service(region)) == 2)


@contract_of(GroupsStabilize)
def test_stack_is_complete_when_its_group_has_its_instances_in_service(region: Region) -> None:
    """CloudFormation waits for the group."""
    subnets = any_subnets(region)
    resources = {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {
                    "ImageId": "ami-00000000000000000",
                    "InstanceType": "t3.nano",
                }
            },
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "AutoScalingGroupName": "any",
                "MinSize": "1",
                "MaxSize": "2",
                "DesiredCapacity": "2",
                "VPCZoneIdentifier": list(subnets),
                "LaunchTemplate": {
                    "LaunchTemplateId": {"Ref": "Template"},
                    "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
                },
            },
        },
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    assert len(in_service(region)) == 2


def test_group_is_found_by_its_tag(region: Region) -> None:
    """DescribeAutoScalingGroups filters by tag key and value (moto is right here)."""
    group = any_group(region, any_subnets(region), desired=0)
    autoscaling = region.client("autoscaling")
    tag = {"ResourceId": group, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    autoscaling.create_or_update_tags(Tags=[{**tag, "Key": "any-key", "Value": "yes"}])

    def found(value: str) -> int:
        wanted = [{"Name": "tag:any-key", "Values": [value]}]
        reply = autoscaling.describe_auto_scaling_groups(Filters=wanted)
        return len(reply["AutoScalingGroups"])

    assert found("yes") == 1
    assert found("no") == 0
