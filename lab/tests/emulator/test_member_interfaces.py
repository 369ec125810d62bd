"""Contracts of the network interfaces of a group's instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.services.ec2.member_interfaces import MembersHaveTheirInterface
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets, describe, members

if TYPE_CHECKING:
    from lab.emulator.region import Region


def any_security_group(region: Region) -> str:
    """Return the id of a new security group in the network of the subnets."""
    ec2 = region.client("ec2")
    subnet = ec2.describe_subnets(SubnetIds=any_subnets(region)[:1])["Subnets"][0]
    made = ec2.create_security_group(GroupName="nat", Description="any", VpcId=subnet["VpcId"])
    return str(made["GroupId"])


def launched(region: Region, security_group: str) -> dict[str, Any]:
    """Return the first instance of a group with a template that names an interface."""
    interface = {
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": True,
        "Groups": [security_group],
    }
    region.client("ec2").create_launch_template(
        LaunchTemplateName="nat",
        LaunchTemplateData={
            "ImageId": "ami-00000000000000000",
            "InstanceType": "t3.nano",
            "NetworkInterfaces": [interface],
        },
    )
    region.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="any",
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=any_subnets(region)[0],
        LaunchTemplate={"LaunchTemplateName": "nat", "Version": "1"},
    )
    return describe(region, members(region)[0]["InstanceId"])


@contract_of(MembersHaveTheirInterface)
def test_member_has_the_security_groups_that_its_template_names(region: Region) -> None:
    """And not the default group of the network."""
    group = any_security_group(region)
    interface = launched(region, group)["NetworkInterfaces"][0]
    assert [row["GroupId"] for row in interface["Groups"]] == [group]


@contract_of(MembersHaveTheirInterface)
def test_member_has_the_public_address_that_its_template_asks_for(region: Region) -> None:
    """Without one it could not reach the internet, and no NAT would forward."""
    instance = launched(region, any_security_group(region))
    assert (
        instance["PublicIpAddress"] == (instance["NetworkInterfaces"][0]["Association"]["PublicIp"])
    )
