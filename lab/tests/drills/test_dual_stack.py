"""IPv6 beside the NATs: its way out is left as it is by whatever happens to the one for IPv4."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.drill import run_drill
from lab.drills.lab_settings import lab_settings
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.journal import Who
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk
    from lab.drills.outcome import Outcome

EVERYWHERE = "::/0"
MOVES = "ec2:ReplaceRouteTableAssociation"
ROUTES = "ec2:ReplaceRoute"


@pytest.mark.parametrize(
    "strategy",
    [
        "replace-route",
        pytest.param(
            "swap-route-table",
            marks=pytest.mark.exhaustive("the other zone's table leads IPv6 to the same gateway"),
        ),
    ],
)
def test_way_out_of_ipv6_is_left_alone_by_failover_failback_and_deletion(
    tmp_path: Path, cli: Callable[..., Cdk], strategy: str
) -> None:
    """Subnets move to a table with the same way out of IPv6 alone, where the strategy moves any."""
    settings = lab_settings(PROJECT, strategy)
    with (
        Region(BEHAVIOURS) as region,
        closing(cli(region.endpoint, tmp_path, context=settings.context)) as cdk,
    ):
        testbed = AppTestbed(region, cdk, strategy)
        testbed.prepare()
        testbed.deploy()
        tables = sorted({home.table for home in testbed.monitor.homes})
        gateway = add_ipv6(region, tables)
        outcome = run_drill(testbed, read_faults(["terminate:a"]), seed=0)
        assert (outcome.recovered, outcome.home) == (True, True)
        assert [gateway, gateway] == ways_out(region, tables)
        assert (MOVES if strategy == "swap-route-table" else ROUTES) in written(outcome)
        if strategy == "swap-route-table":
            take_away(region, tables[0])
            outcome = run_drill(testbed, read_faults(["terminate:a"]), seed=0)
            assert (outcome.recovered, outcome.home) == (True, True)
            assert {ROUTES} == written(outcome)
            assert [None, gateway] == ways_out(region, tables)
        testbed.diff()
        testbed.monitor.stop()
        cdk.destroy()
        (left,) = region.client("ec2").describe_egress_only_internet_gateways()[
            "EgressOnlyInternetGateways"
        ]
        assert left["EgressOnlyInternetGatewayId"] == gateway
        calls = [row for row in region.journal.entries("call") if row.who is Who.LAMBDA]
        assert calls
        assert [] == [row for row in calls if EVERYWHERE in str(row)]


def add_ipv6(region: Region, tables: list[str]) -> str:
    """Give the VPC of tables IPv6, and each of them a way out for it; return its gateway."""
    ec2 = region.client("ec2")
    vpc = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"][0]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    gateway = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    id_ = str(gateway["EgressOnlyInternetGatewayId"])
    for table in tables:
        ec2.create_route(
            RouteTableId=table,
            DestinationIpv6CidrBlock=EVERYWHERE,
            EgressOnlyInternetGatewayId=id_,
        )
    return id_


def take_away(region: Region, table: str) -> None:
    """Delete a table's way out for IPv6."""
    region.client("ec2").delete_route(RouteTableId=table, DestinationIpv6CidrBlock=EVERYWHERE)


def ways_out(region: Region, tables: list[str]) -> list[str | None]:
    """Return where IPv6 leaves by each of the tables."""
    described = region.client("ec2").describe_route_tables(RouteTableIds=tables)["RouteTables"]
    by_table = {row["RouteTableId"]: row["Routes"] for row in described}
    return [_way_out(by_table[table]) for table in tables]


def _way_out(routes: list[dict[str, Any]]) -> str | None:
    rows = [row for row in routes if row.get("DestinationIpv6CidrBlock") == EVERYWHERE]
    return str(rows[0]["EgressOnlyInternetGatewayId"]) if rows else None


def written(outcome: Outcome) -> set[str]:
    """Return which calls changed the way out of a subnet."""
    return {write.name for write in outcome.writes} & {MOVES, ROUTES}
