"""When a group moves instances from one zone to another."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    EXTRA,
    IN_SERVICE,
    RESUMED,
    RETURNED,
    counted,
    extra,
    groups_of,
    in_service,
    is_suspended,
    settle,
)
from lab.emulator.services.autoscaling.replacement import launch_extra
from lab.emulator.services.autoscaling.terminations import ENDED
from lab.emulator.services.ec2.capacity import CAPACITY, has_capacity
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.journal import Entry

_OCCASIONS = (CAPACITY, ENDED, ENTERED, RESUMED, RETURNED)
"""The kinds of journal entries after which a group may be out of balance, or able to mend it."""

_TOLERATED = 1

_REBALANCING: SideTable[FakeAutoScalingGroup, InstanceState | None] = SideTable(lambda: None)
"""The member with whose launch a rebalancing of the group began."""


class ZonesAreRebalanced(Behaviour):
    """A group whose zones differ by more than one instance launches in the emptiest one.

    When that instance is in service, it terminates one in the fullest zone. Meanwhile the group may
    exceed its maximum size by 10 percent, or by one instance if that is more. It begins once the
    emptiest zone has capacity. moto knows no balance.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Rebalancing activities'; 'Temporarily remove instances from "
        "your Auto Scaling group' for members in standby"
    )

    def install(self, patches: Patches) -> None:
        """Listen to the journal for what may lead to a rebalancing."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == ENTERED:
            self._aws.clock.at(self._aws.clock.now(), self._finish_all)
        if entry.kind in _OCCASIONS:
            self._aws.clock.after(delays.REBALANCING, self._begin_all)

    def _begin_all(self) -> None:
        for group in groups_of(self._aws):
            if _may_begin(group):
                zones = ", ".join(sorted(set(group.availability_zones)))
                what = f"rebalances {group.name} over {zones}"
                self._aws.journal.note(Who.AUTO_SCALING, "rebalancing", what)
                _REBALANCING[group] = launch_extra(group)

    def _finish_all(self) -> None:
        for group in groups_of(self._aws):
            launched = _REBALANCING[group]
            if launched and launched.lifecycle_state == IN_SERVICE:
                EXTRA[launched] = False
                _REBALANCING[group] = None
                settle(group)


def _may_begin(group: FakeAutoScalingGroup) -> bool:
    in_zone = Counter(dict.fromkeys(group.availability_zones, 0))
    in_zone.update(row.availability_zone or "" for row in counted(group))
    emptiest = min(in_zone, key=lambda zone: (in_zone[zone], zone))
    unbalanced = max(in_zone.values()) - in_zone[emptiest] > _TOLERATED
    at_rest = len(in_service(group)) == (group.desired_capacity or 0) and not extra(group)
    suspended = is_suspended(group, "AZRebalance") or is_suspended(group, "Launch")
    return unbalanced and at_rest and not suspended and has_capacity(group.ec2_backend, emptiest)
