"""Contracts of gateway endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.ec2.endpoints import EndpointsKeepTheirRoutes
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy, settle, status
from lab.tests.emulator.stacks import physical, resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region


def network(*tables: str) -> dict[str, object]:
    """Return a template in which an endpoint serves some tables."""
    vpc = {"Ref": "Vpc"}
    return {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        **{name: resource("EC2::RouteTable", VpcId=vpc) for name in tables},
        "Endpoint": resource(
            "EC2::VPCEndpoint",
            VpcId=vpc,
            VpcEndpointType="Gateway",
            ServiceName="com.amazonaws.us-east-1.s3",
            RouteTableIds=[{"Ref": name} for name in tables],
        ),
    }


def to_endpoint(region: Region, table: str) -> bool:
    """Return whether a table of the stack has a route to the endpoint."""
    reply = region.client("ec2").describe_route_tables(RouteTableIds=[physical(region, table)])
    routes = reply["RouteTables"][0]["Routes"]
    return any(row.get("GatewayId") == physical(region, "Endpoint") for row in routes)


@contract_of(EndpointsKeepTheirRoutes)
def test_endpoint_has_a_route_in_each_table_that_it_is_given_later(region: Region) -> None:
    """And the stack, to which a zone was added, can be deleted."""
    assert deploy(region, network("First")) == "CREATE_COMPLETE"
    assert update(region, network("First", "Second")) == "UPDATE_COMPLETE"
    settle(region)
    assert to_endpoint(region, "First")
    assert to_endpoint(region, "Second")
    cloudformation = region.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="any")["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName="any")
    assert status(region, stack) == "DELETE_COMPLETE"


@contract_of(EndpointsKeepTheirRoutes)
def test_endpoint_takes_its_route_from_a_table_that_it_loses(region: Region) -> None:
    """The table stays."""
    deploy(region, network("First", "Second"))
    ec2 = region.client("ec2")
    lost = physical(region, "Second")
    ec2.modify_vpc_endpoint(VpcEndpointId=physical(region, "Endpoint"), RemoveRouteTableIds=[lost])
    settle(region)
    assert not to_endpoint(region, "Second")
    assert to_endpoint(region, "First")
