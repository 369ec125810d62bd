"""The VPC, its subnets and its tables."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_nat_failover.network.address_plan import (
    LETTERS,
    longest_prefix,
    private_cidr,
    public_cidr,
)
from cdk_nat_failover.network.new_network import NewNetwork
from stacks.settings.reader import read_settings
from tests.synth.template import OWN_NETWORKS

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


def test_subnets_are_the_same_when_the_zones_a_and_b_are_named(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """Whoever pins the zones that a stack has changes nothing of it; and a third moves none."""
    two, three = (
        _addresses(template.resources("AWS::EC2::Subnet"))
        for template in (default, synthesize("pinned-zones"))
    )
    assert two == {name: cidr for name, cidr in three.items() if name in two}


@pytest.mark.parametrize(
    ("before", "after"),
    [("ab", "ac"), ("abc", "ac"), ("ab", "bf"), ("abc", "def"), ("abcdef", "bd"), ("cd", "dc")],
)
def test_subnets_of_a_zone_are_the_same_whatever_the_other_zones_are(
    before: str, after: str
) -> None:
    """So any zone can be added, dropped or replaced, in whichever order the zones are named.

    CloudFormation makes the new subnets before it deletes the old ones: no address may be in both.
    """
    old, new = (_subnets(zones=[f"us-east-1{row}" for row in set_]) for set_ in (before, after))
    kept = {name for name, subnet in old.items() if subnet["AvailabilityZone"][-1] in after}
    assert {name: old[name] for name in kept} == {name: new[name] for name in kept & set(new)}
    taken = [*_addresses(old).values(), *(_addresses(new)[name] for name in new if name not in old)]
    assert len(taken) == 2 * len({*before, *after})
    assert not any(one.overlaps(other) for one, other in combinations(taken, 2))


@given(
    prefix=st.integers(min_value=16, max_value=25),
    letters=st.sets(st.sampled_from(LETTERS), min_size=1).map("".join),
)
def test_shares_of_all_letters_are_apart_and_inside_of_the_vpc(prefix: int, letters: str) -> None:
    """Public ones in the lower half, private ones in the upper half, none smaller than a /28."""
    vpc = IPv4Network(f"10.0.0.0/{prefix}")
    if prefix > longest_prefix(letters):
        return
    lower, upper = vpc.subnets()
    shares = [public_cidr(vpc, letter) for letter in letters]
    assert all(share.subnet_of(lower) and share.prefixlen <= 28 for share in shares)
    assert not any(one.overlaps(other) for one, other in combinations(shares, 2))
    offset = int(upper.network_address) - int(lower.network_address)
    assert [private_cidr(vpc, letter) for letter in letters] == [
        IPv4Network((int(share.network_address) + offset, share.prefixlen)) for share in shares
    ]


def test_networks_of_the_vpc_are_called_by_their_addresses() -> None:
    """By their place in the list, dropping the first would associate the second one twice."""
    three = ["100.64.0.0/16", "10.1.0.0/16", "10.2.0.0/16"]
    whole, rest = (_synthesized(additional_cidrs=cidrs) for cidrs in (three, three[1:]))
    kind = "AWS::EC2::VPCCidrBlock"
    old, new = (
        {name: row for name, row in resources.items() if row["Type"] == kind}
        for resources in (whole, rest)
    )
    assert len(old) == 3
    assert {name: row for name, row in old.items() if name in new} == new


def _synthesized(**network: list[str]) -> dict[str, Any]:
    stack = cdk.Stack(cdk.App(), "Any")
    given = {"network": network, "fleet": {"max": len(LETTERS)}}
    NewNetwork(stack, "Network", read_settings(given).network)
    template = cdk.assertions.Template.from_stack(stack).to_json()
    resources: dict[str, Any] = template["Resources"]
    return resources


def _subnets(*, zones: list[str]) -> dict[str, Any]:
    """Return the properties of the subnets, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in _synthesized(zones=zones).items()
        if resource["Type"] == "AWS::EC2::Subnet"
    }


def _addresses(subnets: dict[str, Any]) -> dict[str, IPv4Network]:
    return {
        name: IPv4Network(subnet.get("Properties", subnet)["CidrBlock"])
        for name, subnet in subnets.items()
    }


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


@pytest.mark.parametrize("variant", OWN_NETWORKS)
@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_gateway_endpoint_serves_the_private_tables(
    service: str, variant: str, synthesize: Callable[[str], Template]
) -> None:
    """What goes to S3 and DynamoDB costs no NAT."""
    template = synthesize(variant)
    endpoints = [
        endpoint["Properties"]
        for endpoint in template.resources("AWS::EC2::VPCEndpoint").values()
        if str(endpoint["Properties"]["ServiceName"]).rstrip("'}]").endswith(service)
    ]
    private = {name for name in template.resources("AWS::EC2::RouteTable") if "Private" in name}
    (endpoint,) = endpoints
    assert private <= {table["Ref"] for table in endpoint["RouteTableIds"]}
    assert endpoint["VpcEndpointType"] == "Gateway"
