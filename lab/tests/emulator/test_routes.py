"""Contracts of routes and associations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.routes import (
    CreateRouteNeverReplaces,
    DryRunsChangeNothing,
    RoutesNameBothTargets,
    RoutesTurnBlackhole,
)
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    any_table,
    default_route,
    eventually,
    interface_of,
    settle,
    state_of,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYWHERE = "0.0.0.0/0"


def routed(region: Region) -> tuple[str, str]:
    """Return an instance, and a table whose default route leads to its interface."""
    instance = any_instance(region)
    table = any_table(region, beside=instance)
    region.client("ec2").create_route(
        RouteTableId=table,
        DestinationCidrBlock=ANYWHERE,
        NetworkInterfaceId=interface_of(region, instance),
    )
    settle(region)
    return instance, table


@contract_of(RoutesTurnBlackhole)
def test_route_is_blackhole_when_its_instance_is_terminated_and_not_before(region: Region) -> None:
    """A route stays active while its instance is shutting down."""
    instance, table = routed(region)
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "shutting-down")
    assert default_route(region, table)["State"] == "active"
    assert eventually(region, lambda: state_of(region, instance) == "terminated")
    assert default_route(region, table)["State"] == "blackhole"


@contract_of(RoutesTurnBlackhole)
def test_route_is_blackhole_when_its_instance_is_stopped(region: Region) -> None:
    """A stopped instance keeps its interface, and its route is a blackhole all the same."""
    instance, table = routed(region)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert eventually(region, lambda: state_of(region, instance) == "stopped")
    assert default_route(region, table)["State"] == "blackhole"


@contract_of(RoutesNameBothTargets)
def test_route_names_the_instance_when_it_was_created_with_the_interface(region: Region) -> None:
    """The instance id stays for a while after termination, then only the interface is named."""
    instance, table = routed(region)
    assert default_route(region, table)["InstanceId"] == instance
    region.client("ec2").terminate_instances(InstanceIds=[instance])
    assert eventually(region, lambda: "InstanceId" not in default_route(region, table))
    assert default_route(region, table)["NetworkInterfaceId"].startswith("eni-")


@contract_of(CreateRouteNeverReplaces)
def test_create_route_is_refused_when_the_destination_has_a_route(region: Region) -> None:
    """CreateRoute never overwrites."""
    instance, table = routed(region)
    with pytest.raises(ClientError, match="RouteAlreadyExists"):
        region.client("ec2").create_route(
            RouteTableId=table,
            DestinationCidrBlock=ANYWHERE,
            NetworkInterfaceId=interface_of(region, instance),
        )


def test_replace_route_is_refused_when_the_destination_has_no_route(region: Region) -> None:
    """ReplaceRoute never creates (moto is right here)."""
    instance = any_instance(region)
    table = any_table(region, beside=instance)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        region.client("ec2").replace_route(
            RouteTableId=table,
            DestinationCidrBlock=ANYWHERE,
            NetworkInterfaceId=interface_of(region, instance),
        )


def test_replaced_association_has_a_new_id_and_keeps_its_table_from_deletion(
    region: Region,
) -> None:
    """An association that moved has another id, and a table with one stays (moto is right here)."""
    ec2 = region.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    old, new = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    first = ec2.associate_route_table(RouteTableId=old, SubnetId=subnet)["AssociationId"]
    reply = ec2.replace_route_table_association(AssociationId=first, RouteTableId=new)
    assert reply["NewAssociationId"] != first
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_route_table(RouteTableId=new)


@contract_of(DryRunsChangeNothing)
def test_route_stays_as_it_is_when_a_write_is_a_dry_run(region: Region) -> None:
    """Neither is one deleted nor created, and the answer is that it would have been allowed."""
    instance, table = routed(region)
    ec2, before = region.client("ec2"), default_route(region, table)
    where = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE}
    interface = interface_of(region, instance)
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.delete_route(**where, DryRun=True)
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.create_route(**where, NetworkInterfaceId=interface, DryRun=True)
    assert default_route(region, table) == before
