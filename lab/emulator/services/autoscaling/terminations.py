"""How a group terminates, and when it fills the gap."""

from __future__ import annotations

from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    TerminateInstanceActivity,
)

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.activities import TERMINATE, Activity, tell
from lab.emulator.services.autoscaling.members import (
    FAILING_LAUNCHES,
    extra,
    is_suspended,
    members_of,
    settle,
)
from lab.emulator.services.autoscaling.victims import next_victim
from lab.emulator.services.autoscaling.waits import TERMINATING, end_wait, wait_for_hooks
from lab.emulator.time import delays

UNHEALTHY = "an EC2 health check indicating it has been terminated or stopped"
UNWANTED = "a difference between desired and actual capacity"
ASKED = "a user request"
"""Causes of terminations, in Auto Scaling's words."""

LEAVES = "terminating"
"""The kind of the journal's entry that says that a termination activity has begun."""

ENDED = "left the group"
"""The kind of the journal's entry that says that a termination activity has ended."""


class TerminationsTakeTime(Behaviour):
    """A member is Terminating until its termination activity ends; then TERMINATE goes out.

    The group launches what it then lacks while the instance is terminating. CloudFormation deletes
    a group when its last member is gone. moto's members vanish at once, unannounced, and are
    replaced at once.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Instance lifecycle', 'SNS notification options' and"
        " 'Health checks for Auto Scaling instances'"
    )

    def install(self, patches: Patches) -> None:
        """Replace scaling in, and the API that terminates a member."""
        self._moto_delete = FakeAutoScalingGroup.delete
        patches.method(FakeAutoScalingGroup, "set_desired_capacity", self._set_desired_capacity)
        patches.method(FakeAutoScalingGroup, "delete", self._delete_when_empty)
        patches.method(AutoScalingBackend, "terminate_instance", self._terminate_instance)

    def _set_desired_capacity(self, group: FakeAutoScalingGroup, capacity: int | None) -> None:
        group.desired_capacity = group.min_size if capacity is None else capacity
        desired = group.desired_capacity or 0
        has = len(group.active_instances()) - len(extra(group))
        lacking = desired - has - FAILING_LAUNCHES[group]
        if lacking > 0 and not is_suspended(group, "Launch"):
            group.replace_autoscaling_group_instances(lacking, group.get_propagated_tags())
        if not is_suspended(group, "Terminate"):
            for has_now in range(has, desired, -1):
                if victim := next_victim(group):
                    shrinking = f"shrinking the capacity from {has_now} to {has_now - 1}"
                    terminate(self._aws, victim, cause=f"{UNWANTED}, {shrinking}")

    def _terminate_instance(
        self, backend: AutoScalingBackend, instance_id: str, should_decrement: object
    ) -> TerminateInstanceActivity:
        state = next(row for row in members_of(backend) if row.instance.id == instance_id)
        capacity = state.auto_scaling_group.desired_capacity
        if should_decrement:
            state.auto_scaling_group.desired_capacity -= 1
        terminate(self._aws, state, cause=ASKED)
        return TerminateInstanceActivity(state.instance, capacity)

    def _delete_when_empty(self, group: FakeAutoScalingGroup, *where: str) -> None:
        group.set_desired_capacity(0)
        limit = delays.STABILIZATION_LIMIT.high
        self._aws.clock.wait_until(lambda: not group.instance_states, limit)
        self._moto_delete(group, *where)


def terminate(aws: Emulation, state: InstanceState, *, cause: str, hooks: bool = True) -> None:
    """Start a termination activity, in response to a cause; the group fills the gap meanwhile.

    A member that is Terminating already stays so, until its hooks are done if it waits for them.
    """
    if state.lifecycle_state.startswith("Terminating"):
        return
    started = aws.clock.timestamp()
    words = f"instance {state.instance.id} was taken out of service in response to {cause}."
    what = f"terminates {state.instance.id} in response to {cause}"
    aws.journal.note(Who.AUTO_SCALING, LEAVES, what, instance=state.instance.id)
    end_wait(state)
    state.lifecycle_state = "Terminating"
    aws.clock.after(delays.REPLACEMENT, lambda: settle(state.auto_scaling_group))

    def end() -> None:
        _leave(aws, state, cause=words, started=started)

    def proceed() -> None:
        aws.clock.after(_ended_in(state), end)

    if not (hooks and wait_for_hooks(aws, state, TERMINATING, proceed=proceed)):
        proceed()


def _ended_in(state: InstanceState) -> delays.Delay:
    """End an instance, unless it is dying already; return how long the activity then takes."""
    # A stopped instance is terminated too; one that is shutting down already is left to it.
    if state.instance.state in ("shutting-down", "terminated"):
        return delays.TERMINATION_OF_THE_DEAD
    state.auto_scaling_group.ec2_backend.terminate_instances([state.instance.id])
    return delays.TERMINATION_OF_THE_LIVING


def _leave(aws: Emulation, state: InstanceState, *, cause: str, started: str) -> None:
    group = state.auto_scaling_group
    group.instance_states = [row for row in group.instance_states if row is not state]
    activity = Activity(
        event=TERMINATE,
        started=started,
        cause=cause,
        zone=state.availability_zone or "",
        subnet=state.instance.subnet_id or "",
        instance=state.instance.id,
    )
    tell(aws, group, activity)
    settle(group)
    what = f"{state.instance.id} has left its group"
    aws.journal.note(Who.AUTO_SCALING, ENDED, what, instance=state.instance.id)
