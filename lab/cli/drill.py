"""`drill`: inject faults and tell what came of them, in words, as JSON or as a page."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lab import report
from lab.drills.drill import run_drill
from lab.drills.handlers import install
from lab.drills.testbed import deployed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.cli.screen import Screen
    from lab.drills.handlers import Handler
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault
    from lab.drills.testbed import AppTestbed
    from lab.emulator.region import Region
    from lab.emulator.time.clock import RealClock

DEPLOYMENT_PACE = 30.0
"""How much faster than the clock on the wall a deployment goes before a drill in real time."""


def drill(  # noqa: PLR0913 - what a person can say of a drill, each thing by name
    region: Region,
    directory: Path,
    screen: Screen | None,
    *,
    faults: Sequence[ScheduledFault],
    seed: int,
    strategy: str | None,
    handler: Handler | None,
    pace: float = 1.0,
    destroy: bool = False,
) -> Outcome:
    """Deploy the app, inject the faults, and return the outcome; a screen shows it live.

    `pace` is how fast a clock that goes by itself goes during the drill. `destroy` says whether the
    stack is destroyed in the end, which raises AppTestbedError when it cannot be.
    """
    if screen:
        screen.say("Deploying the app with the CDK CLI …")
    with deployed(region, directory, strategy) as testbed:
        get_ready(testbed, screen, handler, pace)
        outcome = run_drill(testbed, faults, seed=seed)
        if destroy:
            testbed.monitor.stop()
            testbed.destroy()
    return outcome


def get_ready(
    testbed: AppTestbed, screen: Screen | None, handler: Handler | None, pace: float
) -> None:
    """Put the handler in its place, let the clock go at the pace of a drill, and show it live."""
    install(testbed, handler)
    region = testbed.region
    if not region.clock.virtual:
        real: RealClock = region.clock  # type: ignore[assignment]  # the other one is virtual
        real.set_pace(pace)
    if screen:
        screen.await_fault()
        region.journal.listen(screen.entry)


def tell(outcome: Outcome, screen: Screen | None, directory: Path | None) -> None:
    """Print a summary in words, or JSON where there is no screen, and write the page."""
    if screen:
        screen.summary(outcome)
    else:
        json.dump(outcome.as_json(), sys.stdout)
        sys.stdout.write("\n")
    if directory:
        page = report.write([outcome], directory)
        if screen:
            screen.say(f"\nThe report is in {page}")


def status(
    outcome: Outcome,
    faults: Sequence[ScheduledFault],
    *,
    adopt: bool = False,
    watch: bool = True,
) -> int:
    """Return 1 if a drill of the deployed function did not end as documented, or else 0."""
    expected = all(
        scheduled.fault.ends_well(scheduled.option, outcome.strategy, adopt=adopt, watch=watch)
        for scheduled in faults
    )
    return int(expected and not (outcome.recovered and outcome.home))
