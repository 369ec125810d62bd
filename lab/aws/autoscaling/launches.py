"""Where a group launches, and how long it takes."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.core.utils import utcnow

from lab import delays
from lab.aws.autoscaling.notifications import LAUNCH, publish_activity
from lab.aws.behaviour import Behaviour, Patches
from lab.journal import Who

if TYPE_CHECKING:
    from datetime import datetime

COUNTED = ("Pending", "InService")
"""The lifecycle states that count towards the desired capacity."""

ALIVE = ("pending", "running")
"""The instance states with which EC2's health check is content."""


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
        for _ in range(count):
            if group.vpc_zone_identifier:
                group.vpc_zone_identifier = ",".join(_emptiest_first(group))
            self._launch(group, 1, tags)


def _emptiest_first(group: FakeAutoScalingGroup) -> list[str]:
    members = Counter(
        state.availability_zone
        for state in group.instance_states
        if state.lifecycle_state in COUNTED
    )
    subnets = (group.vpc_zone_identifier or "").split(",")
    zone_of = {subnet: group.ec2_backend.get_subnet(subnet).availability_zone for subnet in subnets}
    return sorted(subnets, key=lambda subnet: (members[zone_of[subnet]], zone_of[subnet]))


class LaunchesTakeTime(Behaviour):
    """An instance is Pending until its launch activity ends; then it is InService.

    And the LAUNCH notification goes out. moto's instances are InService at once, and nobody is
    told.
    """

    source = "EC2 Auto Scaling user guide, 'Instance lifecycle' and 'SNS notification options'"

    def install(self, patches: Patches) -> None:
        """Start each member Pending and put the end of its launch on the timeline."""
        self._init = InstanceState.__init__
        patches.method(InstanceState, "__init__", self._begin)
        patches.method(FakeAutoScalingGroup, "active_instances", self._counted)

    def _begin(self, state: InstanceState, *args: Any, **kwargs: Any) -> None:
        self._init(state, *args, **kwargs)
        state.lifecycle_state = "Pending"
        what = f"launches {state.instance.id} in {state.availability_zone}"
        self._aws.journal.note(Who.AUTO_SCALING, "launching", what, instance=state.instance.id)
        started = utcnow()
        self._aws.clock.after(delays.LAUNCH, lambda: self._end(state, started))

    def _end(self, state: InstanceState, started: datetime) -> None:
        if state.lifecycle_state == "Pending" and state.instance.state in ALIVE:
            state.lifecycle_state = "InService"
            cause = "an instance was started to reach the desired capacity."
            publish_activity(self._aws, state, LAUNCH, cause=cause, started=started)

    @staticmethod
    def _counted(group: FakeAutoScalingGroup) -> list[InstanceState]:
        return [row for row in group.instance_states if row.lifecycle_state in COUNTED]


class GroupsStabilize(Behaviour):
    """CloudFormation waits until a new group has its desired number of instances in service.

    If it does not get them, the group's creation fails. moto does not wait.
    """

    source = "CloudFormation's error 'Group did not stabilize', in public issue reports"

    def install(self, patches: Patches) -> None:
        """Wait after creation."""
        patches.creation(FakeAutoScalingGroup, after=self._wait)

    def _wait(self, group: FakeAutoScalingGroup, _: dict[str, Any]) -> None:
        wanted = group.desired_capacity or 0

        def in_service() -> int:
            return sum(row.lifecycle_state == "InService" for row in group.instance_states)

        limit = delays.STABILIZATION_LIMIT.high
        if not self._aws.clock.wait_until(lambda: in_service() >= wanted, limit):
            message = f"Group did not stabilize: {in_service()} of {wanted} instances in service"
            raise RuntimeError(message)
