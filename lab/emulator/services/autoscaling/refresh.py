"""An instance refresh: how a group replaces all of its members, a few at a time."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.emulator.services.autoscaling.kept import DEFAULT_WARMUP
from lab.emulator.services.autoscaling.members import (
    EXTRA,
    IN_SERVICE_SINCE,
    counted,
    exists,
    extra,
    in_service,
    settle,
)
from lab.emulator.services.autoscaling.policy import may_launch_first, most_at_once, policy_of
from lab.emulator.services.autoscaling.replacement import launch_instead, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.behaviour import Emulation

PENDING, IN_PROGRESS, SUCCESSFUL, CANCELLED = "Pending", "InProgress", "Successful", "Cancelled"
CAUSE = "an instance refresh"

_ALL = 100
_USUAL_MINIMUM = 90


@dataclass(slots=True, eq=False)
class Refresh:
    """One instance refresh: whom it replaces, and how it stands.

    It goes on when the members that it launched have warmed up in service. It keeps the minimum
    healthy percentage of the desired capacity, rounded up, but replaces one member at a time at
    least. With a minimum of 100 or a maximum above it, its own or the group's maintenance policy's,
    new members are launched before others go. Whether the group may exceed its maximum size then is
    open; where it may not, one member goes first.

    `started` and `ended` are seconds since 1970. Source: EC2 Auto Scaling user guide, "How an
    instance refresh works".
    """

    group: FakeAutoScalingGroup
    preferences: Mapping[str, Any]
    started: float
    old: list[InstanceState]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = PENDING
    ended: float | None = None

    @property
    def is_active(self) -> bool:
        """Return whether it is not over."""
        return self.status in (PENDING, IN_PROGRESS)

    @property
    def left(self) -> list[InstanceState]:
        """Return the members that are still to be replaced, the oldest first."""
        return [row for row in counted(self.group) if row in self.old]

    def end(self, status: str, moment: float) -> None:
        """Let it be over; what it launched beyond the group's size counts from now on."""
        self.status, self.ended = status, moment
        for state in extra(self.group):
            EXTRA[state] = False
        settle(self.group)

    def step(self, aws: Emulation) -> None:
        """Replace as many members as may be replaced now."""
        now = aws.clock.now()
        self.status = IN_PROGRESS
        if not exists(self.group):
            self.status, self.ended = CANCELLED, aws.clock.calendar()
        elif not self.left and len(self._ready(now)) >= self._desired and not extra(self.group):
            self.end(SUCCESSFUL, aws.clock.calendar())
        elif self._launches_first(aws):
            self._launch_then_replace(aws, now)
        else:
            self._replace(aws, self._may_go(now))

    @property
    def _desired(self) -> int:
        return self.group.desired_capacity or 0

    @property
    def _policy(self) -> dict[str, int]:
        """Return the percentages: its own ones, else the group's, else the usual ones."""
        usual = {"MinHealthyPercentage": _USUAL_MINIMUM, "MaxHealthyPercentage": _ALL}
        own = {name: int(self.preferences[name]) for name in usual if name in self.preferences}
        return {**usual, **policy_of(self.group), **own}

    @property
    def _minimum(self) -> int:
        return self._policy["MinHealthyPercentage"]

    def _launches_first(self, aws: Emulation) -> bool:
        under_way = bool(extra(self.group))
        return under_way or may_launch_first(self.group, aws.readings, self._policy)

    def _ready(self, now: float) -> list[InstanceState]:
        usual = DEFAULT_WARMUP[self.group] or self.group.health_check_grace_period or 0
        warmup = float(self.preferences.get("InstanceWarmup", usual))
        return [
            row
            for row in in_service(self.group)
            if row in self.old or now >= IN_SERVICE_SINCE[row] + warmup
        ]

    def _may_go(self, now: float) -> int:
        ready = len(self._ready(now))
        keep = math.ceil(self._desired * self._minimum / _ALL)
        return max(ready - keep, 1 if ready >= self._desired else 0)

    def _launch_then_replace(self, aws: Emulation, now: float) -> None:
        for state in extra(self.group):
            if state in self._ready(now):
                EXTRA[state] = False
                self._replace(aws, 1)
        if not extra(self.group) and len(self._ready(now)) >= self._desired:
            for state in self.left[: most_at_once(self.group, self._policy)]:
                launch_instead(aws, state)

    def _replace(self, aws: Emulation, count: int) -> None:
        for state in self.left[:count]:
            replace(aws, state, cause=CAUSE)
