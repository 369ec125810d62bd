"""Contracts of associations of subnets with tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.associations import SubnetsHaveOneTable, SubnetsTakeTheirAssociations
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(SubnetsHaveOneTable)
def test_subnet_is_associated_with_one_table_only(region: Region) -> None:
    """Until it is disassociated; the same association once more is no mistake."""
    ec2, subnet = region.client("ec2"), any_subnets(region)[0]
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    first, second = (
        ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)
    )
    association = ec2.associate_route_table(RouteTableId=first, SubnetId=subnet)["AssociationId"]
    again = ec2.associate_route_table(RouteTableId=first, SubnetId=subnet)["AssociationId"]
    assert association == again
    with pytest.raises(ClientError, match="AlreadyAssociated"):
        ec2.associate_route_table(RouteTableId=second, SubnetId=subnet)
    ec2.disassociate_route_table(AssociationId=association)
    ec2.associate_route_table(RouteTableId=second, SubnetId=subnet)


@contract_of(SubnetsTakeTheirAssociations)
def test_table_can_be_deleted_when_its_subnet_was(region: Region) -> None:
    """And not before."""
    ec2, subnet = region.client("ec2"), any_subnets(region)[0]
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_route_table(RouteTableId=table)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
