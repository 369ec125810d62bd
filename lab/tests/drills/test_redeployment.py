"""The app, deployed again and again with the real CDK CLI."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from lab.drills.catalogue import BEHAVIOURS
from lab.drills.inventory import inventory
from lab.drills.lab_settings import lab_settings
from lab.drills.testbed import AppTestbed
from lab.emulator.isolation import PROJECT
from lab.emulator.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.drills.cdk import Cdk


def changed_settings() -> tuple[str, ...]:
    """Return the app's settings with another log retention and failback."""
    settings: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]["nat"]
    settings["logs"] = {"retention_days": 60}
    settings["failover"] = {**settings["failover"], "failback": "manual"}
    return (f"nat={json.dumps(settings)}",)


def test_app_is_deployed_again_unchanged_and_changed(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """The CLI sees no changes where there are none, and updates only what changed.

    What CloudFormation then has is what the app says. Changes that replace NATs are deployed in
    test_settings_in_failover.py.
    """
    settings = lab_settings(PROJECT, None)
    context, strategy = settings.context, settings.strategy
    with ExitStack() as stack:
        region = stack.enter_context(Region(BEHAVIOURS))
        first, second = (
            stack.enter_context(closing(cli(region.endpoint, tmp_path / name, context=settings)))
            for name, settings in (("first", context), ("second", changed_settings()))
        )
        for cdk in (first, second):
            cdk.assembly.parent.mkdir()
        testbed = AppTestbed(region, first, strategy)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda step: step(), (testbed.prepare, second.synth)))
        empty = inventory(region)
        testbed.deploy()
        assert "(no changes)" in first.deploy().output
        assert "RetentionInDays" in second.diff().output
        before, nats = region.clock.now(), testbed.monitor.nats_now()
        assert "UPDATE_COMPLETE" in second.deploy().output
        assert not region.journal.entries("egress", since=before)
        assert testbed.monitor.nats_now() == nats
        for options in ((), ("--method=template",)):
            assert "There were no differences" in second.diff(*options).output
        second.destroy()
        testbed.monitor.stop()
        assert inventory(region) == empty
