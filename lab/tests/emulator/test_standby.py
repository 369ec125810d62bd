"""Contracts of standby and of protection from scale-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.autoscaling.standby import ProtectionIsForMembers, StandbyHasItsRules
from lab.emulator.services.ec2 import health
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    emulated,
    eventually,
    group_in_service,
    in_service,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region


def end(region: Region, instance: str) -> None:
    """Terminate an instance."""
    region.client("ec2").terminate_instances(InstanceIds=[instance])


def impair(region: Region, instance: str) -> None:
    """Let an instance fail its status checks."""
    health.impair(region.aws, emulated(instance))


@contract_of(StandbyHasItsRules)
def test_only_a_member_in_standby_leaves_it_and_only_one_in_service_enters_it(
    region: Region,
) -> None:
    """The desired capacity follows."""
    autoscaling, (first, *_) = region.client("autoscaling"), group_in_service(region)
    group: dict[str, object] = {"AutoScalingGroupName": "any", "InstanceIds": [first]}
    with pytest.raises(ClientError, match="is not in Standby"):
        autoscaling.exit_standby(**group)
    autoscaling.enter_standby(**group, ShouldDecrementDesiredCapacity=True)
    with pytest.raises(ClientError, match="is not in InService"):
        autoscaling.enter_standby(**group, ShouldDecrementDesiredCapacity=True)
    assert first not in in_service(region)
    autoscaling.exit_standby(**group)
    assert first in in_service(region)


@pytest.mark.parametrize("harm", [end, impair])
@contract_of(StandbyHasItsRules)
def test_member_that_was_harmed_in_standby_is_replaced_when_it_is_back(
    region: Region, harm: Callable[[Region, str], None]
) -> None:
    """The group checks it again; as long as it rests nobody does."""
    autoscaling, (first, second) = region.client("autoscaling"), group_in_service(region)
    group: dict[str, object] = {"AutoScalingGroupName": "any", "InstanceIds": [first]}
    autoscaling.enter_standby(**group, ShouldDecrementDesiredCapacity=True)
    harm(region, first)
    region.clock.pass_time(600)
    assert in_service(region) == [second]
    assert first in [row["InstanceId"] for row in members(region)]
    autoscaling.exit_standby(**group)
    assert eventually(region, lambda: first not in [row["InstanceId"] for row in members(region)])
    assert eventually(region, lambda: len(in_service(region)) == 2)


@contract_of(StandbyHasItsRules)
def test_member_leaves_standby_only_where_the_group_has_room_for_it(region: Region) -> None:
    """A group at its maximum, which replaced the member meanwhile, has none."""
    first, *_ = group_in_service(region, MaxSize=2)
    autoscaling = region.client("autoscaling")
    group: dict[str, object] = {"AutoScalingGroupName": "any", "InstanceIds": [first]}
    autoscaling.enter_standby(**group, ShouldDecrementDesiredCapacity=False)
    assert eventually(region, lambda: len(in_service(region)) == 2)
    with pytest.raises(ClientError, match="max-size=2, and desired-size=2"):
        autoscaling.exit_standby(**group)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="any", MaxSize=3)
    autoscaling.exit_standby(**group)


@contract_of(StandbyHasItsRules)
def test_member_enters_standby_only_where_the_group_keeps_its_minimum(region: Region) -> None:
    """Without a decrement the group replaces it instead."""
    first, *_ = group_in_service(region, MinSize=2)
    with pytest.raises(ClientError, match="min-size=2"):
        region.client("autoscaling").enter_standby(
            AutoScalingGroupName="any", InstanceIds=[first], ShouldDecrementDesiredCapacity=True
        )


@contract_of(ProtectionIsForMembers)
def test_protection_is_refused_of_all_instances_where_one_is_not_in_service(region: Region) -> None:
    """Whether it is a stranger or a member that is being terminated."""
    autoscaling, (first, second) = region.client("autoscaling"), group_in_service(region)
    stranger = any_instance(region)
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=second, ShouldDecrementDesiredCapacity=True
    )
    for other, why in ((stranger, "is not part of"), (second, "is not in InService or")):
        with pytest.raises(ClientError, match=why):
            autoscaling.set_instance_protection(
                AutoScalingGroupName="any", InstanceIds=[first, other], ProtectedFromScaleIn=True
            )
    assert not any(row["ProtectedFromScaleIn"] for row in members(region))
