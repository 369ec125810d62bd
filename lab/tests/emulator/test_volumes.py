"""Contracts of volumes: their size, and the key that encrypts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.snapshots import VolumesHoldTheirSnapshot, snapshot_of
from lab.emulator.services.ec2.volume_keys import (
    LaunchesNeedTheirVolumeKey,
    lose_volume_key,
    restore_volume_key,
)
from tests.lab.contract import contract_of
from tests.lab.small import any_group, any_subnets, eventually, in_service

if TYPE_CHECKING:
    from lab.region import Region


def template(region: Region, name: str, gibibytes: int) -> dict[str, str]:
    """Return a launch template whose root volume has a size; 0 for one that names no size."""
    ebs = {"Encrypted": True, **({"VolumeSize": gibibytes} if gibibytes else {})}
    region.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": "ami-large",
            "InstanceType": "t3.nano",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": ebs}],
        },
    )
    return {"LaunchTemplateName": name}


@contract_of(VolumesHoldTheirSnapshot)
def test_group_refuses_a_volume_that_is_smaller_than_the_snapshot(region: Region) -> None:
    """When it is created and when it is given another template; no size is the snapshot's."""
    snapshot_of(region.aws, "ami-large", 30)
    autoscaling, subnets = region.client("autoscaling"), any_subnets(region)
    small = template(region, "small", 8)
    settings = {"MinSize": 0, "MaxSize": 1, "VPCZoneIdentifier": subnets[0]}
    with pytest.raises(ClientError, match="expect size >= 30GB"):
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="any", LaunchTemplate=small, **settings
        )
    without = template(region, "without", 0)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="any", LaunchTemplate=without, **settings
    )
    with pytest.raises(ClientError, match="smaller than snapshot"):
        autoscaling.update_auto_scaling_group(AutoScalingGroupName="any", LaunchTemplate=small)
    (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["LaunchTemplate"]["LaunchTemplateName"] == "without"


@contract_of(LaunchesNeedTheirVolumeKey)
def test_launch_fails_and_is_tried_again_while_volumes_cannot_be_encrypted(region: Region) -> None:
    """The instance says why it ended."""
    lose_volume_key(region.aws)
    any_group(region, any_subnets(region), 1)
    region.clock.pass_time(300)
    assert in_service(region) == []
    described = region.client("ec2").describe_instances()["Reservations"]
    first = described[0]["Instances"][0]
    assert first["StateReason"]["Code"] == "Client.InvalidKMSKey.InvalidState"
    restore_volume_key(region.aws)
    assert eventually(region, lambda: len(in_service(region)) == 1)
