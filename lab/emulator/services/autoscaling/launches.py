"""Where a group launches, and how long it takes."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.readings import AbandonedLaunch
from lab.emulator.services.autoscaling.activities import LAUNCH, LAUNCH_ERROR, Activity, tell
from lab.emulator.services.autoscaling.hooks import LifecycleHooksHold
from lab.emulator.services.autoscaling.members import (
    ABANDONED_LAUNCHES,
    ALIVE,
    AVOIDED_ZONES,
    ENTERED,
    IN_SERVICE,
    IN_SERVICE_SINCE,
    PENDING,
    REPLACED_NEXT,
    counted,
    in_service,
)
from lab.emulator.services.autoscaling.terminations import UNHEALTHY, terminate
from lab.emulator.services.autoscaling.waits import LAUNCHING, wait_for_hooks
from lab.emulator.services.cloudformation.signals import Awaited, awaited
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

WANTING = "an instance was started in response to a difference between desired and actual capacity"
"""The cause of a launch."""


@dataclass(frozen=True, slots=True)
class _Launch:
    """When a member's launch began, as a timestamp, and why, as a sentence."""

    started: str
    cause: str


_LAUNCHES: SideTable[InstanceState, _Launch] = SideTable()
"""How a member came to be launched."""


class SpreadsOverZones(Behaviour):
    """A group launches each instance in the zone that has the fewest of its instances.

    moto launches all of them in the group's first subnet.
    """

    source = "EC2 Auto Scaling user guide, 'Availability Zone distribution'"

    def install(self, patches: Patches) -> None:
        """Launch one by one, each time with the emptiest zone's subnet in front."""
        self._launch = FakeAutoScalingGroup.replace_autoscaling_group_instances
        owner = FakeAutoScalingGroup
        patches.method(owner, "replace_autoscaling_group_instances", self._launch_spread)

    def _launch_spread(self, group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
        given = group.vpc_zone_identifier
        for _ in range(count):
            group.vpc_zone_identifier = ",".join(emptiest_first(group)) or given
            try:
                self._launch(group, 1, tags)
            finally:
                group.vpc_zone_identifier = given


def emptiest_first(group: FakeAutoScalingGroup) -> list[str]:
    """Return the group's subnets as it prefers them, those of zones that it avoids last."""
    subnets = (group.vpc_zone_identifier or "").split(",") if group.vpc_zone_identifier else []
    staying = [row for row in counted(group) if row is not REPLACED_NEXT[group]]
    members = Counter(state.availability_zone for state in staying)
    avoided = AVOIDED_ZONES[group]
    zone_of = {subnet: group.ec2_backend.get_subnet(subnet).availability_zone for subnet in subnets}

    def rank(subnet: str) -> tuple[bool, int, str]:
        zone = zone_of[subnet]
        return zone in avoided, members[zone], zone

    return sorted(subnets, key=rank)


class LaunchesTakeTime(Behaviour):
    """An instance is Pending until its launch activity ends; then it is InService.

    And the LAUNCH notification goes out, and an event. With a launch hook, the activity ends after
    the hook. moto's instances are InService at once, and nobody is told.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Instance lifecycle', 'SNS notification options' and"
        " 'Event reference'"
    )

    def install(self, patches: Patches) -> None:
        """Start each member Pending and put the rest of its launch on the timeline."""
        self._init = InstanceState.__init__
        patches.method(InstanceState, "__init__", self._begin)
        patches.method(FakeAutoScalingGroup, "active_instances", counted)

    def _begin(self, state: InstanceState, *args: Any, **kwargs: Any) -> None:
        self._init(state, *args, **kwargs)
        state.lifecycle_state = "Pending"
        clock, group = self._aws.clock, state.auto_scaling_group
        had = len([row for row in counted(group) if row is not state])
        cause = f"{WANTING}, increasing the capacity from {had} to {had + 1}."
        _LAUNCHES[state] = _Launch(clock.timestamp(), cause)
        what = f"launches {state.instance.id} in {state.availability_zone}"
        self._aws.journal.note(Who.AUTO_SCALING, "launching", what, instance=state.instance.id)
        end = clock.now() + clock.draw(delays.LAUNCH)
        clock.after(delays.LAUNCH_HOOK, lambda: self._go_on(state, end))

    def _go_on(self, state: InstanceState, end: float) -> None:
        if state.lifecycle_state != "Pending":
            return  # it is being terminated already
        clock = self._aws.clock

        def proceed() -> None:
            clock.after(delays.LAUNCH_PROCEEDS, lambda: _enter_service(self._aws, state))

        def abandon(why: str) -> None:
            _tell(self._aws, state, LAUNCH_ERROR, status="Cancelled", reason=why)
            ABANDONED_LAUNCHES[state.auto_scaling_group].append(why)
            cause = "an abandoned lifecycle action"
            terminate(self._aws, state, cause=cause, hooks=False)

        if not wait_for_hooks(self._aws, state, LAUNCHING, proceed=proceed, abandon=abandon):
            clock.at(end, lambda: _enter_service(self._aws, state))


def _enter_service(aws: Emulation, state: InstanceState) -> None:
    alive = state.instance.state in ALIVE
    if state.lifecycle_state == "Pending:Proceed" and not alive:
        terminate(aws, state, cause=UNHEALTHY)  # not noticed before: a hook held it
    elif state.lifecycle_state in PENDING and alive:
        state.lifecycle_state = IN_SERVICE
        IN_SERVICE_SINCE[state] = aws.clock.now()
        _tell(aws, state, LAUNCH)
        what = f"{state.instance.id} is in service"
        aws.journal.note(Who.AUTO_SCALING, ENTERED, what, instance=state.instance.id)


def _tell(aws: Emulation, state: InstanceState, event: str, **failure: str) -> None:
    launch = _LAUNCHES[state]
    activity = Activity(
        event=event,
        started=launch.started,
        cause=launch.cause,
        zone=state.availability_zone or "",
        subnet=state.instance.subnet_id or "",
        instance=state.instance.id,
        **failure,
    )
    tell(aws, state.auto_scaling_group, activity)


class GroupsStabilize(Behaviour):
    """CloudFormation waits until a new group has its desired number of instances in service.

    With a creation policy, also for its signals, no longer than the policy says. If it does not get
    them, the group's creation fails. Whether an abandoned launch fails it at once is open. moto
    does not wait.
    """

    source = (
        "CloudFormation template reference, 'CreationPolicy attribute'; CloudFormation's error"
        " 'Group did not stabilize', in public issue reports"
    )
    after = (LifecycleHooksHold,)

    def install(self, patches: Patches) -> None:
        """Wait after creation."""
        patches.creation(FakeAutoScalingGroup, after=self._wait)

    def _wait(self, group: FakeAutoScalingGroup, _: dict[str, Any]) -> None:
        signals = awaited()
        limit = signals.timeout if signals else delays.STABILIZATION_LIMIT.high

        def over() -> bool:
            stable = _has_its_size(group) and not (signals and signals.lacking)
            return stable or bool(self._failure(group, signals))

        self._aws.clock.wait_until(over, limit)
        if failure := self._failure(group, signals):
            raise RuntimeError(failure)
        if signals and signals.lacking:
            raise RuntimeError(signals.refusal)
        if not _has_its_size(group):
            message = (
                f"Group did not stabilize: {len(in_service(group))} of {group.desired_capacity}"
                " instances in service"
            )
            raise RuntimeError(message)

    def _failure(self, group: FakeAutoScalingGroup, signals: Awaited | None) -> str:
        """Return what makes it pointless to wait any longer."""
        if signals and signals.signals.failed:
            return signals.refusal
        fails = self._aws.readings.abandoned_launch is AbandonedLaunch.FAILS_THE_CREATION
        abandoned = ABANDONED_LAUNCHES[group] if fails else []
        last = "Group did not stabilize. The last scaling activity: "
        return last + abandoned[-1] if abandoned else ""


def _has_its_size(group: FakeAutoScalingGroup) -> bool:
    return len(in_service(group)) >= (group.desired_capacity or 0)
