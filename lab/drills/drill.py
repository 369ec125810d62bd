"""Plays faults on a stage and watches until everything is as before, or will not be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lab.drills.deeds import Scene
from lab.drills.injectors import INJECTORS
from lab.drills.measure import measure
from lab.emulator.time.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.drills.outcome import Outcome
    from lab.drills.packets import HostPackets
    from lab.drills.scenario import Cue
    from lab.drills.stage import Stage

LEAD = (5.0, 65.0)
"""Seconds before the first fault: it comes at any moment of the minute of the sweep."""

STEADY = 125.0
"""Seconds at home, after which a drill is over: two sweeps later nothing has changed again."""

PATIENCE = 1800.0
"""Seconds after the last fault, after which a drill ends without recovery."""


def play(
    stage: Stage,
    cues: Sequence[Cue],
    *,
    seed: int,
    steady: float = STEADY,
    saw: Callable[[float], tuple[HostPackets, ...]] = lambda _: (),
) -> Outcome:
    """Play the faults and return what came of them; the same seed gives the same story.

    It is over after `steady` seconds at home. `saw` is then asked what private hosts saw, and told
    the moment of the first fault, by the region's clock.

    Raises:
        StageError: when something happened that the lab does not emulate.

    """
    clock, watch = stage.region.clock, stage.watch
    clock.chance = Chance(seed)
    began = clock.now() + clock.chance.between(*LEAD, "the first fault")
    scene = Scene(stage.region, stage.stack, watch)
    for cue in cues:
        _arm(scene, cue, began)
    last = began + max(cue.end for cue in cues)

    def over() -> bool:
        since = max(last, watch.steady_since())
        return clock.now() - since >= steady and watch.at_home() and _complete(stage)

    clock.wait_until(over, last - clock.now() + PATIENCE)
    stage.insist()
    fault = " ".join(str(cue) for cue in cues)
    outcome = measure(
        stage.region,
        watch,
        began=began,
        fault=fault,
        strategy=stage.strategy,
        handler=stage.handler,
        seed=seed,
    )
    return replace(outcome, packets=saw(began))


def _arm(scene: Scene, cue: Cue, began: float) -> None:
    """Put the beginning of a fault on the timeline, and its end if it has one."""
    clock, end = scene.region.clock, INJECTORS[cue.fault.name].end
    clock.at(began + cue.start, lambda: _begin(scene, cue))
    if end and cue.seconds is not None:
        clock.at(began + cue.start + cue.seconds, lambda: end(scene))


def _begin(scene: Scene, cue: Cue) -> None:
    """Begin a fault; what it would break may be broken already by another one."""
    try:
        INJECTORS[cue.fault.name].begin(scene, cue.option)
    except ClientError as error:
        scene.say(f"{cue.fault.name} changes nothing: {error.response['Error']['Message']}")


def _complete(stage: Stage) -> bool:
    """Return whether the group has all its instances in service, and nothing is under way."""
    operations = stage.region.journal.entries("stack")
    if operations and operations[-1].detail["status"].endswith("_IN_PROGRESS"):
        return False
    groups = stage.region.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    states = [
        row["LifecycleState"] == "InService" for group in groups for row in group["Instances"]
    ]
    wanted = sum(group["DesiredCapacity"] for group in groups)
    return len(states) == wanted and all(states) and not stage.region.functions.busy()
