"""One complete look at the stack's NATs and route tables, or an error: never a part of the truth.

Three reads at the same time: the instances that carry the stack's tag, the membership of the group
that carries it, and the private route tables by id. Every page is read. A group or a table that is
missing from an answer makes the look incomplete; an instance that only one of the two knows is
reported with what is known of it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.parsers import ResponseParserError

from nat_failover.model import Association, DefaultRoute, InstanceState, Nat, Observation, Table
from nat_failover.settings import FLEET_TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor

    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_ec2 import EC2Client

    from nat_failover.settings import HomeTable, Settings

ANYWHERE = "0.0.0.0/0"
_TARGETS = (
    "NetworkInterfaceId",
    "InstanceId",
    "NatGatewayId",
    "TransitGatewayId",
    "GatewayId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "OdbNetworkArn",
)
"""The fields of a route that can name its target (EC2 API reference, data type Route)."""

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class IncompleteError(Exception):
    """The API answered, but not with everything that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS clients that reads and writes go through, and the threads that they run in."""

    ec2: EC2Client
    autoscaling: AutoScalingClient
    threads: Executor


def observe(
    clients: Clients, settings: Settings, leaving: frozenset[str] = frozenset()
) -> Observation:
    """Return one look at the network; `leaving` are the instances that messages say are leaving.

    Raises:
        IncompleteError: when the group, a table of the stack or a field is missing from an answer.
        botocore.exceptions.BotoCoreError: when a read cannot be made.
        botocore.exceptions.ClientError: when AWS refuses a read.

    """
    reads: tuple[Callable[[], list[Any]], ...] = (
        lambda: _instances(clients.ec2, settings.stack),
        lambda: _members(clients.autoscaling, settings.stack),
        lambda: _route_tables(clients.ec2, settings.tables),
    )
    pending = [clients.threads.submit(read) for read in reads]
    with _complete_answers():
        instances, members, tables = (read.result() for read in pending)
        return Observation(
            nats=_nats(instances, members),
            tables=_tables(tables, settings.tables),
            leaving=leaving,
            now=time.time(),
        )


def observe_tables(clients: Clients, settings: Settings) -> frozenset[Table]:
    """Return the route tables alone; raise as `observe` does."""
    with _complete_answers():
        return _tables(_route_tables(clients.ec2, settings.tables), settings.tables)


@contextmanager
def _complete_answers() -> Iterator[None]:
    """Take an answer that has not the documented shape for an incomplete one."""
    try:
        yield
    except (KeyError, TypeError, ValueError, ResponseParserError) as error:
        message = f"an answer has not the documented shape: {error!r}"
        raise IncompleteError(message) from error


def _instances(ec2: EC2Client, stack: str) -> list[Any]:
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": f"tag:{FLEET_TAG}", "Values": [stack]}]
    )
    return [
        instance
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


def _members(autoscaling: AutoScalingClient, stack: str) -> list[Any]:
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        Filters=[{"Name": f"tag:{FLEET_TAG}", "Values": [stack]}]
    )
    groups = [group for page in pages for group in page["AutoScalingGroups"]]
    if not groups:
        message = f"no Auto Scaling group has the tag {FLEET_TAG}={stack}"
        raise IncompleteError(message)
    return [member for group in groups for member in group["Instances"]]


def _route_tables(ec2: EC2Client, tables: tuple[HomeTable, ...]) -> list[Any]:
    asked = [table.id for table in tables]
    pages = ec2.get_paginator("describe_route_tables").paginate(RouteTableIds=asked)
    answered = [table for page in pages for table in page["RouteTables"]]
    missing = sorted(set(asked) - {table["RouteTableId"] for table in answered})
    if missing:
        message = f"EC2 did not describe the route tables {', '.join(missing)}"
        raise IncompleteError(message)
    return answered


def _nats(instances: list[Any], members: list[Any]) -> frozenset[Nat]:
    """Join what EC2 and the group say; one that only the group knows is of unknown state."""
    membership = {member["InstanceId"]: member for member in members}
    described = {instance["InstanceId"]: instance for instance in instances}
    unknown: Mapping[str, Any] = {"State": {"Name": InstanceState.UNKNOWN}}
    return frozenset(
        _nat(id_, described.get(id_, unknown), membership.get(id_))
        for id_ in membership.keys() | described.keys()
    )


def _nat(id_: str, instance: Mapping[str, Any], member: Mapping[str, Any] | None) -> Nat:
    interfaces = instance.get("NetworkInterfaces", [])
    primary = (i for i in interfaces if i.get("Attachment", {}).get("DeviceIndex", 0) == 0)
    interface: Mapping[str, Any] = next(primary, {})
    zone = instance.get("Placement", {}).get("AvailabilityZone")
    return Nat(
        instance=id_,
        interface=interface.get("NetworkInterfaceId"),
        zone=zone or (member or {}).get("AvailabilityZone", ""),
        state=InstanceState(instance["State"]["Name"]),
        lifecycle=member["LifecycleState"] if member else None,
        healthy=member is None or member["HealthStatus"].lower() == "healthy",
        source_dest_check=instance.get("SourceDestCheck", True),
    )


def _tables(answered: list[Any], homes: tuple[HomeTable, ...]) -> frozenset[Table]:
    by_id = {table["RouteTableId"]: table for table in answered}
    return frozenset(_table(by_id[home.id], home) for home in homes)


def _table(answer: Mapping[str, Any], home: HomeTable) -> Table:
    routes = [route for route in answer["Routes"] if route.get("GatewayId") != "local"]
    default = [route for route in routes if route.get("DestinationCidrBlock") == ANYWHERE]
    return Table(
        id=home.id,
        zone=home.zone,
        home_subnets=frozenset(home.subnets),
        route=_default_route(default[0]) if default else None,
        associations=frozenset(
            Association(id=row["RouteTableAssociationId"], subnet=row["SubnetId"])
            for row in answer["Associations"]
            if "SubnetId" in row and row.get("AssociationState", {}).get("State") in _IN_FORCE
        ),
        other_routes=frozenset(
            (_first(route, _DESTINATIONS) or "", _first(route, _TARGETS) or "")
            for route in routes
            if route not in default
        ),
    )


_IN_FORCE = (None, "associating", "associated")
"""Association states that hold or are about to (EC2 API reference, RouteTableAssociationState)."""


def _default_route(route: Mapping[str, Any]) -> DefaultRoute:
    return DefaultRoute(
        interface=route.get("NetworkInterfaceId"),
        instance=route.get("InstanceId"),
        other=_first(route, _TARGETS[2:]),
        blackhole=route["State"] == "blackhole",
    )


def _first(route: Mapping[str, Any], fields: tuple[str, ...]) -> str | None:
    return next((route[field] for field in fields if route.get(field)), None)
