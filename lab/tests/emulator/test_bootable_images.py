"""Contracts of images that exist or do not, and of what cannot boot them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.images import (
    GroupsNeedAnImageThatBoots,
    PublicImagesAreDescribed,
    withdraw_image,
)
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets

if TYPE_CHECKING:
    from lab.emulator.region import Region

PUBLIC = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
GONE = "ami-0123456789abcdef0"


def public(region: Region, architecture: str) -> str:
    """Return the image that a public parameter names, once EC2 was asked for it."""
    parameter = region.client("ssm").get_parameter(Name=PUBLIC + architecture)["Parameter"]
    image = str(parameter["Value"])
    (found,) = region.client("ec2").describe_images(ImageIds=[image])["Images"]
    assert (found["Architecture"], found["State"]) == (architecture, "available")
    return image


def group_of(region: Region, image: str, type_: str = "t4g.nano", name: str = "any") -> None:
    """Make a group that launches an image."""
    region.client("ec2").create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": type_}
    )
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=",".join(any_subnets(region)),
        LaunchTemplate={"LaunchTemplateName": name},
    )


@contract_of(PublicImagesAreDescribed)
def test_image_that_a_public_parameter_names_is_described(region: Region) -> None:
    """With its architecture; another one is not."""
    assert public(region, "arm64") != public(region, "x86_64")
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        region.client("ec2").describe_images(ImageIds=[GONE])


@contract_of(GroupsNeedAnImageThatBoots)
def test_group_is_refused_an_image_that_does_not_exist(region: Region) -> None:
    """Also when it has another one already, which it keeps."""
    withdraw_image(region.aws, GONE)
    group_of(region, public(region, "arm64"))
    with pytest.raises(ClientError, match=rf"image id '\[{GONE}\]' does not exist"):
        group_of(region, GONE, name="another")
    update = region.client("autoscaling").update_auto_scaling_group
    with pytest.raises(ClientError, match="valid fully-formed launch template"):
        update(AutoScalingGroupName="any", LaunchTemplate={"LaunchTemplateName": "another"})
    (kept,) = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert kept["LaunchTemplate"]["LaunchTemplateName"] == "any"


@contract_of(GroupsNeedAnImageThatBoots)
def test_group_is_refused_an_image_of_another_architecture(region: Region) -> None:
    """Than that of its instance type."""
    with pytest.raises(ClientError, match="architecture 'arm64' of the specified instance type"):
        group_of(region, public(region, "x86_64"))


@contract_of(GroupsNeedAnImageThatBoots)
def test_launch_configuration_is_refused_an_image_that_does_not_exist(region: Region) -> None:
    """In AWS's words for it."""
    withdraw_image(region.aws, GONE)
    with pytest.raises(ClientError, match=f"AMI {GONE} is invalid: The image id"):
        region.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName="any", ImageId=GONE, InstanceType="t4g.nano"
        )
