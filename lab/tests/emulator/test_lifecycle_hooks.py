"""Contracts of lifecycle hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.activities import LAUNCH, LAUNCH_ERROR, TERMINATE
from lab.emulator.services.autoscaling.hooks import LifecycleHooksHold
from lab.emulator.services.autoscaling.waits import LAUNCHING, TERMINATING
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    ECHO,
    any_function,
    any_group,
    any_rule,
    any_subnets,
    any_topic,
    deploy,
    emulated,
    eventually,
    group_in_service,
    heard,
    in_service,
    inbox,
    members,
    state_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

HEARTBEAT = 100


def hook(transition: str, **settings: object) -> dict[str, Any]:
    """Return a lifecycle hook as a group's specification has it."""
    return {
        "LifecycleHookName": "any-hook",
        "LifecycleTransition": transition,
        "HeartbeatTimeout": HEARTBEAT,
        **settings,
    }


def hooked(
    region: Region, transition: str, **settings: object
) -> Callable[[], list[dict[str, Any]]]:
    """Return the inbox of a new group of one with a hook, which tells the group's own topic."""
    topic = any_topic(region)
    read = inbox(region, topic)
    specification = hook(transition, NotificationTargetARN=topic, RoleARN="any", **settings)
    any_group(region, any_subnets(region), 1, LifecycleHookSpecificationList=[specification])
    region.client("autoscaling").put_notification_configuration(
        AutoScalingGroupName="any",
        TopicARN=topic,
        NotificationTypes=[LAUNCH, LAUNCH_ERROR, TERMINATE],
    )
    return read


def lifecycle(region: Region) -> list[str]:
    """Return the lifecycle states of the group's members."""
    return [row["LifecycleState"] for row in members(region)]


def complete(region: Region, result: str, instance: str) -> None:
    """Complete the lifecycle action of an instance."""
    region.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName="any",
        LifecycleHookName="any-hook",
        LifecycleActionResult=result,
        InstanceId=instance,
    )


@contract_of(LifecycleHooksHold)
def test_launch_is_held_until_its_action_is_completed(region: Region) -> None:
    """Pending:Wait, CONTINUE, Pending:Proceed, InService; LAUNCH comes after the hook's message."""
    read = hooked(region, LAUNCHING)
    assert eventually(region, lambda: lifecycle(region) == ["Pending:Wait"])
    (message,) = [row for row in read() if "LifecycleActionToken" in row]
    assert message["LifecycleTransition"] == LAUNCHING
    assert message["LifecycleHookName"] == "any-hook"
    assert message["Origin"] == "EC2"
    assert message["Destination"] == "AutoScalingGroup"
    assert not region.clock.wait_until(lambda: bool(in_service(region)), HEARTBEAT / 2)
    complete(region, "CONTINUE", message["EC2InstanceId"])
    assert lifecycle(region) == ["Pending:Proceed"]
    assert eventually(region, lambda: in_service(region) == [message["EC2InstanceId"]])
    assert read()[-1]["Event"] == LAUNCH


@contract_of(LifecycleHooksHold)
@pytest.mark.parametrize("ends", ["ABANDON", "timeout"])
def test_launch_is_terminated_and_replaced_when_it_is_abandoned(region: Region, ends: str) -> None:
    """By its handler, or by default when no heartbeat comes in time; LAUNCH_ERROR says why."""
    read = hooked(region, LAUNCHING)
    assert eventually(region, lambda: lifecycle(region) == ["Pending:Wait"])
    began = region.clock.now()
    first = members(region)[0]["InstanceId"]
    if ends == "ABANDON":
        complete(region, "ABANDON", first)
    assert eventually(region, lambda: "Pending:Wait" not in lifecycle(region))
    took = region.clock.now() - began
    assert took == pytest.approx(0 if ends == "ABANDON" else HEARTBEAT)
    (error,) = [row for row in read() if row.get("Event") == LAUNCH_ERROR]
    assert error["EC2InstanceId"] == first
    assert error["StatusCode"] == "Cancelled"
    why = "Lifecycle Action Completed with ABANDON Result" if ends == "ABANDON" else "Heartbeat"
    assert why in error["StatusMessage"]
    assert eventually(region, lambda: state_of(region, first) == "terminated")
    assert eventually(region, lambda: first not in [row["InstanceId"] for row in members(region)])
    assert len(members(region)) == 1


@contract_of(LifecycleHooksHold)
def test_launch_goes_on_when_the_hooks_default_is_to_continue(region: Region) -> None:
    """The heartbeat timeout ends the wait with the default result."""
    hooked(region, LAUNCHING, DefaultResult="CONTINUE")
    assert eventually(region, lambda: lifecycle(region) == ["Pending:Wait"])
    assert eventually(region, lambda: lifecycle(region) == ["InService"])


@contract_of(LifecycleHooksHold)
def test_heartbeat_starts_the_timeout_again(region: Region) -> None:
    """The wait then lasts from the heartbeat on."""
    hooked(region, LAUNCHING, DefaultResult="CONTINUE")
    assert eventually(region, lambda: lifecycle(region) == ["Pending:Wait"])
    region.clock.pass_time(HEARTBEAT / 2)
    region.client("autoscaling").record_lifecycle_action_heartbeat(
        AutoScalingGroupName="any",
        LifecycleHookName="any-hook",
        InstanceId=members(region)[0]["InstanceId"],
    )
    region.clock.pass_time(HEARTBEAT - 1)
    assert lifecycle(region) == ["Pending:Wait"]
    region.clock.pass_time(1)
    assert lifecycle(region) == ["Pending:Proceed"]


@contract_of(LifecycleHooksHold)
def test_launch_is_terminated_at_once_when_its_group_is_to_be_empty(region: Region) -> None:
    """A group that is deleted with a held launch in it does not wait for the heartbeat."""
    hooked(region, LAUNCHING)
    assert eventually(region, lambda: lifecycle(region) == ["Pending:Wait"])
    instance = members(region)[0]["InstanceId"]
    group = {"AutoScalingGroupName": "any", "MinSize": 0, "DesiredCapacity": 0}
    region.client("autoscaling").update_auto_scaling_group(**group)
    assert lifecycle(region) == ["Terminating"]
    assert emulated(instance).state == "shutting-down"


@contract_of(LifecycleHooksHold)
def test_termination_is_held_until_its_action_is_completed(region: Region) -> None:
    """Terminating:Wait with the instance alive; the replacement does not wait for it."""
    read = hooked(region, TERMINATING)
    assert eventually(region, lambda: lifecycle(region) == ["InService"])
    (victim,) = in_service(region)
    region.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=victim, ShouldDecrementDesiredCapacity=False
    )
    assert lifecycle(region) == ["Terminating:Wait"]
    assert eventually(region, lambda: lifecycle(region) == ["Terminating:Wait", "InService"])
    assert state_of(region, victim) == "running"
    (message,) = [row for row in read() if "LifecycleActionToken" in row]
    assert message["EC2InstanceId"] == victim
    complete(region, "CONTINUE", victim)
    assert lifecycle(region)[0] == "Terminating:Proceed"
    assert eventually(region, lambda: lifecycle(region) == ["InService"])
    assert state_of(region, victim) == "terminated"
    assert TERMINATE in [row.get("Event") for row in read()]


@contract_of(LifecycleHooksHold)
def test_terminate_hook_delays_the_notification_when_the_instance_is_dead(region: Region) -> None:
    """The hook of an instance that was killed from outside begins when it is dead already."""
    read = hooked(region, TERMINATING)
    assert eventually(region, lambda: lifecycle(region) == ["InService"])
    (victim,) = in_service(region)
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    assert eventually(region, lambda: "Terminating:Wait" in lifecycle(region))
    began = region.clock.now()
    assert state_of(region, victim) != "running"
    assert eventually(region, lambda: TERMINATE in [row.get("Event") for row in read()])
    assert region.clock.now() - began > HEARTBEAT


@contract_of(LifecycleHooksHold)
def test_completion_is_refused_when_no_action_is_open(region: Region) -> None:
    """In AWS's words, on which handlers lean."""
    (instance,) = group_in_service(region, 1)
    with pytest.raises(ClientError, match="No active Lifecycle Action found with instance ID"):
        complete(region, "CONTINUE", instance)


def test_hook_is_refused_when_its_heartbeat_is_out_of_bounds(region: Region) -> None:
    """Thirty seconds at least."""
    any_group(region, any_subnets(region), 0)
    with pytest.raises(ClientError, match="Heartbeat timeout must be between 30 and 7200"):
        region.client("autoscaling").put_lifecycle_hook(
            AutoScalingGroupName="any", **hook(LAUNCHING, HeartbeatTimeout=29)
        )


@contract_of(LifecycleHooksHold)
def test_hook_is_described_as_it_was_put(region: Region) -> None:
    """A second PutLifecycleHook changes what it names, and keeps the rest."""
    autoscaling = region.client("autoscaling")
    any_group(region, any_subnets(region), 0)
    autoscaling.put_lifecycle_hook(
        AutoScalingGroupName="any",
        **hook(TERMINATING, NotificationMetadata="said", NotificationTargetARN=any_topic(region)),
    )
    autoscaling.put_lifecycle_hook(
        AutoScalingGroupName="any", LifecycleHookName="any-hook", HeartbeatTimeout=60
    )
    (described,) = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName="any")[
        "LifecycleHooks"
    ]
    assert described["LifecycleTransition"] == TERMINATING
    assert described["NotificationTargetARN"] == any_topic(region)
    assert described["HeartbeatTimeout"] == 60
    assert described["GlobalTimeout"] == 6000
    assert described["DefaultResult"] == "ABANDON"


@contract_of(LifecycleHooksHold)
def test_rule_hears_of_a_lifecycle_action_when_the_hook_has_no_target(region: Region) -> None:
    """EventBridge is told of each action, with what completes it."""
    kind = "EC2 Instance-launch Lifecycle Action"
    pattern = {"source": ["aws.autoscaling"], "detail-type": [kind]}
    any_rule(region, pattern, any_function(region, ECHO))
    any_group(region, any_subnets(region), 1, LifecycleHookSpecificationList=[hook(LAUNCHING)])
    assert eventually(region, lambda: bool(heard(region)))
    (event,) = heard(region)
    assert event["detail"]["LifecycleHookName"] == "any-hook"
    assert event["detail"]["EC2InstanceId"] == members(region)[0]["InstanceId"]
    region.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName="any",
        LifecycleHookName="any-hook",
        LifecycleActionResult="CONTINUE",
        LifecycleActionToken=event["detail"]["LifecycleActionToken"],
    )
    assert lifecycle(region) == ["Pending:Proceed"]


@contract_of(LifecycleHooksHold)
@pytest.mark.parametrize("place", ["group", "resource"])
def test_template_declares_hooks(region: Region, place: str) -> None:
    """In the group's own list, before its first launch, or as a resource, after it."""
    specification = hook(LAUNCHING, DefaultResult="CONTINUE")
    own = {"LifecycleHookSpecificationList": [specification]} if place == "group" else {}
    resource = {"Properties": {**specification, "AutoScalingGroupName": {"Ref": "Group"}}}
    hooks = {"Hook": {"Type": "AWS::AutoScaling::LifecycleHook", **resource}}
    data = {"ImageId": "ami-00000000000000000", "InstanceType": "t3.nano"}
    resources = {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": data},
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "AutoScalingGroupName": "any",
                "MinSize": "1",
                "MaxSize": "1",
                "VPCZoneIdentifier": list(any_subnets(region)),
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}, "Version": "1"},
                **own,
            },
        },
        **(hooks if place == "resource" else {}),
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    waited = [entry.detail["hook"] for entry in region.journal.entries("hook")]
    assert waited == (["any-hook"] if place == "group" else [])
    described = region.client("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName="any")
    assert [row["LifecycleHookName"] for row in described["LifecycleHooks"]] == ["any-hook"]
