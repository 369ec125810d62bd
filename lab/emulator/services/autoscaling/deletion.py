"""When a group may be deleted."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.services.autoscaling.terminations import TerminationsTakeTime
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.core.responses import ActionResult


class DeletionNeedsAnEmptyGroup(Behaviour):
    """A group with members is not deleted (ResourceInUse), unless the deletion is forced.

    CloudFormation scales the group in and waits for hours. It waits in vain for members that are
    protected from scale-in or in standby, and for all of them while Terminate is suspended: then
    the deletion of the stack fails. moto deletes the group, and leaves such members running.
    """

    source = (
        "EC2 Auto Scaling API reference, DeleteAutoScalingGroup; CloudFormation's resource schema"
        " of AWS::AutoScaling::AutoScalingGroup; github.com/aws/aws-cdk/issues/18179;"
        " github.com/buildkite/elastic-ci-stack-for-aws/issues/927"
    )
    after = (TerminationsTakeTime,)

    def install(self, patches: Patches) -> None:
        """Wait until a group is empty before moto deletes it for a stack; ask before for others."""
        self._request = AutoScalingResponse.delete_auto_scaling_group
        patches.method(FakeAutoScalingGroup, "delete", self._delete)
        patches.method(AutoScalingResponse, "delete_auto_scaling_group", self._asked)

    def _delete(self, group: FakeAutoScalingGroup, *_: str) -> None:
        group.set_desired_capacity(0)
        limit = delays.GROUP_DELETION_LIMIT.high
        self._aws.clock.wait_until(lambda: not group.instance_states, limit)
        _refuse_unless_empty(group)
        group.autoscaling_backend.delete_auto_scaling_group(group.name)

    def _asked(self, response: AutoScalingResponse) -> ActionResult:
        if str(response._get_param("ForceDelete")).lower() != "true":
            _refuse_unless_empty(group_of(response))
        return self._request(response)


def _refuse_unless_empty(group: FakeAutoScalingGroup) -> None:
    if group.instance_states:
        message = (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
            " instance request(s) still in the group."
        )
        refuse(message, "ResourceInUse")
