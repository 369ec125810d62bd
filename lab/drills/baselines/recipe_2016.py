"""The recipe of 2016, as blog posts of that time tell it, written anew.

The group tells a topic that an instance was terminated, and the topic invokes this. It walks the
route tables in turn; where the default route is a blackhole, the subnets of that table are
associated with the first other table, one call after the other. It does not look at the other
table's health, and nothing ever comes home.

The variable ROUTE_TABLES names the private route tables, with commas between them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Mapping

ANYWHERE = "0.0.0.0/0"


def do(event: Mapping[str, Any], context: object) -> list[str]:
    """Return the subnets that were moved."""
    del event, context
    ec2 = boto3.client("ec2")
    tables = os.environ["ROUTE_TABLES"].split(",")
    moved = []
    for table in tables:
        found = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
        if not _is_blackhole(found):
            continue
        other = next(name for name in tables if name != table)
        for association in found["Associations"]:
            ec2.replace_route_table_association(
                AssociationId=association["RouteTableAssociationId"], RouteTableId=other
            )
            moved.append(association["SubnetId"])
    return moved


def _is_blackhole(table: Mapping[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == ANYWHERE and route["State"] == "blackhole"
        for route in table["Routes"]
    )
