"""Contracts of refusals: what EC2 does not delete or detach, and how long CloudFormation tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.emulator.services.ec2.dependencies import AddressesHoldTheGateway, UsedIsNotDeleted
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    any_subnets,
    deploy,
    eventually,
    reasons,
    state_of,
    status,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(UsedIsNotDeleted)
def test_subnet_with_an_instance_is_not_deleted(region: Region) -> None:
    """It is when the instance is terminated, whose interface goes with it."""
    ec2, subnet = region.client("ec2"), any_subnets(region)[0]
    instance = any_instance(region, subnet)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "terminated")
    ec2.delete_subnet(SubnetId=subnet)


@contract_of(UsedIsNotDeleted)
def test_security_group_is_not_deleted_while_an_interface_has_it(region: Region) -> None:
    """Whoever has it."""
    ec2, subnet = region.client("ec2"), any_subnets(region)[0]
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="any", Description="any", VpcId=vpc)["GroupId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]
    with pytest.raises(ClientError, match=f"resource {group} has a dependent object"):
        ec2.delete_security_group(GroupId=group)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_security_group(GroupId=group)


@contract_of(UsedIsNotDeleted)
def test_security_group_is_not_deleted_while_another_one_names_it(region: Region) -> None:
    """A rule of its own does not matter."""
    ec2 = region.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    named, other = (
        ec2.create_security_group(GroupName=name, Description="any", VpcId=vpc)["GroupId"]
        for name in ("named", "other")
    )
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": named}]}
    for group in (named, other):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=named)
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=named)


@contract_of(UsedIsNotDeleted)
def test_vpc_is_not_deleted_while_it_has_a_gateway_or_a_group(region: Region) -> None:
    """Its default group goes with it."""
    ec2 = region.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    group = ec2.create_security_group(GroupName="any", Description="any", VpcId=vpc)["GroupId"]
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


NETWORK = {
    "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
    "Subnet": resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/24"),
    "Gateway": resource("EC2::InternetGateway"),
    "Attachment": resource(
        "EC2::VPCGatewayAttachment", VpcId={"Ref": "Vpc"}, InternetGatewayId={"Ref": "Gateway"}
    ),
}


def public_instance(region: Region) -> str:
    """Return an instance of somebody else in the stack's subnet, with a public address."""
    deploy(region, NETWORK)
    interface = {
        "DeviceIndex": 0,
        "SubnetId": physical(region, "Subnet"),
        "AssociatePublicIpAddress": True,
    }
    reply = region.client("ec2").run_instances(
        ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, NetworkInterfaces=[interface]
    )
    return str(reply["Instances"][0]["InstanceId"])


@contract_of(AddressesHoldTheGateway)
def test_gateway_is_not_detached_while_there_is_a_public_address(region: Region) -> None:
    """CloudFormation tries for a while, and then the deletion has failed."""
    public_instance(region)
    began = region.clock.now()
    region.client("cloudformation").delete_stack(StackName="any")
    assert status(region) == "DELETE_FAILED"
    assert "has some mapped public address(es)" in reasons(region)
    assert "failed to delete: [Attachment, Subnet]" in reasons(region)
    assert region.clock.now() - began > 900


@contract_of(StacksFail, AddressesHoldTheGateway)
def test_gateway_is_detached_once_the_address_is_gone(region: Region) -> None:
    """The instance that was terminated meanwhile gives its address back."""
    instance = public_instance(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    cloudformation = region.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="any")["Stacks"][0]["StackId"]
    began = region.clock.now()
    cloudformation.delete_stack(StackName="any")
    (deleted,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert deleted["StackStatus"] == "DELETE_COMPLETE"
    assert state_of(region, instance) == "terminated"
    assert region.clock.now() - began > 15
