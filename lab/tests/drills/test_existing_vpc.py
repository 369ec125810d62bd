"""A VPC that was there before the stack, as people have them: served, and left as it was."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.cdk import CdkError
from lab.drills.drill import run_drill
from lab.drills.inventory import inventory
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import REGION
from lab.emulator.region import Region
from lab.tests.drills.their_vpc import context, full_vpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk


def test_vpc_that_is_there_is_served_fails_over_and_is_left_as_it_was(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """Each table is served, by its own zone's NAT where there is one, and nothing else touched.

    What has no home stays where it is when the zone's NAT is back.
    """
    with Region(BEHAVIOURS) as region:
        theirs = full_vpc(region)
        routes = theirs.routes()
        with closing(cli(region.endpoint, tmp_path, context=context(theirs.network()))) as cdk:
            testbed = AppTestbed(region, cdk, "replace-route")
            testbed.prepare()
            before = inventory(region)
            testbed.deploy()
            made = {name.split("-")[0] for name in inventory(region) - before}
            assert not made & {"vpc", "subnet", "rtb", "igw", "vpce"}
            homes = {home.table: home for home in testbed.monitor.homes}
            assert set(homes) == set(theirs.tables.values())
            own = [name for name, id_ in theirs.tables.items() if homes[id_].has_nats]
            assert own == ["a", "b", "second of a, other addresses", "main"]

            outcome = run_drill(testbed, read_faults(["terminate:a"]), seed=0)
            assert (outcome.recovered, outcome.home, outcome.worst) == (True, True, 0)
            moved = {name for name, id_ in theirs.tables.items() if _moved(testbed, homes[id_])}
            assert {"a", "second of a, other addresses"} <= moved
            assert "b" not in moved
            away = [homes[theirs.tables[n]] for n in theirs.tables if n not in own and n in moved]
            assert away
            assert {testbed.monitor.now(home).zone for home in away} == {f"{REGION}b"}
            assert theirs.routes() == routes
            testbed.diff()
            testbed.destroy()
            testbed.monitor.stop()
            assert theirs.routes() == routes
            assert set(theirs.defaults().values()) == {None}


def _moved(testbed: AppTestbed, home: Any) -> bool:  # noqa: ANN401 - a home of the monitor
    """Say whether a home has used several NATs since the deployment."""
    used = [change.egress.through for change in testbed.monitor.changes[home]]
    return len({nat for nat in used if nat}) > 1


def test_deployment_says_what_is_wrong_with_a_vpc_and_leaves_nothing(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """In CloudFormation's event; there is no group yet, and no route was written."""
    with Region(BEHAVIOURS) as region:
        theirs = full_vpc(region)
        private = theirs.ec2.describe_route_tables(RouteTableIds=[theirs.tables["a"]])
        subnet = private["RouteTables"][0]["Associations"][0]["SubnetId"]
        wrong = theirs.network(public_subnets=[theirs.public[0], subnet])
        with closing(cli(region.endpoint, tmp_path, context=context(wrong))) as cdk:
            cdk.bootstrap()
            before, routes = inventory(region), theirs.routes()
            with pytest.raises(CdkError, match="in which NATs are to be, uses") as refusal:
                cdk.deploy()
            assert f"{subnet}, in which NATs are to be, uses {theirs.tables['a']}" in str(
                refusal.value
            )
            cdk.destroy()
            assert inventory(region) == before
            assert theirs.routes() == routes
