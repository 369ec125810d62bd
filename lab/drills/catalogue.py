"""What the region of a drill does: what AWS does, and what the app's instances do in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.boots.forwarding import InstancesForward
from lab.drills.boots.launches import InstancesCompleteTheirLaunch
from lab.drills.boots.signals import InstancesSignalTheirStack
from lab.drills.boots.watch import InstancesWatchEachOther
from lab.emulator.catalogue import ALL

if TYPE_CHECKING:
    from lab.emulator.behaviour import Behaviour

BEHAVIOURS: tuple[type[Behaviour], ...] = (
    *ALL,
    InstancesForward,
    InstancesCompleteTheirLaunch,
    InstancesSignalTheirStack,
    InstancesWatchEachOther,
)
