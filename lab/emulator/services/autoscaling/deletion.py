"""When a group may be deleted."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.members import groups_of
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.services.autoscaling.terminations import (
    ASKED,
    ENDED,
    TerminationsTakeTime,
    terminate,
)
from lab.emulator.services.autoscaling.waits import TERMINATING, end_wait, wait_of
from lab.emulator.side_tables import Attribute
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

    from lab.emulator.journal import Entry

DELETED = "Delete in progress"
"""What a group's status says while it is being deleted, and at no other time."""

STATUS: Attribute[FakeAutoScalingGroup, str | None] = Attribute("status", None)


class DeletionNeedsAnEmptyGroup(Behaviour):
    """A group with members is not deleted (ResourceInUse), unless the deletion is forced.

    A forced one deletes outstanding lifecycle actions, runs no hooks, and shows the group as being
    deleted until its members are gone.
    CloudFormation scales the group in, which runs the hooks, and waits for hours. It hangs on
    members that are protected from scale-in or in standby, and on all of them while Terminate is
    suspended: then the deletion of the stack fails. moto deletes the group, and leaves such members
    running.
    """

    source = (
        "EC2 Auto Scaling API reference, DeleteAutoScalingGroup and AutoScalingGroup.Status; user"
        " guide, 'Amazon EC2 Auto Scaling lifecycle hooks'; CloudFormation's resource schema"
        " of AWS::AutoScaling::AutoScalingGroup; github.com/aws/aws-cdk/issues/18179;"
        " github.com/buildkite/elastic-ci-stack-for-aws/issues/927"
    )
    after = (TerminationsTakeTime,)

    def install(self, patches: Patches) -> None:
        """Wait until a group is empty before moto deletes it for a stack; ask before for others."""
        self._request = AutoScalingResponse.delete_auto_scaling_group
        patches.method(FakeAutoScalingGroup, "delete", self._delete)
        patches.method(AutoScalingResponse, "delete_auto_scaling_group", self._asked)
        self._aws.journal.listen(self._heard)

    def _delete(self, group: FakeAutoScalingGroup, *_: str) -> None:
        group.min_size = 0
        group.set_desired_capacity(0)
        limit = delays.GROUP_DELETION_LIMIT.high
        self._aws.clock.wait_until(lambda: not group.instance_states, limit)
        _refuse_unless_empty(group)
        group.autoscaling_backend.delete_auto_scaling_group(group.name)

    def _asked(self, response: AutoScalingResponse) -> ActionResult:
        group = group_of(response)
        if not group.instance_states:
            return self._request(response)
        if str(response._get_param("ForceDelete")).lower() != "true":
            _refuse_unless_empty(group)
        self._force(group)
        return EmptyResult()

    def _force(self, group: FakeAutoScalingGroup) -> None:
        STATUS[group] = DELETED
        group.min_size = group.desired_capacity = 0
        for state in list(group.instance_states):
            if (wait := wait_of(state)) and wait.transition == TERMINATING:
                end_wait(state)
                wait.proceed()
            terminate(self._aws, state, cause=ASKED, hooks=False)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == ENDED:
            for group in groups_of(self._aws):
                if STATUS[group] and not group.instance_states:
                    group.autoscaling_backend.delete_auto_scaling_group(group.name)


def _refuse_unless_empty(group: FakeAutoScalingGroup) -> None:
    if group.instance_states:
        message = (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
            " instance request(s) still in the group."
        )
        refuse(message, "ResourceInUse")
