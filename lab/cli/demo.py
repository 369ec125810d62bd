"""`demo`: deploy, kill a NAT, watch the failover and the failback, diff, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.drill import run_drill
from lab.drills.scenario import read_faults
from lab.drills.testbed import AppTestbed, AppTestbedError, deployed

if TYPE_CHECKING:
    from pathlib import Path

    from lab.cli.screen import Screen
    from lab.drills.outcome import Outcome
    from lab.emulator.region import Region


def demo(region: Region, directory: Path, screen: Screen, strategy: str | None) -> None:
    """Run the demo.

    Raises:
        AppTestbedError: when the app does not deploy, recover, fail back or go.

    """
    region.journal.listen(screen.entry)
    screen.heading("Deploy the app with the CDK CLI")
    with deployed(region, directory, strategy) as testbed:
        screen.heading("Kill a NAT")
        screen.await_fault()
        faults = read_faults(["terminate"])
        outcome = run_drill(testbed, faults, seed=0)
        _insist(outcome)
        screen.heading("What CloudFormation thinks of it")
        _finish(testbed)
    screen.summary(outcome)
    screen.say("\nIt failed over, came home, and left nothing behind.")


def _insist(outcome: Outcome) -> None:
    if not outcome.recovered:
        message = "a private subnet is still without internet half an hour after its NAT died"
        raise AppTestbedError(message)
    if not outcome.home:
        message = "a private subnet is not back with its own zone's NAT half an hour after it died"
        raise AppTestbedError(message)


def _finish(testbed: AppTestbed) -> None:
    testbed.diff()
    testbed.monitor.stop()
    testbed.destroy()
