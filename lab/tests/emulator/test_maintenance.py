"""Contracts of instance maintenance policies: what comes first, a launch or a termination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.readings import LaunchFirst, Readings
from lab.emulator.services.autoscaling.maintenance import ReplacementsComeFirst
from lab.emulator.services.ec2 import health
from lab.tests.emulator.contract import contract_of, under_each
from lab.tests.emulator.factories import (
    any_group,
    any_subnets,
    emulated,
    eventually,
    group_in_service,
    in_service,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region

POLICY = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}


def fewest_while_replaced(region: Region, old: str) -> int:
    """Return how many members were in service at least, until two without this one are."""
    least = [2]
    region.clock.each_step(lambda: least.append(len(in_service(region))))
    whole = lambda: len(in_service(region)) == 2 and old not in in_service(region)  # noqa: E731
    assert eventually(region, whole)
    return min(least)


@contract_of(ReplacementsComeFirst)
def test_impaired_member_stays_until_its_replacement_serves(region: Region) -> None:
    """With room below the maximum size there is no question."""
    old, _ = group_in_service(region, InstanceMaintenancePolicy=POLICY)
    health.impair(region.aws, emulated(old))
    assert fewest_while_replaced(region, old) == 2


@under_each(LaunchFirst)
def test_impaired_member_of_a_full_group_is_replaced_under_each_reading(
    region: Region, readings: Readings
) -> None:
    """Whether the group may exceed its maximum size or not, it is whole in the end."""
    old, _ = group_in_service(region, MaxSize=2, InstanceMaintenancePolicy=POLICY)
    health.impair(region.aws, emulated(old))
    first = readings.launch_first is LaunchFirst.BEYOND_THE_MAXIMUM
    assert fewest_while_replaced(region, old) == (2 if first else 1)


@under_each(LaunchFirst)
def test_refresh_of_a_full_group_ends_under_each_reading(
    region: Region, readings: Readings
) -> None:
    """It takes its percentages from the group's policy."""
    old = group_in_service(region, MaxSize=2, InstanceMaintenancePolicy=POLICY)
    region.client("autoscaling").start_instance_refresh(AutoScalingGroupName="any")
    least = [2]
    region.clock.each_step(lambda: least.append(len(in_service(region))))
    replaced = lambda: len(set(in_service(region)) - set(old)) == 2  # noqa: E731
    assert eventually(region, replaced)
    first = readings.launch_first is LaunchFirst.BEYOND_THE_MAXIMUM
    assert min(least) == (2 if first else 1)


@pytest.mark.parametrize(
    "policy",
    [
        {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 150},
        {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 201},
    ],
)
def test_policy_is_refused_when_it_is_out_of_bounds(region: Region, policy: dict[str, int]) -> None:
    """The difference is 100 at most."""
    with pytest.raises(ClientError, match="ValidationError"):
        any_group(region, any_subnets(region), InstanceMaintenancePolicy=policy)
