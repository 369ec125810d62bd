"""Elastic IPs turned on, off, and retained, with the real CDK CLI."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.testbed import AppTestbed
from lab.emulator.region import Region
from lab.emulator.time import delays
from lab.tests.drills.seen_as import SEEN, SeenAs, context, elastic
from lab.tests.emulator.factories import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk


def _cdk(
    cli: Callable[..., Cdk], stack: ExitStack, region: Region, directory: Path, ips: str | None
) -> Cdk:
    """Return the CLI with the app as it is with a value of the setting."""
    settings = context(ips, drain_s=30)
    cdk = stack.enter_context(closing(cli(region.endpoint, directory / str(ips), context=settings)))
    cdk.assembly.parent.mkdir()
    return cdk


@pytest.mark.exhaustive("test_elastic_ips.py gives them to new NATs, and updates are played")
def test_elastic_ips_are_turned_on_and_off_without_an_interruption(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """NATs are replaced one by one, and none that serves gets another address."""
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        none, created = (_cdk(cli, stack, region, tmp_path, ips) for ips in (None, "created"))
        testbed = AppTestbed(region, none, "replace-route")
        testbed.prepare()
        created.synth()
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
        works = region.journal.entries("egress", since=began)
        assert {entry.detail["works"] for entry in works} == {"True"}
        testbed.monitor.stop()


@pytest.mark.exhaustive("test_elastic_ips.py destroys a stack that retains them")
def test_destroyed_stack_takes_what_it_created_with_it(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """The group is gone before its Elastic IPs are."""
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        cdk = _cdk(cli, stack, region, tmp_path, "created")
        testbed = AppTestbed(region, cdk, "replace-route")
        testbed.prepare()
        testbed.deploy()
        assert elastic(region)
        testbed.destroy()
        testbed.monitor.stop()
