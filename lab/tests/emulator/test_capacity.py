"""Contracts of capacity: launches that fail, what a group does then, and balanced zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.activities import LAUNCH, LAUNCH_ERROR
from lab.emulator.services.autoscaling.attempts import FailedLaunchesAreRetried
from lab.emulator.services.autoscaling.balance import ZonesAreRebalanced
from lab.emulator.services.ec2.capacity import ZonesRunOutOfCapacity, no_capacity, restore_capacity
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_group,
    any_subnets,
    any_topic,
    emulated,
    eventually,
    group_in_service,
    in_service,
    inbox,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

ONE, OTHER = "us-east-1a", "us-east-1b"


def told(region: Region) -> Callable[[], list[dict[str, Any]]]:
    """Return the inbox of the group's launches."""
    topic = any_topic(region)
    read = inbox(region, topic)
    region.client("autoscaling").put_notification_configuration(
        AutoScalingGroupName="any", TopicARN=topic, NotificationTypes=[LAUNCH, LAUNCH_ERROR]
    )
    return read


def errors(messages: list[dict[str, Any]]) -> list[str]:
    """Return the zones of the launches that failed."""
    failed = [row for row in messages if row["Event"] == LAUNCH_ERROR]
    return [row["Details"]["Availability Zone"] for row in failed]


def zones(region: Region) -> list[str]:
    """Return the zones of the members in service."""
    here = in_service(region)
    return sorted(row["AvailabilityZone"] for row in members(region) if row["InstanceId"] in here)


def unbalanced(region: Region, *, maximum: int = 4, strategy: str = "balanced-best-effort") -> str:
    """Return the zone that has no capacity and no instance any more, of a group of two."""
    distribution = {"CapacityDistributionStrategy": strategy}
    instances = group_in_service(region, MaxSize=maximum, AvailabilityZoneDistribution=distribution)
    victim = next(row for row in instances if emulated(row).availability_zone == ONE)
    no_capacity(region.aws, ONE)
    region.client("ec2").terminate_instances(InstanceIds=[victim])
    return ONE


@contract_of(ZonesRunOutOfCapacity)
def test_launch_is_refused_in_a_zone_without_capacity(region: Region) -> None:
    """Elsewhere there is capacity, and there again once it is restored."""
    run = region.client("ec2").run_instances
    first, second = any_subnets(region)
    no_capacity(region.aws, ONE)
    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        run(ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=first)
    run(ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=second)
    restore_capacity(region.aws)
    run(ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=first)


@contract_of(ZonesRunOutOfCapacity)
def test_no_zone_has_capacity_when_none_is_named(region: Region) -> None:
    """A shortage of the whole region."""
    no_capacity(region.aws)
    for subnet in any_subnets(region):
        with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
            region.client("ec2").run_instances(
                ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=subnet
            )


@contract_of(FailedLaunchesAreRetried, ZonesRunOutOfCapacity)
def test_group_launches_in_the_other_zone_when_one_has_no_capacity(region: Region) -> None:
    """Balanced best effort, the default: LAUNCH_ERROR names no instance, but zone and reason."""
    zone = unbalanced(region)
    read = told(region)
    assert eventually(region, lambda: zones(region) == [OTHER, OTHER])
    assert errors(read()) == [zone]
    (error,) = [row for row in read() if row["Event"] == LAUNCH_ERROR]
    assert "EC2InstanceId" not in error
    assert error["StatusCode"] == "Failed"
    assert "We currently do not have sufficient t3.nano capacity" in error["StatusMessage"]


@contract_of(FailedLaunchesAreRetried, ZonesRunOutOfCapacity)
def test_group_goes_on_trying_its_zone_when_zones_are_balanced_only(region: Region) -> None:
    """No launch elsewhere; one there when the zone has capacity again."""
    zone = unbalanced(region, strategy="balanced-only")
    read = told(region)
    assert eventually(region, lambda: errors(read()) == [zone] * 3)
    assert zones(region) == [OTHER]
    restore_capacity(region.aws)
    assert eventually(region, lambda: zones(region) == [ONE, OTHER])


@contract_of(FailedLaunchesAreRetried, ZonesRunOutOfCapacity)
def test_group_tries_again_when_no_zone_has_capacity(region: Region) -> None:
    """It tries each zone, then waits."""
    no_capacity(region.aws)
    any_group(region, any_subnets(region), 1)
    read = told(region)
    assert eventually(region, lambda: errors(read()) == [ONE, OTHER])
    began = region.clock.now()
    assert eventually(region, lambda: len(errors(read())) == 3)
    waited = region.clock.now() - began
    assert delays.LAUNCH_RETRY.low <= waited <= delays.LAUNCH_RETRY.high + 5
    restore_capacity(region.aws)
    assert eventually(region, lambda: len(in_service(region)) == 1)


@contract_of(ZonesAreRebalanced, ZonesRunOutOfCapacity)
def test_group_rebalances_when_its_zone_has_capacity_again(region: Region) -> None:
    """It launches first, one more than its maximum if need be, and terminates then."""
    unbalanced(region, maximum=2)
    assert eventually(region, lambda: zones(region) == [OTHER, OTHER])
    region.clock.pass_time(delays.REBALANCING.high)
    assert len(region.journal.entries("launch failed")) == 1
    restore_capacity(region.aws)
    assert eventually(region, lambda: len(members(region)) == 3)
    assert zones(region) == [OTHER, OTHER]
    assert eventually(region, lambda: ONE in zones(region))
    assert eventually(region, lambda: len(members(region)) == 2)
    assert zones(region) == [ONE, OTHER]


@contract_of(ZonesAreRebalanced)
def test_group_rebalances_when_its_members_were_terminated_through_it(region: Region) -> None:
    """Two of four in one zone are too many when the other zone has none."""
    instances = group_in_service(region, 4)
    for victim in [row for row in instances if emulated(row).availability_zone == ONE]:
        region.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=victim, ShouldDecrementDesiredCapacity=True
        )
    assert zones(region) == [OTHER, OTHER]
    assert eventually(region, lambda: zones(region) == [ONE, OTHER])


@contract_of(ZonesAreRebalanced)
def test_group_rebalances_when_a_member_came_back_from_standby(region: Region) -> None:
    """What was launched beside it, in the zone that it had left empty, is one too many there."""
    autoscaling, instances = region.client("autoscaling"), group_in_service(region)
    (resting,) = [row for row in instances if emulated(row).availability_zone == ONE]
    group: dict[str, object] = {"AutoScalingGroupName": "any", "InstanceIds": [resting]}
    autoscaling.enter_standby(**group, ShouldDecrementDesiredCapacity=True)
    region.client("ec2").terminate_instances(
        InstanceIds=[row for row in instances if row != resting]
    )
    assert eventually(region, lambda: zones(region) == [ONE])
    region.clock.pass_time(2 * delays.REBALANCING.high)  # nothing else is an occasion any more
    autoscaling.exit_standby(**group)
    assert zones(region) == [ONE, ONE]
    assert eventually(region, lambda: zones(region) == [ONE, OTHER])


def test_group_does_not_rebalance_when_that_is_suspended(region: Region) -> None:
    """AZRebalance is a process of its own; it begins once it is resumed."""
    unbalanced(region)
    suspended = {"AutoScalingGroupName": "any", "ScalingProcesses": ["AZRebalance"]}
    region.client("autoscaling").suspend_processes(**suspended)
    assert eventually(region, lambda: zones(region) == [OTHER, OTHER])
    restore_capacity(region.aws)
    region.clock.pass_time(delays.REBALANCING.high + delays.LAUNCH.high)
    assert zones(region) == [OTHER, OTHER]
    region.client("autoscaling").resume_processes(**suspended)
    assert eventually(region, lambda: zones(region) == [ONE, OTHER])
