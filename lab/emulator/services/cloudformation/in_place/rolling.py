"""Rolling updates: CloudFormation replaces the instances of a group batch by batch.

What it says meanwhile is what AWS's stack events say.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from lab.emulator.readings import HeldLaunch, MovedSubnets, RolledBackTemplate
from lab.emulator.services.autoscaling.members import counted, in_service
from lab.emulator.services.autoscaling.replacement import has_current_content, is_current, replace
from lab.emulator.services.autoscaling.terminations import ASKED
from lab.emulator.services.cloudformation.schemas import changed
from lab.emulator.services.cloudformation.signals import seconds
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.services.cloudformation.in_place.update import Update

_POLICY = "AutoScalingRollingUpdate"
_KNOWN = {
    "MinInstancesInService",
    "MaxBatchSize",
    "MinSuccessfulInstancesPercent",
    "PauseTime",
    "SuspendProcesses",
    "WaitOnResourceSignals",
}
_ALL = 100
_CAUSES = frozenset({"LaunchConfigurationName", "LaunchTemplate", "VPCZoneIdentifier"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """How a template wants a group updated; the pause is in seconds, `time` is as it is written.

    With signals it is how long one batch of them may take.
    """

    at_least: int
    batch: int
    pause: float
    time: str
    suspended: tuple[str, ...]
    signals: bool

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read the update policy; what is not said is as AWS has it.

        Raises:
            NotImplementedError: the policy wants what the lab cannot do.

        """
        if unknown := {name for name, value in given.items() if value} - _KNOWN:
            message = f"the lab cannot do what {_POLICY} says of {', '.join(sorted(unknown))}"
            raise NotImplementedError(message)
        if int(given.get("MinSuccessfulInstancesPercent", _ALL)) != _ALL:
            message = "the lab lets each new instance succeed, not a percentage of them"
            raise NotImplementedError(message)
        signals = str(given.get("WaitOnResourceSignals", False)).lower() == "true"
        time = str(given.get("PauseTime", "PT5M" if signals else "PT0S"))
        return cls(
            at_least=int(given.get("MinInstancesInService", 0)),
            batch=int(given.get("MaxBatchSize", 1)),
            pause=seconds(time),
            time=time,
            suspended=tuple(given.get("SuspendProcesses", ())),
            signals=signals,
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


def obsolete(update: Update) -> list[InstanceState]:
    """Return the members that a rolling update is to replace, now that the group is changed.

    Those that do not match what the group launches from, and those that its other subnets leave
    behind. What that means for a launch template that was rolled back, and for subnets, is open.
    """
    group: FakeAutoScalingGroup = update.there.resource
    readings = update.aws.readings
    subnets = set(update.new.get("VPCZoneIdentifier", []))
    moved = "VPCZoneIdentifier" in changed(update.old, update.new)
    same_content = readings.rolled_back_template is RolledBackTemplate.IS_THE_FORMER_ONE
    return [
        state
        for state in counted(group)
        if not (is_current(state) or (same_content and has_current_content(state)))
        or (moved and readings.moved_subnets is MovedSubnets.REPLACE_ALL)
        or (moved and state.instance.subnet_id not in subnets)
    ]


def update_in_batches(update: Update, policy: Rolling) -> None:
    """Terminate so many at a time, wait for what the group launches instead, go on.

    With signals it goes on when each new instance has sent one, and fails when one does not within
    the pause; without, it pauses. Whether it also waits for launches that a hook holds is open. For
    a termination that a hook holds it does not wait (github.com/awslabs/amazon-eks-ami/issues/66;
    github.com/buildkite/elastic-ci-stack-for-aws/issues/130). The
    oldest members go first, also when they are the only ones in service: that CloudFormation would
    spare them is not documented.

    Raises:
        ValueError: the policy leaves nothing to terminate.
        RuntimeError: the group does not launch what it should, or a signal does not come.

    """
    group: FakeAutoScalingGroup = update.there.resource
    if policy.at_least >= (group.max_size or 0):
        message = "MinInstancesInService must be less than the autoscaling group's MaxSize"
        raise ValueError(message)
    leaving = obsolete(update)
    size = min(policy.batch, max((group.desired_capacity or 0) - policy.at_least, 1))
    before = group.min_size, group.desired_capacity
    update.say(
        f"Rolling update initiated. Terminating {len(leaving)} obsolete instance(s) in batches of"
        f" {size}, while keeping at least {policy.at_least} instance(s) in service."
        + (f" Waiting on resource signals with a timeout of {policy.time}." * policy.signals)
    )
    with _suspended(update, policy.suspended):
        if leaving:
            _make_room(update, policy, policy.at_least + size)
        for first in range(0, len(leaving), size):
            _replace(update, policy, leaving[first : first + size])
        group.min_size = before[0]
        group.set_desired_capacity(before[1])


@contextmanager
def _suspended(update: Update, processes: Sequence[str]) -> Iterator[None]:
    """Suspend processes of the group meanwhile, except those that somebody suspended already."""
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


def _make_room(update: Update, policy: Rolling, wanted: int) -> None:
    """Let the group have enough instances for a batch to go and the rest to serve."""
    group = update.there.resource
    if group.desired_capacity < wanted:
        update.say(
            f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {wanted}."
        )
        added = wanted - group.desired_capacity
        group.min_size = wanted
        group.set_desired_capacity(wanted)
        _wait_for_new(update, policy, [None] * added)
        _stabilize(update, [])


def _replace(update: Update, policy: Rolling, batch: Sequence[InstanceState]) -> None:
    ids = ", ".join(state.instance.id for state in batch)
    update.say(f"Terminating instance(s) [{ids}]; replacing with {len(batch)} new instance(s).")
    for state in batch:
        if state in counted(update.there.resource):
            replace(update.aws, state, cause=ASKED)
    if not policy.signals and update.aws.readings.held_launch is HeldLaunch.IS_WAITED_FOR:
        _stabilize(update, batch)
    _wait_for_new(update, policy, batch)
    update.say(f"Successfully terminated instance(s) [{ids}].")


def _wait_for_new(update: Update, policy: Rolling, batch: Sequence[object]) -> None:
    """Wait for the signals of as many new instances, or pause."""
    clock, count = update.aws.clock, len(batch)
    if not policy.signals:
        clock.pass_time(policy.pause)
        return
    signals = update.signals()
    update.say(
        f"New instance(s) added to autoscaling group - Waiting on {count} resource signal(s) with a"
        f" timeout of {policy.time}."
    )
    clock.wait_until(lambda: signals.failed or signals.successes >= count, policy.pause)
    if signals.failed or signals.successes < count:
        message = (
            f"Failed to receive {count - signals.successes} resource signal(s) for the current"
            " batch. Each resource signal timeout is counted as a FAILURE."
        )
        raise RuntimeError(message)
    if update.aws.readings.held_launch is HeldLaunch.IS_WAITED_FOR:
        _stabilize(update, [])


def _stabilize(update: Update, gone: Sequence[InstanceState]) -> None:
    group = update.there.resource

    def stable() -> bool:
        serves = len(in_service(group)) >= group.desired_capacity
        return serves and not any(state in group.instance_states for state in gone)

    if not update.aws.clock.wait_until(stable, delays.STABILIZATION_LIMIT.high):
        message = f"Group did not stabilize: {group.desired_capacity} instances wanted in service"
        raise RuntimeError(message)
