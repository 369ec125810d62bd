"""Contracts of propagated routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.services.ec2.propagation import GatewaysPropagateRoutes
from lab.emulator.services.ec2.routes import effective_table
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_instance, any_table, describe, interface_of, settle

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYWHERE = "0.0.0.0/0"


def propagating(region: Region) -> tuple[str, str]:
    """Return an instance, and a table of its network with a propagated default route."""
    ec2, instance = region.client("ec2"), any_instance(region)
    table = any_table(region, beside=instance)
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.enable_vgw_route_propagation(GatewayId=gateway, RouteTableId=table)
    settle(region)
    return instance, table


def defaults(region: Region, table: str) -> list[dict[str, Any]]:
    """Return the default routes that a table is described with."""
    reply = region.client("ec2").describe_route_tables(RouteTableIds=[table])
    routes: list[dict[str, Any]] = reply["RouteTables"][0]["Routes"]
    return [row for row in routes if row.get("DestinationCidrBlock") == ANYWHERE]


@contract_of(GatewaysPropagateRoutes)
def test_propagated_and_static_route_of_one_destination_are_both_shown(region: Region) -> None:
    """The propagated one first, and the static one is the only one that can be replaced."""
    ec2, (instance, table) = region.client("ec2"), propagating(region)
    where = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE}
    ec2.create_route(**where, NetworkInterfaceId=interface_of(region, instance))
    settle(region)
    shown = defaults(region, table)
    assert ["EnableVgwRoutePropagation", "CreateRoute"] == [row["Origin"] for row in shown]
    assert shown[0]["GatewayId"].startswith("vgw-")
    ec2.delete_route(**where)
    settle(region)
    assert ["EnableVgwRoutePropagation"] == [row["Origin"] for row in defaults(region, table)]


@contract_of(GatewaysPropagateRoutes)
def test_packets_follow_the_static_route(region: Region) -> None:
    """Whatever was there first."""
    ec2, (instance, table) = region.client("ec2"), propagating(region)
    subnet = describe(region, instance)["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    interface = interface_of(region, instance)
    ec2.create_route(
        RouteTableId=table, DestinationCidrBlock=ANYWHERE, NetworkInterfaceId=interface
    )
    settle(region)
    followed = effective_table(subnet, region.clock.now())
    assert followed is not None
    routes = followed._routes.values()
    first = next(row for row in routes if row.destination_cidr_block == ANYWHERE)
    assert interface == first.network_interface_id
