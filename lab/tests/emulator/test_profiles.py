"""Contracts of the instance profiles of a group's members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.emulator.services.iam.profiles import MembersHaveTheirProfile
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import ANYTHING, any_subnets, describe, members
from lab.tests.emulator.launches import any_profile, launched_group

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(MembersHaveTheirProfile)
def test_member_has_the_profile_of_its_launch_template(region: Region) -> None:
    """EC2 describes it by its ARN, whether the template has the name or the ARN."""
    arn = any_profile(region, ANYTHING)
    launched_group(region, {"IamInstanceProfile": {"Name": "nat"}})
    described = describe(region, members(region)[0]["InstanceId"])
    assert described["IamInstanceProfile"]["Arn"] == arn


@contract_of(MembersHaveTheirProfile)
@pytest.mark.parametrize("by", ["name", "arn"])
def test_member_has_the_profile_of_its_launch_configuration(region: Region, by: str) -> None:
    """A launch configuration has the name or the ARN in the same place."""
    arn, autoscaling = any_profile(region, ANYTHING), region.client("autoscaling")
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="any",
        ImageId="ami-00000000000000000",
        InstanceType="t3.nano",
        IamInstanceProfile=arn if by == "arn" else "nat",
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="any",
        LaunchConfigurationName="any",
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=any_subnets(region)[0],
    )
    described = describe(region, members(region)[0]["InstanceId"])
    assert described["IamInstanceProfile"]["Arn"] == arn
