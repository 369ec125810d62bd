"""What a group notices, how it terminates, and when it fills the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    TerminateInstanceActivity,
)
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend

from lab import delays
from lab.aws.autoscaling.launches import ALIVE, COUNTED
from lab.aws.autoscaling.notifications import TERMINATE, publish_activity
from lab.aws.behaviour import Behaviour, Emulation, Patches
from lab.journal import Who

if TYPE_CHECKING:
    from collections.abc import Iterator


class TerminationsTakeTime(Behaviour):
    """A member is Terminating until its termination activity ends; then TERMINATE goes out.

    Only then does the group launch what it lacks. CloudFormation deletes a group when its last
    member is gone. moto's members vanish at once, unannounced, and are replaced at once.
    """

    source = "EC2 Auto Scaling user guide, 'Instance lifecycle' and 'SNS notification options'"

    def install(self, patches: Patches) -> None:
        """Replace scaling in, and the API that terminates a member."""
        self._moto_delete = FakeAutoScalingGroup.delete
        patches.method(FakeAutoScalingGroup, "set_desired_capacity", self._set_desired_capacity)
        patches.method(FakeAutoScalingGroup, "delete", self._delete_when_empty)
        patches.method(AutoScalingBackend, "terminate_instance", self._terminate_instance)

    def _set_desired_capacity(self, group: FakeAutoScalingGroup, capacity: int | None) -> None:
        group.desired_capacity = group.min_size if capacity is None else capacity
        members = group.active_instances()
        lacking = (group.desired_capacity or 0) - len(members)
        if lacking > 0:
            group.replace_autoscaling_group_instances(lacking, group.get_propagated_tags())
        surplus = [row for row in members if not row.protected_from_scale_in]
        for state in surplus[: max(-lacking, 0)]:
            terminate(self._aws, state, cause="a lower desired capacity")

    def _terminate_instance(
        self, backend: AutoScalingBackend, instance_id: str, should_decrement: object
    ) -> TerminateInstanceActivity:
        state = next(row for row in members_of(backend) if row.instance.id == instance_id)
        capacity = state.auto_scaling_group.desired_capacity
        if should_decrement:
            state.auto_scaling_group.desired_capacity -= 1
        terminate(self._aws, state, cause="a user request")
        return TerminateInstanceActivity(state.instance, capacity)

    def _delete_when_empty(self, group: FakeAutoScalingGroup, *where: str) -> None:
        group.set_desired_capacity(0)
        limit = delays.STABILIZATION_LIMIT.high
        self._aws.clock.wait_until(lambda: not group.instance_states, limit)
        self._moto_delete(group, *where)


class ReplacesTheDead(Behaviour):
    """A group notices after a while that a member was stopped or terminated, and replaces it.

    It terminates first and launches then. moto replaces a terminated member within the same call,
    unannounced, and does not notice a stopped one.
    """

    source = "EC2 Auto Scaling user guide, 'Health checks for instances'"

    def install(self, patches: Patches) -> None:
        """Look at each instance that was ended, after the delay."""
        self._stop = EC2Backend.stop_instances
        patches.method(AutoScalingBackend, "notify_terminate_instances", self._ended)
        patches.method(EC2Backend, "stop_instances", self._stop_instances)

    def _ended(self, backend: AutoScalingBackend, instance_ids: list[str]) -> None:
        self._aws.clock.after(delays.GROUP_NOTICES, lambda: self._notice(backend, instance_ids))

    def _stop_instances(self, ec2: EC2Backend, instance_ids: list[str]) -> list[tuple[Any, Any]]:
        stopped: list[tuple[Any, Any]] = self._stop(ec2, instance_ids)
        groups = (vars(instance).get("autoscaling_group") for instance, _ in stopped)
        for backend in {group.autoscaling_backend for group in groups if group}:
            self._ended(backend, instance_ids)
        return stopped

    def _notice(self, backend: AutoScalingBackend, instance_ids: list[str]) -> None:
        for state in list(members_of(backend)):
            gone = state.instance.id in instance_ids and state.instance.state not in ALIVE
            if gone and state.lifecycle_state in COUNTED:
                state.health_status = "Unhealthy"
                what = f"notices that {state.instance.id} is {state.instance.state}"
                self._aws.journal.note(Who.AUTO_SCALING, "noticed", what)
                terminate(self._aws, state, cause="an EC2 health check")


def members_of(backend: AutoScalingBackend) -> Iterator[InstanceState]:
    """Yield the members of all groups."""
    for group in backend.autoscaling_groups.values():
        yield from group.instance_states


def terminate(aws: Emulation, state: InstanceState, *, cause: str) -> None:
    """Start a termination activity; its end tells the topics and fills the gap."""
    group: FakeAutoScalingGroup = state.auto_scaling_group
    started = utcnow()
    state.lifecycle_state = "Terminating"
    # A stopped instance is terminated too; one that is shutting down already is left to it.
    if state.instance.state not in ("shutting-down", "terminated"):
        group.ec2_backend.terminate_instances([state.instance.id])
        delay = delays.TERMINATION_OF_THE_LIVING
    else:
        delay = delays.TERMINATION_OF_THE_DEAD

    def end() -> None:
        group.instance_states = [row for row in group.instance_states if row is not state]
        words = f"instance {state.instance.id} was taken out of service in response to {cause}."
        publish_activity(aws, state, TERMINATE, cause=words, started=started)
        if group.autoscaling_backend.autoscaling_groups.get(group.name) is group:
            group.set_desired_capacity(group.desired_capacity)

    aws.clock.after(delay, end)
