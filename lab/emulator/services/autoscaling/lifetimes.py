"""How old a member of a group may become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import AutoScalingBackend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.bounds import GroupsHaveBounds
from lab.emulator.services.autoscaling.kept import MAX_LIFETIME
from lab.emulator.services.autoscaling.maintenance import replace_by_policy
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    IN_SERVICE_SINCE,
    exists,
    groups_of,
    in_service,
)

if TYPE_CHECKING:
    from typing import Any

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.journal import Entry

OUTLIVED = "the maximum instance lifetime"
"""The cause of a termination; AWS's own words are not published."""


class LifetimesAreLimited(Behaviour):
    """A member that was in service for the group's maximum instance lifetime is replaced.

    One at a time, and it is terminated before its replacement is launched, unless the group's
    maintenance policy wants it the other way. moto drops the setting.
    """

    source = "EC2 Auto Scaling user guide, 'Replace instances based on maximum instance lifetime'"
    after = (GroupsHaveBounds,)

    def install(self, patches: Patches) -> None:
        """Look when a member's time is up, and when the limit was changed."""
        self._update = AutoScalingBackend.update_auto_scaling_group
        patches.method(AutoScalingBackend, "update_auto_scaling_group", self._updated)
        self._aws.journal.listen(self._heard)

    def _updated(self, backend: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:  # noqa: ANN401 - passed on
        group = self._update(backend, **given)
        self._watch(group)
        return group

    def _heard(self, entry: Entry) -> None:
        if entry.kind == ENTERED:
            for group in groups_of(self._aws):
                self._watch(group)

    def _watch(self, group: FakeAutoScalingGroup) -> None:
        clock = self._aws.clock
        for state in in_service(group) if _lifetime(group) else []:
            clock.at(max(clock.now(), _ends(state)), lambda: self._look(group))

    def _look(self, group: FakeAutoScalingGroup) -> None:
        members = in_service(group) if exists(group) and _lifetime(group) else []
        old = [row for row in members if self._aws.clock.now() >= _ends(row)]
        if old and len(members) >= (group.desired_capacity or 0):
            replace_by_policy(self._aws, old[0], cause=OUTLIVED)


def _lifetime(group: FakeAutoScalingGroup) -> float:
    return float(MAX_LIFETIME[group])


def _ends(state: InstanceState) -> float:
    return IN_SERVICE_SINCE[state] + _lifetime(state.auto_scaling_group)
