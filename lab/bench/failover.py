"""How fast a dead NAT's tables are repaired: the function against a sequential recipe, as a ratio.

The recipe is the classic one, written here anew: describe the route tables, and for each blackhole
re-associate its subnets, one call after the other. Both run warm, in the same process and against
the same moto, with the same latency on top of every request, so that only the ratio means anything.
A time ends with the answer to the last write.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from rich.console import Console
from rich.progress import track
from rich.table import Table

import nat_failover
from nat_failover.actions import DEFAULT_ROUTE_CIDR
from tests.aws import messages
from tests.aws.conftest import Context
from tests.aws.region import Region
from tests.aws.restored import restored
from tests.aws.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_ec2 import EC2Client

SIZES = (2, 6, 12)
OPERATIONS = (
    "DescribeInstances",
    "DescribeAutoScalingGroups",
    "DescribeRouteTables",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "Publish",
)


def main() -> None:
    """Measure each size some times, both ways in turn, and print medians and ratios."""
    options = _options()
    table = Table("tables lost", "one by one", "the function", "ratio", title=_title(options))
    rows = []
    with patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}):
        for size in SIZES:
            rounds = track(range(options.rounds), f"{size} tables", console=Console(stderr=True))
            pairs = [
                (_measure(size, _recipe, options), _measure(size, _function, options))
                for _ in rounds
            ]
            rows.append((size, *(statistics.median(times) for times in zip(*pairs, strict=True))))
    for size, slow, fast in rows:
        table.add_row(str(size), f"{slow:.0f} ms", f"{fast:.0f} ms", f"{slow / fast:.1f}")
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each kind")
    parser.add_argument("--latency", type=int, default=50, help="milliseconds of each request")
    return parser.parse_args()


def _title(options: argparse.Namespace) -> str:
    return (
        f"From event to repaired tables, {options.latency} ms a request, median of {options.rounds}"
    )


def _measure(
    size: int,
    way: Callable[[Region, Wire], Callable[[], object]],
    options: argparse.Namespace,
) -> float:
    """Return the milliseconds from a NAT's death to the last answer of the repair."""
    with mock_aws(), restored():
        region, wire = _served(size), Wire()
        written: list[float] = []

        def note(answer: Any) -> None:  # noqa: ANN401 - an answer of any shape
            del answer
            written.append(time.perf_counter())

        repair = way(region, wire)
        repair()
        for operation in OPERATIONS:
            wire.hold(operation, lambda: time.sleep(options.latency / 1000))
        for write in ("ReplaceRoute", "ReplaceRouteTableAssociation"):
            wire.edit(write, note)
        region.kill(region.nats["a0"])
        start = time.perf_counter()
        repair()
        if len(written) != size:
            message = f"{len(written)} writes for {size} tables"
            raise RuntimeError(message)
        return (max(written) - start) * 1000


def _served(size: int) -> Region:
    """Return a Region in which one NAT serves so many tables, and another NAT one more."""
    region = Region(tables=("b", *(f"a{number}" for number in range(size))))
    nats = {"a": region.launch("a0"), "b": region.launch("b")}
    for table in region.tables:
        region.point(table, NetworkInterfaceId=region.interface(nats[table[0]]))
    return region


def _function(region: Region, wire: Wire) -> Callable[[], object]:
    """Load the function as Lambda does before the event, and return its invocation."""
    environment = {"AWS_DEFAULT_REGION": region.name, **region.settings.to_env()}
    with patch.dict(os.environ, environment):
        do = nat_failover.do
    clients, sns = do.clients, do.notifications.sns
    wire.plug_into(clients.ec2, clients.autoscaling, clients.memory.client, sns)
    return lambda: do(messages.SWEEP, Context(40))


def _recipe(region: Region, wire: Wire) -> Callable[[], object]:
    """Return the sequential recipe."""
    client = boto3.Session().client("ec2", region_name=region.name)
    wire.plug_into(client)
    return lambda: _walk(client, region.vpc)


def _walk(ec2: EC2Client, vpc: str) -> None:
    """Re-associate the subnets of every blackhole with a table that works, one after the other."""
    answer = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    states = {
        table["RouteTableId"]: (route["State"], table["Associations"])
        for table in answer["RouteTables"]
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == DEFAULT_ROUTE_CIDR
    }
    refuge = next(id_ for id_, (state, _) in states.items() if state == "active")
    for state, associations in states.values():
        for association in associations if state == "blackhole" else []:
            ec2.replace_route_table_association(
                AssociationId=association["RouteTableAssociationId"], RouteTableId=refuge
            )


if __name__ == "__main__":
    main()
