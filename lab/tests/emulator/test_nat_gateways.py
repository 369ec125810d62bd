"""Contracts of NAT gateways: how they come and go, and what becomes of routes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.nat_gateways import (
    NatGatewaysTakeTime,
    RoutesLeadToNatGateways,
    StacksWaitForNatGateways,
)
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets, default_route, deploy, eventually, settle
from lab.tests.emulator.stacks import resource, update

if TYPE_CHECKING:
    from typing import Any

    from lab.emulator.region import Region

ANYWHERE = "0.0.0.0/0"


def any_gateway(region: Region) -> str:
    """Return a NAT gateway that is available, with an Elastic IP."""
    ec2 = region.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=any_subnets(region)[0], AllocationId=address)
    gateway = str(made["NatGateway"]["NatGatewayId"])
    assert eventually(region, lambda: state_of(region, gateway) == "available")
    return gateway


def described(region: Region, gateway: str) -> dict[str, Any]:
    """Return what EC2 says of a NAT gateway; nothing where it describes none."""
    rows: list[dict[str, Any]] = region.client("ec2").describe_nat_gateways()["NatGateways"]
    return next((row for row in rows if row["NatGatewayId"] == gateway), {})


def state_of(region: Region, gateway: str) -> str | None:
    """Return the state of a NAT gateway, None when it is not described any more."""
    return described(region, gateway).get("State")


def routed(region: Region, gateway: str) -> str:
    """Return a table of the gateway's VPC whose default route leads there."""
    ec2, vpc = region.client("ec2"), described(region, gateway)["VpcId"]
    table = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=gateway)
    settle(region)
    return table


@contract_of(NatGatewaysTakeTime)
def test_gateway_is_pending_for_a_minute_or_two(region: Region) -> None:
    """Then it is available."""
    made = region.client("ec2").create_nat_gateway(
        SubnetId=any_subnets(region)[0], ConnectivityType="private"
    )["NatGateway"]
    assert made["State"] == "pending"
    region.clock.pass_time(delays.NAT_GATEWAY_CREATION.low - 1)
    assert state_of(region, made["NatGatewayId"]) == "pending"
    assert eventually(region, lambda: state_of(region, made["NatGatewayId"]) == "available")


@contract_of(NatGatewaysTakeTime)
def test_gateway_is_deleting_then_described_as_deleted_for_an_hour(region: Region) -> None:
    """Its Elastic IP is free when it is deleted, and its interface gone, and not before."""
    ec2, gateway = region.client("ec2"), any_gateway(region)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert state_of(region, gateway) == "deleting"
    (address,) = ec2.describe_addresses()["Addresses"]
    assert "AssociationId" in address
    assert eventually(region, lambda: state_of(region, gateway) == "deleted")
    (address,) = ec2.describe_addresses()["Addresses"]
    assert not address.get("AssociationId")
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    region.clock.pass_time(delays.NAT_GATEWAY_VANISHES.low + 1)
    assert state_of(region, gateway) is None
    with pytest.raises(ClientError, match="NatGatewayNotFound"):
        ec2.delete_nat_gateway(NatGatewayId=gateway)


@contract_of(RoutesLeadToNatGateways)
def test_route_is_a_blackhole_when_its_gateway_is_deleted(region: Region) -> None:
    """It stays where it is."""
    gateway = any_gateway(region)
    table = routed(region, gateway)
    region.client("ec2").delete_nat_gateway(NatGatewayId=gateway)
    assert default_route(region, table)["State"] == "active"
    assert eventually(region, lambda: state_of(region, gateway) == "deleted")
    route = default_route(region, table)
    assert (route["NatGatewayId"], route["State"]) == (gateway, "blackhole")


@contract_of(RoutesLeadToNatGateways)
def test_route_to_a_gateway_that_there_is_not_is_refused(region: Region) -> None:
    """The route that there is stays."""
    gateway = any_gateway(region)
    table = routed(region, gateway)
    with pytest.raises(ClientError, match=r"InvalidNatGatewayID\.NotFound"):
        region.client("ec2").replace_route(
            RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId="nat-0"
        )
    assert default_route(region, table)["NatGatewayId"] == gateway


def network(policy: str | None = None, *, route: bool = True) -> dict[str, Any]:
    """Return a network whose private table leads to a NAT gateway; its route has a policy."""
    reference = {"Ref": "Gateway"}
    private = resource(
        "EC2::Route",
        RouteTableId={"Ref": "Table"},
        DestinationCidrBlock=ANYWHERE,
        NatGatewayId=reference,
    )
    return {
        "Vpc": resource("EC2::VPC", CidrBlock="10.9.0.0/16"),
        "Subnet": resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.9.0.0/24"),
        "Ip": resource("EC2::EIP", Domain="vpc"),
        "Gateway": resource(
            "EC2::NatGateway",
            SubnetId={"Ref": "Subnet"},
            AllocationId={"Fn::GetAtt": ["Ip", "AllocationId"]},
        ),
        "Table": resource("EC2::RouteTable", VpcId={"Ref": "Vpc"}),
        **({"Private": private | ({"DeletionPolicy": policy} if policy else {})} if route else {}),
    }


def leads_to(region: Region) -> str | None:
    """Return the target of the one table that has a default route, None where none has."""
    settle(region)
    routes = [
        route
        for table in region.client("ec2").describe_route_tables()["RouteTables"]
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == ANYWHERE
    ]
    return next((r.get("NatGatewayId") or r["NetworkInterfaceId"] for r in routes), None)


@contract_of(StacksWaitForNatGateways)
def test_stack_with_a_gateway_waits_for_it_and_leaves_nothing(region: Region) -> None:
    """It releases the address when the gateway is deleted, and deletes the subnet."""
    assert deploy(region, network()) == "CREATE_COMPLETE"
    ec2 = region.client("ec2")
    (gateway,) = ec2.describe_nat_gateways()["NatGateways"]
    assert gateway["State"] == "available"
    region.client("cloudformation").delete_stack(StackName="any")
    assert eventually(region, lambda: not ec2.describe_addresses()["Addresses"])
    assert eventually(region, lambda: not any_stack(region))
    assert state_of(region, gateway["NatGatewayId"]) == "deleted"


def any_stack(region: Region) -> bool:
    """Say whether there is a stack that is not deleted."""
    return bool(region.client("cloudformation").describe_stacks()["Stacks"])


def test_stack_deletes_the_route_of_its_table_whoever_wrote_it(region: Region) -> None:
    """A route is a table and a destination (moto and the lab agree): somebody else's goes."""
    deploy(region, network())
    taken = taken_over(region)
    assert leads_to(region) == taken
    assert update(region, network(route=False)) == "UPDATE_COMPLETE"
    assert leads_to(region) is None


def test_stack_leaves_a_route_that_it_was_told_to_retain_before(region: Region) -> None:
    """A deployment that changes nothing but the policy counts."""
    deploy(region, network())
    taken = taken_over(region)
    assert update(region, network("Retain")) == "UPDATE_COMPLETE"
    assert update(region, network(route=False)) == "UPDATE_COMPLETE"
    assert leads_to(region) == taken


def taken_over(region: Region) -> str:
    """Point the table's default route to an interface, and return that."""
    ec2 = region.client("ec2")
    (table,) = (
        table["RouteTableId"]
        for table in ec2.describe_route_tables()["RouteTables"]
        if any(r.get("DestinationCidrBlock") == ANYWHERE for r in table["Routes"])
    )
    (subnet,) = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.9.0.0/24"]}])[
        "Subnets"
    ]
    made = ec2.create_network_interface(SubnetId=subnet["SubnetId"])
    interface = str(made["NetworkInterface"]["NetworkInterfaceId"])
    ec2.replace_route(
        RouteTableId=table, DestinationCidrBlock=ANYWHERE, NetworkInterfaceId=interface
    )
    return interface
