"""Elastic IPs turned on, off, and retained, with the real CDK CLI."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.inventory import inventory
from lab.drills.testbed import AppTestbed
from lab.emulator.region import Region
from lab.emulator.time import delays
from lab.tests.drills.seen_as import SEEN, SeenAs, context, elastic
from lab.tests.emulator.factories import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk


def _allocations(region: Region) -> set[str]:
    return {
        str(row["AllocationId"]) for row in region.client("ec2").describe_addresses()["Addresses"]
    }


def test_elastic_ips_are_turned_on_and_off_without_an_interruption(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """NATs are replaced one by one, and no flow of one that serves changes its address.

    Made and retained they are still there when the stack has none any more, or is destroyed.
    """
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        names = {"none": None, "created": "created", "retained": "retained"}
        none, created, retained = (
            stack.enter_context(
                closing(cli(region.endpoint, tmp_path / name, context=context(value, drain_s=30)))
            )
            for name, value in names.items()
        )
        for cdk in (none, created, retained):
            cdk.assembly.parent.mkdir()
        testbed = AppTestbed(region, none, "replace-route")
        testbed.prepare()
        created.synth()
        retained.synth()
        empty = inventory(region)
        testbed.deploy()
        before = {nat.instance for nat in testbed.monitor.nats_now()}
        SeenAs(testbed)
        began = region.clock.now()
        assert "UPDATE_COMPLETE" in created.deploy().output
        ips = set(elastic(region))
        assert eventually(region, testbed.monitor.at_home)
        assert before.isdisjoint(elastic(region).values())
        region.clock.pass_time(delays.ADDRESS_TAKES_EFFECT.high)
        last = {row.what.split()[0]: row.what for row in region.journal.entries(SEEN)}
        assert {row.split()[1] for row in last.values()} == ips
        assert "There were no differences" in created.diff().output
        assert "UPDATE_COMPLETE" in none.deploy().output
        assert {} == elastic(region)
        assert "UPDATE_COMPLETE" in retained.deploy().output
        works = region.journal.entries("egress", since=began)
        assert {entry.detail["works"] for entry in works} == {"True"}
        kept = _allocations(region)
        retained.destroy()
        testbed.monitor.stop()
        assert kept == inventory(region) - empty
