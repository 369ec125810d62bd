"""Contracts of what a group is set to: its bounds, its members' template, age and successors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.bounds import GroupsHaveBounds
from lab.emulator.services.autoscaling.replacement import MembersKeepTheirTemplate
from lab.emulator.services.autoscaling.settings import (
    LONGEST_LIFETIME,
    SHORTEST_LIFETIME,
    GroupsKeepTheirSettings,
)
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_group,
    any_subnets,
    emulated,
    eventually,
    group_in_service,
    in_service,
    members,
    state_of,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region


def new_version(region: Region) -> str:
    """Return a new version of the group's launch template, which the group takes."""
    reply = region.client("ec2").create_launch_template_version(
        LaunchTemplateName="any",
        LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "t3.nano"},
    )
    version = str(reply["LaunchTemplateVersion"]["VersionNumber"])
    template = {"LaunchTemplateName": "any", "Version": version}
    region.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="any", LaunchTemplate=template
    )
    return version


def versions(region: Region) -> dict[str, str]:
    """Return each member's launch template version."""
    return {row["InstanceId"]: row["LaunchTemplate"]["Version"] for row in members(region)}


@contract_of(GroupsHaveBounds)
@pytest.mark.parametrize(
    ("wanted", "words"),
    [(5, "value 5 is above max value 4"), (0, "value 0 is below min value 1")],
)
def test_desired_capacity_is_refused_when_it_is_out_of_bounds(
    region: Region, wanted: int, words: str
) -> None:
    """In AWS's words."""
    any_group(region, any_subnets(region), 1, MinSize=1)
    with pytest.raises(ClientError, match=words):
        region.client("autoscaling").set_desired_capacity(
            AutoScalingGroupName="any", DesiredCapacity=wanted
        )


@contract_of(GroupsHaveBounds)
def test_group_is_refused_when_its_desired_capacity_is_out_of_bounds(region: Region) -> None:
    """At its creation as at its update."""
    words = "Desired capacity:5 must be between the specified min size:0 and max size:4"
    with pytest.raises(ClientError, match=words):
        any_group(region, any_subnets(region), 5)


@contract_of(GroupsHaveBounds)
def test_desired_capacity_moves_with_the_bounds_when_an_update_moves_them(region: Region) -> None:
    """Members that are leaving do not count."""
    leaving, _ = group_in_service(region)
    autoscaling = region.client("autoscaling")
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=leaving, ShouldDecrementDesiredCapacity=True
    )
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="any", MinSize=2)
    (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 2


@contract_of(GroupsHaveBounds)
def test_termination_is_refused_when_the_group_would_fall_below_its_minimum(
    region: Region,
) -> None:
    """Only with the capacity decremented: otherwise the member is replaced."""
    (instance,) = group_in_service(region, 1, MinSize=1)
    terminate = region.client("autoscaling").terminate_instance_in_auto_scaling_group
    with pytest.raises(ClientError, match="desiredSize equals minSize"):
        terminate(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
    terminate(InstanceId=instance, ShouldDecrementDesiredCapacity=False)
    assert eventually(region, lambda: len(in_service(region)) == 1)


@contract_of(GroupsKeepTheirSettings)
def test_group_describes_its_settings(region: Region) -> None:
    """The grace period is 0 where none is given."""
    distribution = {"CapacityDistributionStrategy": "balanced-only"}
    any_group(
        region,
        any_subnets(region),
        0,
        DefaultInstanceWarmup=30,
        MaxInstanceLifetime=SHORTEST_LIFETIME,
        AvailabilityZoneDistribution=distribution,
    )
    (group,) = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["HealthCheckGracePeriod"] == 0
    assert group["DefaultInstanceWarmup"] == 30
    assert group["MaxInstanceLifetime"] == SHORTEST_LIFETIME
    assert group["AvailabilityZoneDistribution"] == distribution


@pytest.mark.parametrize("lifetime", [SHORTEST_LIFETIME - 1, LONGEST_LIFETIME + 1])
@contract_of(GroupsKeepTheirSettings)
def test_lifetime_is_refused_when_it_is_no_day_or_more_than_a_year(
    region: Region, lifetime: int
) -> None:
    """And the group is not created."""
    with pytest.raises(ClientError, match="MaxInstanceLifetime"):
        any_group(region, any_subnets(region), 0, MaxInstanceLifetime=lifetime)
    groups = region.client("autoscaling").describe_auto_scaling_groups()
    assert groups["AutoScalingGroups"] == []


@contract_of(MembersKeepTheirTemplate)
def test_member_shows_the_template_version_that_it_was_launched_from(region: Region) -> None:
    """A new version of the group's template changes what is launched next, not what runs."""
    (old,) = group_in_service(region, 1)
    version = new_version(region)
    region.client("autoscaling").set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=2)
    (new,) = set(versions(region)) - {old}
    assert versions(region) == {old: "1", new: version}


def test_group_ends_the_oldest_template_version_first_when_it_scales_in(region: Region) -> None:
    """In the zone with the most members, and not the group's oldest, which is elsewhere."""
    autoscaling = region.client("autoscaling")
    first, second = group_in_service(region)
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=first, ShouldDecrementDesiredCapacity=False
    )
    assert eventually(region, lambda: len(in_service(region)) == 2)
    assert in_service(region)[0] == second
    new_version(region)
    autoscaling.set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=3)
    assert eventually(region, lambda: len(in_service(region)) == 3)
    crowded = [row for row in in_service(region) if zone_of(row) == "us-east-1a"]
    (expected,) = [row for row in crowded if versions(region)[row] == "1"]
    autoscaling.set_desired_capacity(AutoScalingGroupName="any", DesiredCapacity=2)
    assert eventually(region, lambda: state_of(region, expected) == "terminated")
    assert expected not in in_service(region)
    assert len(in_service(region)) == 2


def zone_of(instance: str) -> str | None:
    """Return the zone of an instance."""
    return emulated(instance).availability_zone


def test_group_replaces_a_detached_member_and_leaves_it_alone(region: Region) -> None:
    """DetachInstances is moto's own; the replacement takes its time like every launch."""
    detached, _ = group_in_service(region)
    region.client("autoscaling").detach_instances(
        AutoScalingGroupName="any", InstanceIds=[detached], ShouldDecrementDesiredCapacity=False
    )
    assert len(in_service(region)) == 1
    assert eventually(region, lambda: len(in_service(region)) == 2)
    assert detached not in in_service(region)
    assert state_of(region, detached) == "running"


def test_group_does_not_replace_a_member_in_standby_when_it_is_stopped(region: Region) -> None:
    """EnterStandby is moto's own; a group does not check members in standby."""
    resting, _ = group_in_service(region)
    region.client("autoscaling").enter_standby(
        AutoScalingGroupName="any", InstanceIds=[resting], ShouldDecrementDesiredCapacity=True
    )
    region.client("ec2").stop_instances(InstanceIds=[resting])
    assert eventually(region, lambda: state_of(region, resting) == "stopped")
    region.clock.pass_time(600)
    (rested,) = [row for row in members(region) if row["InstanceId"] == resting]
    assert (rested["LifecycleState"], rested["HealthStatus"]) == ("Standby", "Healthy")
