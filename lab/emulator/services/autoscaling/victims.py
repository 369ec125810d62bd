"""Which member a group terminates when it has too many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.emulator.services.autoscaling.members import counted, extra, launched_from

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState


def next_victim(group: FakeAutoScalingGroup) -> InstanceState | None:
    """Return the member that the default termination policy chooses; None if all are protected.

    One of the zone with the most members, there of the oldest launch template version, there the
    oldest. AWS takes the one that is closest to its next billing hour, here the oldest stands for
    it. Source: EC2 Auto Scaling user guide, "Default termination policy".
    """
    spare = [row for row in counted(group) if row not in extra(group)]
    in_zone = Counter(row.availability_zone for row in spare)
    free = [row for row in spare if not row.protected_from_scale_in]
    age = {id(row): number for number, row in enumerate(spare)}

    def rank(row: InstanceState) -> tuple[int, int, int]:
        return -in_zone[row.availability_zone], launched_from(row)[1], age[id(row)]

    return min(free, key=rank, default=None)
