"""`drill --packets`: a drill in real time in which packets flow, and what private hosts saw of it.

The fabric is there before the app is deployed, so that its NATs boot for real. Private hosts probe
from before the first fault to the end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.cli.drill import get_ready
from lab.drills.drill import run_drill
from lab.drills.measure import BEFORE
from lab.drills.testbed import deployed
from lab.packets.probes.probing import Prober, Probing
from lab.packets.region_mirror import BEHAVIOURS, RegionMirror
from lab.packets.values import SERVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.cli.screen import Screen
    from lab.drills.handlers import Handler
    from lab.drills.host_packets import HostPackets
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault
    from lab.drills.testbed import AppTestbed
    from lab.emulator.region import Region
    from lab.packets.fabric import Fabric

__all__ = ["BEHAVIOURS", "DEPLOYMENT_PACE", "drill_with_packets"]

DEPLOYMENT_PACE = 10.0
"""How much faster than the clock on the wall a deployment goes whose NATs boot for real.

A boot takes as long as it takes, and the launch hook gives it 420 s of the region's clock.
"""

STEADY = 65.0
"""Seconds at home after which the drill is over: a sweep later nothing has changed again.

Half of what other drills wait, since somebody sits before it. Flows have learned by then: an idle
one asks every 10 s, and TCP repeats itself at the latest after as long as it has waited already.
"""


def drill_with_packets(  # noqa: PLR0913 - what a person can say of a drill, each thing by name
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
    """Deploy the app, let private hosts probe, inject the faults, and return the outcome.

    At another pace than 1, what hosts saw is by the clock on the wall.

    Raises:
        PacketsError: when packets do not flow as they should before the first fault.

    """
    if screen:
        screen.say("Deploying the app with the CDK CLI; its NATs boot in network namespaces …")
    with RegionMirror(region) as mirror, deployed(region, directory, strategy) as testbed:
        get_ready(testbed, screen, handler, pace)
        with Probing(mirror.fabric.server, SERVER, _probers(mirror.fabric, testbed)) as probing:

            def saw(began: float) -> tuple[HostPackets, ...]:
                ago = (region.clock.now() - began) / pace
                return probing.stop(zero=time.monotonic() - ago, since=-BEFORE)

            outcome = run_drill(testbed, faults, seed=seed, steady=STEADY, saw=saw)
        if destroy:
            testbed.monitor.stop()
            testbed.destroy()
    return outcome


def _probers(fabric: Fabric, testbed: AppTestbed) -> list[Prober]:
    zones = {subnet: home.zone for home in testbed.monitor.homes for subnet in home.subnets}
    return [
        Prober(host.address, zones[name], fabric.hosts[name]) for name, host in fabric.wired.items()
    ]
