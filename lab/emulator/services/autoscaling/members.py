"""Who belongs to a group, which of them count, and what the group may do at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends

from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.autoscaling.models import AutoScalingBackend
    from moto.ec2.models.launch_templates import LaunchTemplateVersion

    from lab.emulator.behaviour import Emulation

PENDING = ("Pending", "Pending:Wait", "Pending:Proceed")
IN_SERVICE = "InService"
COUNTED = (*PENDING, IN_SERVICE)
"""The lifecycle states that count towards the desired capacity."""

ALIVE = ("pending", "running")
"""The instance states with which EC2's health check is content."""

ENTERED = "in service"
"""The kind of the journal's entry that says that a member entered service."""

RETURNED = "returned to service"
"""The kind of the journal's entry that says that a member is back from standby."""

RESUMED = "resumed"
"""The kind of the journal's entry that says that suspended processes of a group go on."""


EXTRA: SideTable[InstanceState, bool] = SideTable(bool)
"""Whether a member was launched beyond the desired capacity, to replace another."""

LAUNCHED_FROM: SideTable[InstanceState, tuple[str, int]] = SideTable(lambda: ("", 0))
"""The launch template of a member and its version, or the launch configuration."""

IN_SERVICE_SINCE: SideTable[InstanceState, float] = SideTable(lambda: math.inf)
"""From when on a member is in service, by the lab's clock."""

FAILING_LAUNCHES: SideTable[FakeAutoScalingGroup, int] = SideTable(int)
"""How many launches of a group failed and are still to be tried again."""

AVOIDED_ZONES: SideTable[FakeAutoScalingGroup, frozenset[str]] = SideTable(frozenset)
"""The zones in which the launch that is under way was tried already."""

REPLACED_NEXT: SideTable[FakeAutoScalingGroup, InstanceState | None] = SideTable(lambda: None)
"""The member that the launch that is under way replaces, if it is one that no longer counts."""

ABANDONED_LAUNCHES: SideTable[FakeAutoScalingGroup, list[str]] = SideTable(list)
"""Why launches of a group were abandoned, the last one last."""


def groups_of(aws: Emulation) -> list[FakeAutoScalingGroup]:
    """Return all groups."""
    return list(autoscaling_backends[aws.account][aws.region].autoscaling_groups.values())


def members_of(backend: AutoScalingBackend) -> Iterator[InstanceState]:
    """Yield the members of all groups."""
    for group in list(backend.autoscaling_groups.values()):
        yield from group.instance_states


def counted(group: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the members that count towards the desired capacity, the oldest first."""
    return [row for row in group.instance_states if row.lifecycle_state in COUNTED]


def in_service(group: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the members in service, the oldest first."""
    return [row for row in group.instance_states if row.lifecycle_state == IN_SERVICE]


def extra(group: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the members that were launched beyond the desired capacity, to replace others."""
    return [row for row in counted(group) if EXTRA[row]]


def current_version(group: FakeAutoScalingGroup) -> LaunchTemplateVersion | None:
    """Return the launch template version of the next member; None with a launch configuration."""
    template = group.ec2_launch_template
    return template.get_version(group.launch_template_version) if template else None


def launched_from(state: InstanceState) -> tuple[str, int]:
    """Return the launch template and the version that a member was launched from."""
    return LAUNCHED_FROM[state]


def exists(group: FakeAutoScalingGroup) -> bool:
    """Return whether a group was not deleted."""
    return group.autoscaling_backend.autoscaling_groups.get(group.name) is group


def is_suspended(group: FakeAutoScalingGroup, process: str) -> bool:
    """Return whether a process of a group is suspended."""
    return process in {row["ProcessName"] for row in group.suspended_processes}


def settle(group: FakeAutoScalingGroup) -> None:
    """Let a group launch what it lacks, and terminate what it has too many, unless it is gone."""
    if exists(group):
        group.set_desired_capacity(group.desired_capacity)
