"""What AWS does and moto does not, as far as these tests need it: behaviours of the lab's region.

They are in this process, without the region's server, and its clock stands still: a group never
comes to notice here that a member was killed from outside. The lab's contract tests hold them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.emulator.behaviour import Patches
from lab.emulator.region import Region
from lab.emulator.services.autoscaling.health import ReplacesTheDead
from lab.emulator.services.ec2.instances import InterfacesEndWithTheirInstance
from lab.emulator.services.ec2.routes import (
    CreateRouteNeverReplaces,
    RoutesNameBothTargets,
    RoutesTurnBlackhole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BEHAVIOURS = (
    InterfacesEndWithTheirInstance,
    RoutesTurnBlackhole,
    RoutesNameBothTargets,
    CreateRouteNeverReplaces,
    ReplacesTheDead,
)


@contextmanager
def restored() -> Iterator[None]:
    """Let moto behave like AWS in these respects for a while."""
    patches, aws = Patches(), Region(BEHAVIOURS).aws
    try:
        for behaviour in BEHAVIOURS:
            behaviour(aws).install(patches)
        for call in ("complete_lifecycle_action", "record_lifecycle_action_heartbeat"):
            patches.method(AutoScalingResponse, call, _take)
        yield
    finally:
        patches.undo()


def _take(response: AutoScalingResponse) -> ActionResult:
    """Take what moto lacks and is said of members that the wire shows waiting.

    The lab's hooks complete what they hold themselves, which takes their clock.
    """
    del response
    return EmptyResult()
