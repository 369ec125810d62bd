"""Contracts of volumes' sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.volumes import VolumesTakeTheirSnapshotsSize, let_snapshot_be
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets

if TYPE_CHECKING:
    from lab.emulator.region import Region

LARGE = "ami-30"


def volume_of(region: Region, **ebs: object) -> int:
    """Return the size of the root volume of a new instance of an image of 30 GiB."""
    let_snapshot_be(region.aws, LARGE, 30)
    ec2 = region.client("ec2")
    subnet, _ = any_subnets(region)
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "gp3", **ebs}}
    ec2.create_launch_template(
        LaunchTemplateName="any", LaunchTemplateData={"BlockDeviceMappings": [mapping]}
    )
    ec2.run_instances(
        ImageId=LARGE,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        LaunchTemplate={"LaunchTemplateName": "any"},
    )
    return int(ec2.describe_volumes()["Volumes"][-1]["Size"])


@contract_of(VolumesTakeTheirSnapshotsSize)
def test_volume_is_as_large_as_the_snapshot_when_no_size_is_given(region: Region) -> None:
    """Whatever the image is."""
    assert volume_of(region) == 30


@contract_of(VolumesTakeTheirSnapshotsSize)
def test_launch_is_refused_when_its_volume_is_smaller_than_the_snapshot(region: Region) -> None:
    """Eight gibibytes are enough for the public images, and not for every other one."""
    with pytest.raises(ClientError, match="expect size >= 30GB"):
        volume_of(region, VolumeSize=8)


def test_volume_may_be_larger_than_the_snapshot(region: Region) -> None:
    """Then it has the size that is given."""
    assert volume_of(region, VolumeSize=40) == 40
