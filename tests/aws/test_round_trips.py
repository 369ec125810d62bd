"""From event to repaired routes in two rounds of calls: all reads at once, then all writes at once.

Depth is measured, not time: each request of a round waits until all of the round are under way, so
that a function which sends one after the other waits in vain.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from nat_failover.contract import Failback, Strategy
from tests.aws import messages
from tests.aws.conftest import at_rest
from tests.aws.region import Region

if TYPE_CHECKING:
    from tests.aws.conftest import Deploy, Function
    from tests.aws.wire import Wire

READS = ("DescribeInstances", "DescribeAutoScalingGroups", "DescribeRouteTables")
PATIENCE_S = 5
TWO = ("a", "b")
TWELVE = ("a", "b", *(f"{zone}{number}" for zone in "ab" for number in range(2, 7)))


def _expect_together(wire: Wire, *operations: str, parties: int) -> None:
    """Let no request of these operations pass before so many of them are under way."""
    together = Barrier(parties, timeout=PATIENCE_S)
    for operation in operations:
        wire.hold(operation, together.wait)


def _bereaved(tables: tuple[str, ...]) -> tuple[Region, str]:
    """Return a Region all of whose tables used a NAT that is dead now, and the NAT that is left."""
    region = Region(tables=tables)
    dead, survivor = region.launch("a"), region.launch("b")
    for table in tables:
        region.point(table, NetworkInterfaceId=region.interface(dead))
    region.kill(dead)
    return region, survivor


def _rounds(function: Function, writes: int) -> list[set[str]]:
    """Return the operations of each round up to the last write, each round checked for its size."""
    calls = [call for call in function.wire.calls if call.is_write or call in function.wire.reads]
    made = [call.operation for call in calls]
    assert set(made[:3]) == set(READS)
    return [set(made[:3]), set(made[3 : 3 + writes])]


@pytest.mark.parametrize("tables", [TWO, TWELVE], ids=len)
def test_routes_are_repaired_in_two_rounds_when_all_tables_lost_their_nat(
    tables: tuple[str, ...], deploy: Deploy
) -> None:
    """Three reads at once, then a write for each table at once."""
    region, survivor = _bereaved(tables)
    function = deploy(replace(region.settings, failback=Failback.MANUAL))
    _expect_together(function.wire, *READS, parties=3)
    _expect_together(function.wire, "ReplaceRoute", parties=len(tables))

    returned = function(messages.terminated(region, region.nats["a"]))

    assert set(region.served_by().values()) == {survivor}
    assert _rounds(function, len(tables)) == [set(READS), {"ReplaceRoute"}]
    assert returned["failure"] is None


@pytest.mark.parametrize("tables", [TWO, TWELVE], ids=len)
def test_subnets_are_moved_in_two_rounds_when_tables_are_swapped(
    tables: tuple[str, ...], deploy: Deploy
) -> None:
    """Three reads at once, then a write for each subnet of the lost zone at once."""
    region = at_rest(Region(tables=tables))
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    lost = [table for table in tables if table.startswith("a")]
    for table in lost:
        region.kill(region.nats[table])
    _expect_together(function.wire, *READS, parties=3)
    _expect_together(function.wire, "ReplaceRouteTableAssociation", parties=len(lost))

    returned = function(messages.terminated(region, region.nats["a"]))

    assert not any(region.associations(table) for table in lost)
    assert _rounds(function, len(lost)) == [set(READS), {"ReplaceRouteTableAssociation"}]
    assert returned["failure"] is None


def test_checks_go_off_in_two_rounds_when_nats_are_launched(fresh: Region, deploy: Deploy) -> None:
    """The checks go off at once, and the routes are written after another observation."""
    function = deploy(fresh.settings)
    _expect_together(function.wire, *READS, parties=3)
    _expect_together(function.wire, "ModifyNetworkInterfaceAttribute", parties=2)
    _expect_together(function.wire, "CreateRoute", parties=2)

    function(messages.launched(fresh, fresh.nats["a"]))

    assert fresh.served_by() == fresh.nats
    assert function.wire.count("DescribeInstances") == 3
