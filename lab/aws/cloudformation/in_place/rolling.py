"""Rolling updates: CloudFormation replaces the instances of a group batch by batch.

What it says meanwhile is what AWS's stack events say.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from lab import delays
from lab.aws.autoscaling.members import counted, in_service
from lab.aws.autoscaling.replacement import replace
from lab.aws.autoscaling.terminations import ASKED
from lab.aws.cloudformation.schemas import changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.aws.cloudformation.in_place.update import Update

_POLICY = "AutoScalingRollingUpdate"
_KNOWN = {"MinInstancesInService", "MaxBatchSize", "PauseTime", "SuspendProcesses"}
_CAUSES = frozenset({"LaunchConfigurationName", "LaunchTemplate", "VPCZoneIdentifier"})
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """How a template wants a group updated; the pause is in seconds."""

    at_least: int
    batch: int
    pause: float
    suspended: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read the update policy; what is not said is as AWS has it.

        Raises:
            NotImplementedError: the policy wants what the lab cannot do.

        """
        if unknown := {name for name, value in given.items() if value} - _KNOWN:
            message = f"the lab cannot do what {_POLICY} says of {', '.join(sorted(unknown))}"
            raise NotImplementedError(message)
        return cls(
            at_least=int(given.get("MinInstancesInService", 0)),
            batch=int(given.get("MaxBatchSize", 1)),
            pause=_seconds(given.get("PauseTime", "PT0S")),
            suspended=tuple(given.get("SuspendProcesses", ())),
        )


def rolling_policy(update: Update) -> Rolling | None:
    """Return how an update of a group replaces its instances; None where it does not.

    CloudFormation user guide, 'UpdatePolicy attribute': it does when the launch configuration, the
    launch template or the subnets change.

    Raises:
        NotImplementedError: the update policy replaces the whole group, or wants what the lab
            cannot do.

    """
    policy = update.wanted.body.get("UpdatePolicy", {})
    if "AutoScalingReplacingUpdate" in policy:
        message = "the lab cannot replace a whole group, as AutoScalingReplacingUpdate wants"
        raise NotImplementedError(message)
    replaces = changed(update.old, update.new) & _CAUSES
    return Rolling.of(policy[_POLICY]) if replaces and _POLICY in policy else None


def update_in_batches(update: Update, policy: Rolling, obsolete: Sequence[InstanceState]) -> None:
    """Terminate so many at a time, wait for what the group launches instead, pause, go on.

    Raises:
        ValueError: the policy leaves nothing to terminate.
        RuntimeError: the group does not launch what it should.

    """
    group: FakeAutoScalingGroup = update.there.resource
    if policy.at_least >= (group.max_size or 0):
        message = "MinInstancesInService must be less than the autoscaling group's MaxSize"
        raise ValueError(message)
    size = min(policy.batch, max((group.desired_capacity or 0) - policy.at_least, 1))
    before = group.min_size, group.desired_capacity
    update.say(
        f"Rolling update initiated. Terminating {len(obsolete)} obsolete instance(s) in batches of"
        f" {size}, while keeping at least {policy.at_least} instance(s) in service."
    )
    with _suspended(update, policy.suspended):
        _make_room(update, policy.at_least + size)
        for first in range(0, len(obsolete), size):
            _replace(update, obsolete[first : first + size])
            update.aws.clock.pass_time(policy.pause)
        group.min_size = before[0]
        group.set_desired_capacity(before[1])


@contextmanager
def _suspended(update: Update, processes: Sequence[str]) -> Iterator[None]:
    """Suspend processes of the group meanwhile, but for those that somebody suspended already."""
    already = {row["ProcessName"] for row in update.there.resource.suspended_processes}
    names = [name for name in processes if name not in already]
    autoscaling = update.client("autoscaling")
    if names:
        autoscaling.suspend_processes(AutoScalingGroupName=update.id, ScalingProcesses=names)
    try:
        yield
    finally:
        if names:
            autoscaling.resume_processes(AutoScalingGroupName=update.id, ScalingProcesses=names)


def _make_room(update: Update, wanted: int) -> None:
    """Let the group have enough instances for a batch to go and the rest to serve."""
    group = update.there.resource
    if group.desired_capacity < wanted:
        update.say(
            f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {wanted}."
        )
        group.min_size = wanted
        group.set_desired_capacity(wanted)
        _stabilize(update, [])


def _replace(update: Update, batch: Sequence[InstanceState]) -> None:
    ids = ", ".join(state.instance.id for state in batch)
    update.say(f"Terminating instance(s) [{ids}]; replacing with {len(batch)} new instance(s).")
    for state in batch:
        if state in counted(update.there.resource):
            replace(update.aws, state, cause=ASKED)
    _stabilize(update, batch)
    update.say(f"Successfully terminated instance(s) [{ids}].")


def _stabilize(update: Update, gone: Sequence[InstanceState]) -> None:
    group = update.there.resource

    def stable() -> bool:
        serves = len(in_service(group)) >= group.desired_capacity
        return serves and not any(state in group.instance_states for state in gone)

    if not update.aws.clock.wait_until(stable, delays.STABILIZATION_LIMIT.high):
        message = f"Group did not stabilize: {group.desired_capacity} instances wanted in service"
        raise RuntimeError(message)


def _seconds(duration: str) -> float:
    match = _DURATION.fullmatch(duration)
    if not match:
        message = f"PauseTime {duration!r} is no duration such as PT5M"
        raise ValueError(message)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
