"""The app, moved from zone to zone in place, with the real CDK CLI."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.egress_monitor import egress_of
from lab.drills.inventory import inventory
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import REGION
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk


def _context(zones: str) -> tuple[str, ...]:
    network = {"zones": [f"{REGION}{letter}" for letter in zones]}
    fleet = {"max": 3, "desired": 3}
    failover = {"strategy": "swap-route-table", "failback": "manual"}
    return (f"nat={json.dumps({'network': network, 'fleet': fleet, 'failover': failover})}",)


def _move(region: Region, subnet: str, *tables: str) -> None:
    """Associate a subnet with other tables, one after the other, as the function does."""
    ec2 = region.client("ec2")
    rows = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (used,) = ec2.describe_route_tables(Filters=rows)["RouteTables"]
    (row,) = [row for row in used["Associations"] if row.get("SubnetId") == subnet]
    association = row["RouteTableAssociationId"]
    for table in tables:
        association = ec2.replace_route_table_association(
            AssociationId=association, RouteTableId=table
        )["NewAssociationId"]


def _subnets(region: Region) -> dict[str, str]:
    """Return the addresses of each subnet with a zone's letter and whether it is the NAT's."""
    rows = region.client("ec2").describe_subnets()["Subnets"]
    names = {
        row["SubnetId"]: {tag["Key"]: tag["Value"] for tag in row.get("Tags", [])} for row in rows
    }
    return {
        row["AvailabilityZone"][-1] + names[row["SubnetId"]]["aws-cdk:subnet-type"]: row[
            "CidrBlock"
        ]
        for row in rows
        if "aws-cdk:subnet-type" in names[row["SubnetId"]]
    }


def _deployments(
    cli: Callable[..., Cdk],
    stack: ExitStack,
    region: Region,
    directory: Path,
    *zones: str,
) -> list[Cdk]:
    """Return the app synthesized for each set of zones, to be deployed one after the other."""
    made = []
    for letters in zones:
        context = _context(letters)
        cdk = stack.enter_context(
            closing(cli(region.endpoint, directory / letters, context=context))
        )
        cdk.assembly.parent.mkdir()
        cdk.synth()
        made.append(cdk)
    return made


def test_zones_are_replaced_and_dropped_in_place_while_their_table_serves_another_zone(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """Zones a, b and c, then a and e; and nothing is left when it is destroyed.

    The subnets of the zone that stays keep their addresses. Its private subnet, at the table of a
    zone that goes, goes home and has internet all along.
    """
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        first, last = _deployments(cli, stack, region, tmp_path, "abc", "ae")
        testbed = AppTestbed(region, first, "swap-route-table")
        first.bootstrap()
        empty = inventory(region)
        testbed.deploy()
        before = _subnets(region)
        assert {name[0] for name in before} == set("abc")
        (home, other, dropped) = testbed.monitor.homes
        _move(region, dropped.subnets[0], other.table, dropped.table)
        _move(region, home.subnets[0], dropped.table)
        region.clock.pass_time(120)
        testbed.monitor.stop()
        began, ways = region.clock.now(), []
        region.clock.each_step(lambda: ways.append(egress_of(home, region.clock.now())))
        said = last.deploy().output
        assert "UPDATE_COMPLETE" in said
        assert "could not be deleted" not in said
        region.clock.pass_time(300)
        assert region.clock.now() > began
        assert [way for way in ways if not way.works] == []
        assert {way.zone for way in ways} >= {f"{REGION}c", f"{REGION}a"}
        after = _subnets(region)
        assert {name[0] for name in after} == set("ae")
        assert before.items() & after.items() == {
            (name, block) for name, block in before.items() if name[0] == "a"
        }
        assert "There were no differences" in last.diff().output
        last.destroy()
        assert inventory(region) == empty


def test_zones_may_be_named_by_their_ids(tmp_path: Path, cli: Callable[..., Cdk]) -> None:
    """The function knows them by the names that they have in the account."""
    named = {"network": {"zones": ["use1-az1", "use1-az2"]}}
    with (
        Region(BEHAVIOURS) as region,
        closing(cli(region.endpoint, tmp_path, context=(f"nat={json.dumps(named)}",))) as cdk,
    ):
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        rows = region.client("ec2").describe_subnets()["Subnets"]
        names = {row["AvailabilityZoneId"]: row["AvailabilityZone"] for row in rows}
        expected = {names["use1-az1"], names["use1-az2"]}
        assert {home.zone for home in testbed.monitor.homes} == expected
        assert all(home.has_nats for home in testbed.monitor.homes)
        testbed.monitor.stop()
