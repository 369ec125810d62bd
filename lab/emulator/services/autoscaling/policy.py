"""An instance maintenance policy: between which capacities a group replaces its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.readings import LaunchFirst
from lab.emulator.services.autoscaling.kept import MAINTENANCE_POLICY
from lab.emulator.services.autoscaling.members import counted
from lab.emulator.services.autoscaling.requests import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.autoscaling.models import FakeAutoScalingGroup

    from lab.emulator.readings import Readings

ALL = 100
_MOST = 200
_CLEARED = -1
_MIN, _MAX = "MinHealthyPercentage", "MaxHealthyPercentage"


def policy_of(group: FakeAutoScalingGroup) -> Mapping[str, int]:
    """Return the minimum and the maximum healthy percentage; nothing if the group has no policy."""
    percentages = {name: int(value) for name, value in MAINTENANCE_POLICY[group].items()}
    return {} if _CLEARED in percentages.values() else percentages


def check_policy(given: Mapping[str, Any]) -> None:
    """Refuse a policy that is out of bounds (API reference, InstanceMaintenancePolicy)."""
    low, high = (int(given[name]) if name in given else None for name in (_MIN, _MAX))
    if low is None or high is None:
        refuse(f"{_MIN} and {_MAX} must both be specified")
    if low == high == _CLEARED:
        return
    if not (0 <= low <= ALL <= high <= _MOST and high - low <= ALL):
        refuse(f"{_MIN} must be 0 to 100, {_MAX} 100 to 200, and the difference 100 at most")


def may_launch_first(
    group: FakeAutoScalingGroup, readings: Readings, policy: Mapping[str, int] | None = None
) -> bool:
    """Return whether a member's replacement may come before the member goes.

    By the group's policy, or another one. Whether the maximum size forbids it is open.
    """
    wanted = policy_of(group) if policy is None else policy
    room = len(counted(group)) < (group.max_size or 0)
    return wants_launch_first(wanted) and (
        room or readings.launch_first is LaunchFirst.BEYOND_THE_MAXIMUM
    )


def wants_launch_first(policy: Mapping[str, int]) -> bool:
    """Return whether a policy wants to keep all healthy, or lets there be more than all."""
    return policy.get(_MIN, 0) == ALL or policy.get(_MAX, ALL) > ALL


def most_at_once(group: FakeAutoScalingGroup, policy: Mapping[str, int]) -> int:
    """Return how many replacements a policy lets come first at the same time: one at least."""
    desired = group.desired_capacity or 0
    return max(desired * policy.get(_MAX, ALL) // ALL - desired, 1)
