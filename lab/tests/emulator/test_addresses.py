"""Contracts of addresses: the ranges of a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.cloudformation.resources import MissingTypes
from lab.emulator.services.ec2.addresses import RangesOfAVpcAreApart
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_subnets,
    deploy,
    reasons,
)
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(RangesOfAVpcAreApart)
def test_vpc_gets_no_second_range_that_overlaps_with_the_first(region: Region) -> None:
    """One beside it, it gets."""
    ec2, subnet = region.client("ec2"), any_subnets(region)[0]
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    with pytest.raises(ClientError, match=r"InvalidVpc\.Range"):
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.0.128.0/20")
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")


@contract_of(RangesOfAVpcAreApart)
def test_stack_gives_its_vpc_no_range_that_is_restricted_beside_the_first(region: Region) -> None:
    """In EC2's words."""
    resources = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Range": resource("EC2::VPCCidrBlock", VpcId={"Ref": "Vpc"}, CidrBlock="192.168.0.0/16"),
    }
    assert deploy(region, resources) == "ROLLBACK_COMPLETE"
    assert "The CIDR '192.168.0.0/16' is restricted" in reasons(region)


@contract_of(MissingTypes)
def test_stack_gives_its_vpc_further_ranges_and_subnets_in_them(region: Region) -> None:
    """And can be deleted."""
    vpc = {"Ref": "Vpc"}
    subnet = resource("EC2::Subnet", VpcId=vpc, CidrBlock="100.64.0.0/24")
    resources = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Range": resource("EC2::VPCCidrBlock", VpcId=vpc, CidrBlock="100.64.0.0/20"),
        "Subnet": {**subnet, "DependsOn": "Range"},
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    assert physical(region, "Range").startswith("vpc-cidr-assoc-")
    region.client("cloudformation").delete_stack(StackName="any")
    found = {"Name": "cidr-block", "Values": ["100.64.0.0/24"]}
    assert region.client("ec2").describe_subnets(Filters=[found])["Subnets"] == []
