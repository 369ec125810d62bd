"""Failover and failback with the strategy swap-route-table: the subnets move between tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nat_failover.contract import Strategy
from tests.aws import messages
from tests.aws.conftest import SHORT, at_rest
from tests.aws.region import Region

if TYPE_CHECKING:
    from tests.aws.conftest import Deploy, Function


@pytest.fixture
def region() -> Region:
    """Return a Region at rest with two subnets in each zone."""
    return at_rest(Region(subnets_per_table=2))


@pytest.fixture
def function(region: Region, deploy: Deploy) -> Function:
    """Return the function with the strategy swap-route-table."""
    return deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))


def _users(region: Region) -> dict[str, set[str]]:
    return {table: set(region.associations(table)) for table in region.tables}


def _at_home(region: Region) -> dict[str, set[str]]:
    return {table: set(home.private) for table, home in region.homes.items()}


def _all_on(region: Region, table: str) -> dict[str, set[str]]:
    every = {subnet for home in region.homes.values() for subnet in home.private}
    return {name: every if name == table else set() for name in region.tables}


def test_subnets_use_the_survivors_table_when_their_nat_is_terminated(
    region: Region, function: Function
) -> None:
    """Each subnet is re-associated by one write; no route is touched."""
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert _users(region) == _all_on(region, "b")
    assert function.wire.written() == ["ReplaceRouteTableAssociation"] * 2
    assert (region.default_route("a") or {}).get("State") == "blackhole"


def test_subnets_fail_back_when_their_nat_is_replaced(region: Region, function: Function) -> None:
    """Their own table's route is repaired first; their associations then have new ids."""
    before = region.associations("a")
    region.kill(region.nats["a"])
    function(messages.terminated(region, region.nats["a"]))
    replacement = region.replace(region.nats["a"])

    function(messages.launched(region, replacement))
    region.settle()
    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert _users(region) == _at_home(region)
    assert not set(before.values()) & set(region.associations("a").values())
    assert [call.operation for call in function.wire.writes[2:]] == [
        "ModifyNetworkInterfaceAttribute",
        "ReplaceRoute",
        "ReplaceRouteTableAssociation",
        "ReplaceRouteTableAssociation",
    ]


def test_subnets_stay_at_home_when_their_table_could_not_be_repaired(
    region: Region, function: Function
) -> None:
    """A subnet that works leaves its fallback table only for a table that was seen to work."""
    region.kill(region.nats["a"])
    function(messages.terminated(region, region.nats["a"]))
    replacement = region.replace(region.nats["a"])
    function.wire.fail("ReplaceRoute", "InternalError")

    function(messages.launched(region, replacement), seconds=SHORT)

    assert _users(region) == _all_on(region, "b")


def test_subnets_stay_together_when_both_nats_died_and_one_is_back(
    region: Region, function: Function
) -> None:
    """After a total loss every subnet uses the table of the first replacement."""
    for nat in list(region.nats.values()):
        region.kill(nat)
        function(messages.terminated(region, nat))
    replacement = region.replace(region.nats["b"])

    function(messages.launched(region, replacement))

    assert region.served_by()["b"] == replacement
    assert _users(region) == _all_on(region, "b")


def test_route_is_replaced_instead_when_the_tables_differ_in_other_routes(
    region: Region, function: Function
) -> None:
    """A swap would cost the subnets a route, so the table's own default route is replaced."""
    gateway = region.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    region.ec2.create_route(
        RouteTableId=region.homes["a"].table,
        DestinationCidrBlock="192.168.0.0/16",
        GatewayId=gateway,
    )
    region.kill(region.nats["a"])

    returned = function(messages.terminated(region, region.nats["a"]))

    assert function.wire.written() == ["ReplaceRoute"]
    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert _users(region) == _at_home(region)
    assert "would cost the subnets other routes" in returned["decided"][0]["reason"]


def test_decision_is_reported_when_subnets_are_evacuated(
    region: Region, function: Function
) -> None:
    """The run says of the table that it was evacuated, and why."""
    region.kill(region.nats["a"])

    returned = function(messages.terminated(region, region.nats["a"]))

    decided = {decision["table"]: decision for decision in returned["decided"]}
    assert decided[region.homes["a"].table]["verdict"] == "evacuate"
    assert region.homes["b"].table in decided[region.homes["a"].table]["reason"]


def test_subnet_of_somebody_else_stays_when_its_table_is_evacuated(
    region: Region, function: Function
) -> None:
    """The stack moves its own subnets only; for others it repairs the table."""
    theirs = region.subnet("eu-west-1a")
    region.ec2.associate_route_table(RouteTableId=region.homes["a"].table, SubnetId=theirs)
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert theirs in region.associations("a")
    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_subnet_fails_back_when_somebody_moved_it(region: Region, function: Function) -> None:
    """Whoever moved it: a subnet of the stack belongs to its own zone's table."""
    subnet, association = min(region.associations("a").items())
    region.ec2.replace_route_table_association(
        AssociationId=association, RouteTableId=region.homes["b"].table
    )

    function(messages.SWEEP)

    assert subnet in region.associations("a")
    assert _users(region) == _at_home(region)
