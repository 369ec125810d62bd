"""How old a member of a group may become."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moto.autoscaling.models import AutoScalingBackend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.readings import LifetimeChange, LifetimePause
from lab.emulator.services.autoscaling.bounds import GroupsHaveBounds
from lab.emulator.services.autoscaling.kept import MAX_LIFETIME
from lab.emulator.services.autoscaling.maintenance import replace_by_policy
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    IN_SERVICE_SINCE,
    RESUMED,
    RETURNED,
    exists,
    groups_of,
    in_service,
    is_suspended,
)
from lab.emulator.services.autoscaling.terminations import ENDED, LEAVES
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from typing import Any

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.journal import Entry

OUTLIVED = "the maximum instance lifetime"
"""The cause of a termination; AWS's own words are not published."""

_OCCASIONS = (ENTERED, LEAVES, ENDED, RESUMED, RETURNED)

_LIMIT: SideTable[FakeAutoScalingGroup, float] = SideTable(float)
"""The maximum lifetime of a group as it was looked at last."""

_SPREAD: SideTable[InstanceState, bool] = SideTable(bool)
"""Whether a member is to be replaced before its time, so that not all are at the same time."""


_REPLACED: SideTable[FakeAutoScalingGroup, InstanceState | None] = SideTable(lambda: None)
"""The member that is being replaced for its age, and that the next one waits for."""

_PAUSES_UNTIL: SideTable[FakeAutoScalingGroup, float] = SideTable(float)
"""Until when a group replaces no member for its age."""


class LifetimesAreLimited(Behaviour):
    """A member that was in service for the group's maximum instance lifetime is replaced.

    One at a time, and it is terminated before its replacement is launched, unless the group's
    maintenance policy wants it the other way. One that is protected from scale-in stays. When the
    next one's turn is, and whether a change of the limit spreads the replacements, is open. (AWS
    replaces up to 10 percent of a group at a time when there is too little time for that.) moto
    drops the setting.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Replace Auto Scaling instances based on maximum instance"
        " lifetime' and 'Instance maintenance policy for Auto Scaling group'"
    )
    after = (GroupsHaveBounds,)

    def install(self, patches: Patches) -> None:
        """Look when a member's time is up, when the limit was changed, and when members changed."""
        self._update = AutoScalingBackend.update_auto_scaling_group
        patches.method(AutoScalingBackend, "update_auto_scaling_group", self._updated)
        self._aws.journal.listen(self._heard)

    def _updated(self, backend: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:  # noqa: ANN401 - passed on
        group = self._update(backend, **given)
        if _lifetime(group) != _LIMIT[group]:
            spreads = self._aws.readings.lifetime_change is LifetimeChange.SPREADS_AT_ONCE
            for state in in_service(group)[:-1] if spreads else []:
                _SPREAD[state] = True
        self._watch(group)
        return group

    def _heard(self, entry: Entry) -> None:
        if entry.kind in _OCCASIONS:
            for group in groups_of(self._aws):
                self._watch(group)

    def _watch(self, group: FakeAutoScalingGroup) -> None:
        """Look at the end of each member's time, or of a pause; now, if both have passed."""
        clock = self._aws.clock
        _LIMIT[group] = _lifetime(group)
        if _REPLACED[group] and _REPLACED[group] not in group.instance_states:
            _REPLACED[group] = None
            _PAUSES_UNTIL[group] = clock.now() + clock.draw(delays.LIFETIME_PAUSE)
        for state in in_service(group) if _lifetime(group) else []:
            moment = max(clock.now(), _ends(state), _PAUSES_UNTIL[group])
            clock.at(moment, partial(self._look, group))

    def _look(self, group: FakeAutoScalingGroup) -> None:
        clock = self._aws.clock
        old = [row for row in in_service(group) if clock.now() >= _ends(row)]
        if not (old and _lifetime(group) and self._may_go_on(group)):
            return
        if free := [row for row in old if not row.protected_from_scale_in]:
            if self._aws.readings.lifetime_pause is LifetimePause.UNTIL_IT_IS_GONE:
                _REPLACED[group] = free[0]
            replace_by_policy(self._aws, free[0], cause=OUTLIVED)
        else:
            clock.after(delays.LIFETIME_PAUSE, partial(self._look, group))

    def _may_go_on(self, group: FakeAutoScalingGroup) -> bool:
        """Return whether a group is whole and does not pause."""
        if not exists(group) or is_suspended(group, "Terminate"):
            return False
        whole = len(in_service(group)) >= (group.desired_capacity or 0)
        pauses = _REPLACED[group] or self._aws.clock.now() < _PAUSES_UNTIL[group]
        return whole and not pauses


def _lifetime(group: FakeAutoScalingGroup) -> float:
    return float(MAX_LIFETIME[group])


def _ends(state: InstanceState) -> float:
    """Return when a member's time is up."""
    since = IN_SERVICE_SINCE[state]
    return since if _SPREAD[state] else since + _lifetime(state.auto_scaling_group)
