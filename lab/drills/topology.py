"""Which private route tables a deployed stack has, in which zones and for which subnets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.emulator.region import Region

DEFAULT = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, order=True)
class Home:
    """A private route table as it was deployed: its zone and its subnets."""

    zone: str
    table: str
    subnets: tuple[str, ...]


def private_homes(region: Region, stack: str) -> tuple[Home, ...]:
    """Return the stack's route tables that lead to no internet gateway, by zone."""
    ec2 = region.client("ec2")
    resources = region.client("cloudformation").describe_stack_resources(StackName=stack)
    ids = [
        row["PhysicalResourceId"]
        for row in resources["StackResources"]
        if row["ResourceType"] == "AWS::EC2::RouteTable"
    ]
    tables = ec2.describe_route_tables(RouteTableIds=ids)["RouteTables"] if ids else []
    return tuple(sorted(_home(ec2, table) for table in tables if not _public(table)))


def _public(table: dict[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == DEFAULT
        and str(route.get("GatewayId", "")).startswith("igw-")
        for route in table["Routes"]
    )


def _home(ec2: Any, table: dict[str, Any]) -> Home:  # noqa: ANN401 - a boto3 client
    subnets = tuple(sorted(row["SubnetId"] for row in table["Associations"] if "SubnetId" in row))
    zones = {row["AvailabilityZone"] for row in ec2.describe_subnets(SubnetIds=subnets)["Subnets"]}
    return Home(zone=",".join(sorted(zones)), table=table["RouteTableId"], subnets=subnets)
