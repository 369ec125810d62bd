"""Contracts of instances that are attached to a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.attachments import InstancesAreAttached
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_group,
    any_instance,
    any_subnets,
    describe,
    eventually,
    in_service,
    members,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region


def attach(region: Region, instance: str) -> None:
    """Attach an instance to the group that is called any."""
    region.client("autoscaling").attach_instances(
        AutoScalingGroupName="any", InstanceIds=[instance]
    )


def group_with_a_hook(region: Region, **settings: object) -> tuple[str, ...]:
    """Return the subnets of a group without members, whose launches a hook holds."""
    subnets = any_subnets(region)
    hook = {
        "LifecycleHookName": "any",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
    }
    any_group(region, subnets, 0, LifecycleHookSpecificationList=[hook], **settings)
    return subnets


@contract_of(InstancesAreAttached)
def test_attached_instance_is_in_service_at_once_and_counts(region: Region) -> None:
    """No launch hook holds it, and the group launches none beside it."""
    instance = any_instance(region, group_with_a_hook(region)[0])
    attach(region, instance)
    assert in_service(region) == [instance]
    region.clock.pass_time(600)
    assert [row["InstanceId"] for row in members(region)] == [instance]
    (group,) = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 1
    tags = {row["Key"]: row["Value"] for row in describe(region, instance)["Tags"]}
    assert tags["aws:autoscaling:groupName"] == "any"


@contract_of(InstancesAreAttached)
def test_instance_is_not_attached_beyond_the_maximum_size(region: Region) -> None:
    """The request says which sizes the group has."""
    instance = any_instance(region, group_with_a_hook(region, MaxSize=0)[0])
    with pytest.raises(ClientError, match=r"max-size=0, and desired-size=0\. To attach 1"):
        attach(region, instance)
    assert members(region) == []


@contract_of(InstancesAreAttached)
def test_only_a_running_instance_of_one_of_the_zones_that_is_no_member_is_attached(
    region: Region,
) -> None:
    """Each other one is refused."""
    first, second = any_subnets(region)
    any_group(region, (first,), 0)
    stopped, elsewhere, member = (any_instance(region, subnet) for subnet in (first, second, first))
    region.client("ec2").stop_instances(InstanceIds=[stopped])
    attach(region, member)
    for instance, why in (
        (stopped, "not running"),
        (elsewhere, "none of the Availability Zones"),
        (member, "a member of an Auto Scaling group already"),
    ):
        with pytest.raises(ClientError, match=why):
            attach(region, instance)
    assert in_service(region) == [member]


def test_attached_instance_leaves_like_any_other(region: Region) -> None:
    """By a termination that lowers the desired capacity (moto is right here)."""
    instance = any_instance(region, group_with_a_hook(region)[0])
    attach(region, instance)
    region.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=True
    )
    assert eventually(region, lambda: members(region) == [])
    assert describe(region, instance)["State"]["Name"] in {"shutting-down", "terminated"}
