"""Instances that are attached to a group, which did not launch them."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    IN_SERVICE,
    IN_SERVICE_SINCE,
    LAUNCHED_FROM,
    current_version,
    members_of,
)
from lab.emulator.services.autoscaling.requests import group_of, refuse

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

_JOIN = InstanceState.__init__
"""moto's own, as it is before behaviours let a launch follow from it: an attachment is none."""


class InstancesAreAttached(Behaviour):
    """A running instance that is in no group can be attached to one that has its zone.

    It is in service at once: its launch is over, so no launch hook holds it, and nothing of the
    launch template comes to it but the name. The desired capacity grows by it, and may not exceed
    the maximum size. That a notification goes out is not documented, and none does. moto takes
    every instance, and launches it anew.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Attach EC2 instances to your Auto Scaling group', with an"
        " example; the words of the refusal: github.com/LeanerCloud/AutoSpotting/issues/407; that"
        " no hook runs: issue 284 there"
    )

    def install(self, patches: Patches) -> None:
        """Look at instances and bounds before they join."""
        patches.method(AutoScalingResponse, "attach_instances", self._attach)

    def _attach(self, response: AutoScalingResponse) -> EmptyResult:
        group, named = group_of(response), response._get_param("InstanceIds", [])
        instances = [group.ec2_backend.get_instance(id_) for id_ in named]
        for instance in instances:
            _refuse_unless_fit(group, instance)
        if (group.desired_capacity or 0) + len(instances) > (group.max_size or 0):
            refuse(
                f"AutoScalingGroup {group.name} has min-size={group.min_size},"
                f" max-size={group.max_size}, and desired-size={group.desired_capacity}. To attach"
                f" {len(instances)} instance, please update the AutoScalingGroup sizes"
                " appropriately."
            )
        group.desired_capacity = (group.desired_capacity or 0) + len(instances)
        for instance in instances:
            self._join(group, instance)
        return EmptyResult()

    def _join(self, group: FakeAutoScalingGroup, instance: Instance) -> None:
        instance.autoscaling_group = group  # type: ignore[attr-defined]  # as moto's launches do
        state = InstanceState.__new__(InstanceState)
        _JOIN(state, instance, lifecycle_state=IN_SERVICE)
        if version := current_version(group):
            LAUNCHED_FROM[state] = version.template.id, int(version.number)
        IN_SERVICE_SINCE[state] = self._aws.clock.now()
        group.ec2_backend.create_tags([instance.id], {ASG_NAME_TAG: group.name})
        group.instance_states.append(state)
        what = f"{instance.id} is attached, and in service"
        self._aws.journal.note(Who.AUTO_SCALING, ENTERED, what, instance=instance.id)


def _refuse_unless_fit(group: FakeAutoScalingGroup, instance: Instance) -> None:
    """Refuse an instance that cannot be a member; AWS's words for it are not known."""
    backend = group.autoscaling_backend
    if any(state.instance is instance for state in members_of(backend)):
        refuse(f"Instance {instance.id} is a member of an Auto Scaling group already.")
    if instance.state != "running":
        refuse(f"Instance {instance.id} is {instance.state}, and not running.")
    if instance.availability_zone not in group.availability_zones:
        refuse(f"Instance {instance.id} is in none of the Availability Zones of {group.name}.")
