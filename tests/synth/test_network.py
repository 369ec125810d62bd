"""The VPC, its subnets and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template


def test_logical_ids_of_what_cannot_move_are_those_deployed_before(default: Template) -> None:
    """Renaming a construct replaces its resource: these must never be renamed."""
    kinds = ("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable")
    assert sorted(name for kind in kinds for name in default.resources(kind)) == [
        "NetworkVpc7FB7348F",
        "NetworkVpcPrivateSubnet1RouteTable7D7AA3CD",
        "NetworkVpcPrivateSubnet1Subnet6DD86AE6",
        "NetworkVpcPrivateSubnet2RouteTableC48862D1",
        "NetworkVpcPrivateSubnet2Subnet1BDBE877",
        "NetworkVpcPublicSubnet1RouteTable30235CE2",
        "NetworkVpcPublicSubnet1Subnet36933139",
        "NetworkVpcPublicSubnet2RouteTable0FACEBB2",
        "NetworkVpcPublicSubnet2SubnetC427CCE0",
    ]


def test_zones_are_the_first_two_of_the_region_when_none_are_named(default: Template) -> None:
    """Nothing is looked up: CloudFormation picks the zones when it deploys."""
    first, second = ({"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in (0, 1))
    assert [
        subnet["Properties"]["AvailabilityZone"]
        for subnet in default.resources("AWS::EC2::Subnet").values()
    ] == [first, second, first, second]


def test_zones_are_those_of_the_settings_when_named(
    synthesize: Callable[[str], Template],
) -> None:
    """Three zones are pinned: each has a public and a private subnet."""
    subnets = synthesize("pinned-zones").resources("AWS::EC2::Subnet").values()
    zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert [subnet["Properties"]["AvailabilityZone"] for subnet in subnets] == zones * 2


def test_subnets_keep_their_addresses_when_a_zone_is_added(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """A subnet whose CIDR changes is replaced, with everything in it."""
    two, three = (
        {
            name: subnet["Properties"]["CidrBlock"]
            for name, subnet in template.resources("AWS::EC2::Subnet").items()
        }
        for template in (default, synthesize("pinned-zones"))
    )
    assert two == {name: cidr for name, cidr in three.items() if name in two}


def test_subnet_has_a_route_table_of_its_own(template: Template) -> None:
    """A shared table would make two zones share the fate of one NAT."""
    associations = [
        association["Properties"]
        for association in template.resources("AWS::EC2::SubnetRouteTableAssociation").values()
    ]
    subnets = {association["SubnetId"]["Ref"] for association in associations}
    tables = {association["RouteTableId"]["Ref"] for association in associations}
    assert subnets == set(template.resources("AWS::EC2::Subnet"))
    assert tables == set(template.resources("AWS::EC2::RouteTable"))
    assert len(associations) == len(subnets) == len(tables)


def test_routes_are_only_those_of_the_public_tables(template: Template) -> None:
    """A default route of a private table in the template would undo a failover."""
    assert {
        route["Properties"]["RouteTableId"]["Ref"]
        for route in template.resources("AWS::EC2::Route").values()
    } == {name for name in template.resources("AWS::EC2::RouteTable") if "Public" in name}


def test_nat_gateway_is_nowhere(template: Template) -> None:
    """The stack exists to save them."""
    assert template.resources("AWS::EC2::NatGateway") == {}


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_gateway_endpoint_serves_the_private_tables(template: Template, service: str) -> None:
    """What goes to S3 and DynamoDB costs no NAT."""
    endpoints = [
        endpoint["Properties"]
        for endpoint in template.resources("AWS::EC2::VPCEndpoint").values()
        if str(endpoint["Properties"]["ServiceName"]).rstrip("'}]").endswith(service)
    ]
    private = {name for name in template.resources("AWS::EC2::RouteTable") if "Private" in name}
    (endpoint,) = endpoints
    assert private <= {table["Ref"] for table in endpoint["RouteTableIds"]}
    assert endpoint["VpcEndpointType"] == "Gateway"
