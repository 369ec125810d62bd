"""The app, moved from zone to zone in place, with the real CDK CLI."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from lab.cdk import Cdk
from lab.drills.stage import Stage
from lab.inventory import inventory
from lab.isolation import REGION
from lab.region import Region

if TYPE_CHECKING:
    from pathlib import Path


def _context(zones: str) -> tuple[str, ...]:
    network = {"zones": [f"{REGION}{letter}" for letter in zones]}
    return (f"nat={json.dumps({'network': network, 'fleet': {'max': 3, 'desired': 3}})}",)


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


def test_zone_is_replaced_and_dropped_in_place(tmp_path: Path) -> None:
    """Zones a and b, then a, c and e, then c and e; and nothing is left when it is destroyed.

    The subnets of a zone that stays keep their addresses, and every private subnet is served.
    """
    with ExitStack() as stack:
        region = stack.enter_context(Region())
        deployments = []
        for zones in ("ab", "ace", "ce"):
            directory = tmp_path / zones
            cdk = stack.enter_context(
                closing(Cdk(region.endpoint, directory, context=_context(zones)))
            )
            cdk.assembly.parent.mkdir()
            cdk.synth()
            deployments.append(cdk)
        first, *others = deployments
        stage = Stage(region, first, "replace-route")
        first.bootstrap()
        empty = inventory(region)
        stage.deploy()
        expected = _subnets(region)
        assert {name[0] for name in expected} == set("ab")
        for zones, cdk in zip(("ace", "ce"), others, strict=True):
            assert "UPDATE_COMPLETE" in cdk.deploy().output
            subnets = _subnets(region)
            assert {name[0] for name in subnets} == set(zones)
            assert {name: cidr for name, cidr in expected.items() if name in subnets} == {
                name: cidr for name, cidr in subnets.items() if name in expected
            }
            expected = subnets
            assert "There were no differences" in cdk.diff().output
        others[-1].destroy()
        stage.watch.stop()
        assert inventory(region) == empty
