"""Runs a drill: injects faults into a testbed until everything is as before, or will not be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lab.drills.injectors.context import FaultContext
from lab.drills.injectors.table import INJECTORS
from lab.drills.measure import measure
from lab.emulator.time.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.drills.host_packets import HostPackets
    from lab.drills.outcome import Outcome
    from lab.drills.scenario import ScheduledFault
    from lab.drills.testbed import AppTestbed

LEAD = (5.0, 65.0)
"""Seconds before the first fault: it comes at any moment of the minute of the sweep."""

STEADY = 125.0
"""Seconds at home, after which a drill is over: two sweeps later nothing has changed again."""

PATIENCE = 1800.0
"""Seconds after the last fault, after which a drill ends without recovery."""


def run_drill(
    testbed: AppTestbed,
    faults: Sequence[ScheduledFault],
    *,
    seed: int,
    steady: float = STEADY,
    saw: Callable[[float], tuple[HostPackets, ...]] = lambda _: (),
) -> Outcome:
    """Inject the faults and return what came of them; the same seed gives the same story.

    It is over after `steady` seconds at home. `saw` is then asked what private hosts saw, and told
    the moment of the first fault, by the region's clock.

    Raises:
        AppTestbedError: when something happened that the lab does not emulate.

    """
    clock, monitor = testbed.region.clock, testbed.monitor
    clock.chance = Chance(seed)
    began = clock.now() + clock.chance.between(*LEAD, "the first fault")
    context = FaultContext(testbed.region, testbed.stack, monitor)
    for scheduled in faults:
        _arm(context, scheduled, began)
    last = began + max(scheduled.end for scheduled in faults)

    def over() -> bool:
        since = max(last, monitor.steady_since())
        return clock.now() - since >= steady and monitor.at_home() and _complete(testbed)

    clock.wait_until(over, last - clock.now() + PATIENCE)
    testbed.insist()
    fault = " ".join(str(scheduled) for scheduled in faults)
    outcome = measure(
        testbed.region,
        monitor,
        began=began,
        fault=fault,
        strategy=testbed.strategy,
        handler=testbed.handler,
        seed=seed,
    )
    return replace(outcome, packets=saw(began))


def _arm(context: FaultContext, scheduled: ScheduledFault, began: float) -> None:
    """Put the beginning of a fault on the timeline, and its end if it has one."""
    clock, end = context.region.clock, INJECTORS[scheduled.fault.name].end
    clock.at(began + scheduled.start, lambda: _begin(context, scheduled))
    if end and scheduled.seconds is not None:
        clock.at(began + scheduled.start + scheduled.seconds, lambda: end(context))


def _begin(context: FaultContext, scheduled: ScheduledFault) -> None:
    """Begin a fault; what it would break may be broken already by another one."""
    try:
        INJECTORS[scheduled.fault.name].begin(context, scheduled.option)
    except ClientError as error:
        context.say(f"{scheduled.fault.name} changes nothing: {error.response['Error']['Message']}")


def _complete(testbed: AppTestbed) -> bool:
    """Return whether the group has all its instances in service, and nothing is under way."""
    operations = testbed.region.journal.entries("stack")
    if operations and operations[-1].detail["status"].endswith("_IN_PROGRESS"):
        return False
    groups = testbed.region.client("autoscaling").describe_auto_scaling_groups()[
        "AutoScalingGroups"
    ]
    states = [
        row["LifecycleState"] == "InService" for group in groups for row in group["Instances"]
    ]
    wanted = sum(group["DesiredCapacity"] for group in groups)
    return len(states) == wanted and all(states) and not testbed.region.functions.busy()
