"""What a group does when a launch fails."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.exceptions import EC2ClientError

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.activities import LAUNCH_ERROR, Activity, tell
from lab.emulator.services.autoscaling.images import UNRESOLVED
from lab.emulator.services.autoscaling.kept import ZONE_DISTRIBUTION
from lab.emulator.services.autoscaling.launches import WANTING, SpreadsOverZones, emptiest_first
from lab.emulator.services.autoscaling.members import (
    AVOIDED_ZONES,
    FAILING_LAUNCHES,
    counted,
    settle,
)
from lab.emulator.services.ec2.capacity import NO_CAPACITY
from lab.emulator.time import delays

BALANCED_ONLY = "balanced-only"

_WHY = {NO_CAPACITY: "no capacity", UNRESOLVED: "no image"}
"""Why EC2 refuses launches that a group tries again, by the code of its error."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A launch in a zone; `tried` are the zones tried so far, with this one."""

    group: FakeAutoScalingGroup
    zone: str
    subnet: str
    tried: frozenset[str]
    started: str


class FailedLaunchesAreRetried(Behaviour):
    """A launch for which EC2 has no capacity or no image ends in LAUNCH_ERROR, and is tried again.

    In another zone first, until it has tried each one, unless its zones are `balanced-only`: then
    it goes on trying in the zone that lacks an instance. In moto a failed launch fails the request
    that led to it.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Auto Scaling group Availability Zone distribution' and"
        " 'Troubleshoot Amazon EC2 Auto Scaling: EC2 instance launch failures'"
    )
    after = (SpreadsOverZones,)

    def install(self, patches: Patches) -> None:
        """Try each launch."""
        owner = FakeAutoScalingGroup
        self._launch = owner.replace_autoscaling_group_instances
        patches.method(owner, "replace_autoscaling_group_instances", self._launch_all)

    def _launch_all(self, group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
        del tags  # each attempt takes the group's tags of its own time
        for _ in range(count):
            self._attempt(group, frozenset())

    def _attempt(self, group: FakeAutoScalingGroup, tried: frozenset[str]) -> None:
        AVOIDED_ZONES[group] = tried
        zone, subnet = _next_place(group)
        attempt = _Attempt(group, zone, subnet, tried | {zone}, self._aws.clock.timestamp())
        try:
            self._launch(group, 1, group.get_propagated_tags())
        except EC2ClientError as error:
            if error.code not in _WHY:
                raise
            self._count(group, 1)
            self._aws.clock.after(delays.LAUNCH_FAILS, partial(self._failed, attempt, error))
        finally:
            AVOIDED_ZONES[group] = frozenset()

    def _failed(self, attempt: _Attempt, error: EC2ClientError) -> None:
        self._tell(attempt, error)
        group = attempt.group
        left = set(group.availability_zones) - attempt.tried
        if left and _strategy(group) != BALANCED_ONLY and _is_wanting(group):
            self._count(group, -1)
            self._attempt(group, attempt.tried)
        else:
            self._aws.clock.after(delays.LAUNCH_RETRY, lambda: self._again(group))

    def _again(self, group: FakeAutoScalingGroup) -> None:
        self._count(group, -1)
        settle(group)

    def _tell(self, attempt: _Attempt, error: EC2ClientError) -> None:
        what = f"cannot launch in {attempt.zone}: {_WHY[error.code]}"
        self._aws.journal.note(Who.AUTO_SCALING, "launch failed", what, zone=attempt.zone)
        activity = Activity(
            event=LAUNCH_ERROR,
            started=attempt.started,
            cause=f"{WANTING}.",
            zone=attempt.zone,
            subnet=attempt.subnet,
            status="Failed",
            reason=f"{error.message} Launching EC2 instance failed.",
        )
        tell(self._aws, attempt.group, activity)

    @staticmethod
    def _count(group: FakeAutoScalingGroup, change: int) -> None:
        """Keep count of the launches that failed and are still to be tried again."""
        FAILING_LAUNCHES[group] += change


def _next_place(group: FakeAutoScalingGroup) -> tuple[str, str]:
    """Return the zone and the subnet in which a group launches next."""
    subnet = next(iter(emptiest_first(group)), "")
    zone = group.ec2_backend.get_subnet(subnet).availability_zone if subnet else ""
    return zone, subnet


def _strategy(group: FakeAutoScalingGroup) -> str:
    return ZONE_DISTRIBUTION[group].get("CapacityDistributionStrategy", "balanced-best-effort")


def _is_wanting(group: FakeAutoScalingGroup) -> bool:
    return len(counted(group)) < (group.desired_capacity or 0)
