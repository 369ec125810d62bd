"""Which private route tables a deployed stack has, in which zones and for which subnets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.region import Region

DEFAULT = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, order=True)
class Home:
    """A private route table as it was deployed: its zone and its subnets.

    `has_nats` says whether the group launches NATs in that zone; of several zones it does not.
    """

    zone: str
    table: str
    subnets: tuple[str, ...]
    has_nats: bool = True


def private_homes(region: Region, stack: str) -> tuple[Home, ...]:
    """Return the route tables that the stack serves, by zone.

    They are its own that lead to no internet gateway, or those of the VPC that it was given.
    """
    ec2, cloudformation = region.client("ec2"), region.client("cloudformation")
    rows = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    ids = [r["PhysicalResourceId"] for r in rows if r["ResourceType"] == "AWS::EC2::RouteTable"]
    ids = ids or _given_tables(cloudformation.describe_stacks(StackName=stack)["Stacks"][0])
    groups = region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    zones = {zone for group in groups for zone in group["AvailabilityZones"]}
    tables = ec2.describe_route_tables(RouteTableIds=ids)["RouteTables"] if ids else []
    return tuple(sorted(_home(ec2, table, zones) for table in tables if not _public(table)))


def _given_tables(stack: Mapping[str, Any]) -> list[str]:
    outputs = {row["OutputKey"]: str(row["OutputValue"]) for row in stack.get("Outputs", [])}
    return outputs["PrivateRouteTables"].split(",") if "PrivateRouteTables" in outputs else []


def _users(ec2: Any, table: dict[str, Any]) -> set[str]:  # noqa: ANN401 - a boto3 client
    """Return the subnets that use a table: the main one is also that of those in no table."""
    users = _associated([table])
    if not any(row.get("Main") for row in table["Associations"]):
        return users
    vpc = [{"Name": "vpc-id", "Values": [table["VpcId"]]}]
    taken = _associated(ec2.describe_route_tables(Filters=vpc)["RouteTables"])
    every = {row["SubnetId"] for row in ec2.describe_subnets(Filters=vpc)["Subnets"]}
    return users | (every - taken)


def _associated(tables: list[dict[str, Any]]) -> set[str]:
    return {
        row["SubnetId"] for table in tables for row in table["Associations"] if "SubnetId" in row
    }


def _public(table: dict[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == DEFAULT
        and str(route.get("GatewayId", "")).startswith("igw-")
        for route in table["Routes"]
    )


def _home(ec2: Any, table: dict[str, Any], nats_in: set[str]) -> Home:  # noqa: ANN401 - a boto3 client
    subnets = tuple(sorted(_users(ec2, table)))
    zones = {row["AvailabilityZone"] for row in ec2.describe_subnets(SubnetIds=subnets)["Subnets"]}
    zone = ",".join(sorted(zones))
    return Home(zone=zone, table=table["RouteTableId"], subnets=subnets, has_nats=zone in nats_in)
