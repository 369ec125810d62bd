"""Contracts of eventual consistency: what readers are shown, and what packets follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.ec2.eventual_consistency.history import History
from lab.emulator.services.ec2.eventual_consistency.instances import InstancesAreDescribedLate
from lab.emulator.services.ec2.eventual_consistency.tables import (
    TablesAreDescribedLate,
    WritesTakeEffectLate,
)
from lab.emulator.services.ec2.routes import effective_table, target_instance
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import (
    any_instance,
    any_subnets,
    default_route,
    describe,
    interface_of,
    settle,
    state_of,
)

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANYWHERE = "0.0.0.0/0"


def test_history_keeps_the_order_of_writes_when_a_later_one_counts_earlier() -> None:
    """What was written last is never overtaken by what was written before."""
    history = History("first")
    history.write(5.0, "second")
    history.write(3.0, "third")
    assert history.at(4.0) == "first"
    assert history.at(5.0) == "third"


@contract_of(TablesAreDescribedLate)
def test_described_route_is_the_old_one_when_it_was_just_replaced(region: Region) -> None:
    """A look right after a write may show what was before it, and a little later it does not."""
    subnet, old, new = routed(region)
    replace(region, subnet, new)
    assert default_route(region, table_of(region, subnet))["InstanceId"] == old
    settle(region)
    assert default_route(region, table_of(region, subnet))["InstanceId"] == new


@contract_of(TablesAreDescribedLate)
def test_described_association_is_found_at_its_old_table_when_it_was_just_replaced(
    region: Region,
) -> None:
    """The filter and the answer show the same moment."""
    subnet, _, _ = routed(region)
    old = table_of(region, subnet)
    new = move(region, subnet)
    assert table_of(region, subnet) == old
    settle(region)
    assert table_of(region, subnet) == new


@contract_of(WritesTakeEffectLate)
def test_packets_follow_the_old_route_when_it_was_just_replaced(region: Region) -> None:
    """What is written counts for packets a little later, without a gap in between."""
    subnet, old, new = routed(region)
    seen: list[str | None] = []
    region.clock.each_step(lambda: seen.append(through(region, subnet)))
    replace(region, subnet, new)
    assert through(region, subnet) == old
    region.clock.pass_time(delays.ROUTE_TAKES_EFFECT.high)
    assert seen == [new]


@contract_of(WritesTakeEffectLate)
def test_packets_follow_the_old_table_when_its_subnet_was_just_moved(region: Region) -> None:
    """A subnet that moves to another table leaves through the old one for a moment."""
    subnet, old, _ = routed(region)
    move(region, subnet)
    assert through(region, subnet) == old
    region.clock.pass_time(delays.ROUTE_TAKES_EFFECT.high)
    assert through(region, subnet) is None


@contract_of(InstancesAreDescribedLate)
def test_described_state_is_the_old_one_when_the_instance_was_just_stopped(region: Region) -> None:
    """The filter on the state shows the same moment as the answer."""
    instance = any_instance(region)
    region.client("ec2").stop_instances(InstanceIds=[instance])
    assert state_of(region, instance) == "running"
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert region.client("ec2").describe_instances(Filters=running)["Reservations"]
    settle(region)
    assert state_of(region, instance) == "stopping"
    assert not region.client("ec2").describe_instances(Filters=running)["Reservations"]


@contract_of(InstancesAreDescribedLate)
def test_described_check_is_still_on_when_it_was_just_switched_off(region: Region) -> None:
    """The write itself has been done: a second one changes nothing."""
    instance = any_instance(region)
    region.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=interface_of(region, instance), SourceDestCheck={"Value": False}
    )
    assert describe(region, instance)["SourceDestCheck"] is True
    settle(region)
    assert describe(region, instance)["SourceDestCheck"] is False


def routed(region: Region) -> tuple[str, str, str]:
    """Return a subnet that leaves through an instance, that instance, and another one."""
    ec2 = region.client("ec2")
    subnet, _ = any_subnets(region)
    first, second = any_instance(region, subnet), any_instance(region, subnet)
    table = new_table(region, subnet)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock=ANYWHERE,
        NetworkInterfaceId=interface_of(region, first),
    )
    settle(region)
    return subnet, first, second


def new_table(region: Region, subnet: str) -> str:
    """Return a new route table of a subnet's network."""
    ec2 = region.client("ec2")
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def table_of(region: Region, subnet: str) -> str:
    """Return the table that a subnet is associated with, as EC2 describes it."""
    (table,) = region.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["RouteTables"]
    assert [row.get("SubnetId") for row in table["Associations"]] == [subnet]
    return str(table["RouteTableId"])


def replace(region: Region, subnet: str, instance: str) -> None:
    """Let the default route of a subnet's table lead to another instance."""
    region.client("ec2").replace_route(
        RouteTableId=table_of(region, subnet),
        DestinationCidrBlock=ANYWHERE,
        NetworkInterfaceId=interface_of(region, instance),
    )


def move(region: Region, subnet: str) -> str:
    """Associate a subnet with a new table, which has no default route; return the table."""
    table = new_table(region, subnet)
    ec2 = region.client("ec2")
    (association,) = ec2.describe_route_tables(RouteTableIds=[table_of(region, subnet)])[
        "RouteTables"
    ][0]["Associations"]
    ec2.replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"], RouteTableId=table
    )
    return table


def through(region: Region, subnet: str) -> str | None:
    """Return the instance that packets of a subnet leave through."""
    table = effective_table(subnet, region.clock.now())
    assert table
    routes = [row for row in table.routes if row.destination_cidr_block == ANYWHERE]
    instance = target_instance(routes[0]) if routes else None
    return instance.id if instance else None
