"""Members whose replacements come first: they stay until these are in service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    EXTRA,
    counted,
    exists,
    groups_of,
    in_service,
)
from lab.emulator.services.autoscaling.policy import may_launch_first
from lab.emulator.services.autoscaling.replacement import launch_extra
from lab.emulator.services.autoscaling.terminations import ENDED, terminate
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from lab.emulator.behaviour import Emulation
    from lab.emulator.journal import Entry

_LEAVES_BECAUSE: SideTable[InstanceState, str] = SideTable(str)
"""Why a member is to go once its replacement serves; empty if it is not."""

_REPLACEMENT: SideTable[InstanceState, InstanceState | None] = SideTable(lambda: None)
"""The member that was launched in place of another."""

_OCCASIONS = (ENTERED, ENDED)


def replace_by_policy(aws: Emulation, state: InstanceState, *, cause: str) -> None:
    """Let a group replace a member in its own way, in response to a cause.

    It launches the replacement first where its instance maintenance policy wants that and its
    maximum size allows it, and terminates the member first otherwise.
    """
    group = state.auto_scaling_group
    if _LEAVES_BECAUSE[state]:
        return
    if may_launch_first(group, aws.readings):
        _LEAVES_BECAUSE[state] = cause
        _go_on(aws, group)
    else:
        terminate(aws, state, cause=cause)


class ReplacementsComeFirst(Behaviour):
    """With an instance maintenance policy a group launches before it terminates.

    After a failed health check and at the end of a lifetime: a member whose time is up stays until
    its replacement is in service, and when that is abandoned, until another one is. Whether a group
    may exceed its maximum size for it is open. moto has no such policy.
    """

    source = "EC2 Auto Scaling user guide, 'Instance maintenance policies'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal for replacements that enter service, or leave."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind in _OCCASIONS:
            self._aws.clock.at(self._aws.clock.now(), self._look)

    def _look(self) -> None:
        for group in groups_of(self._aws):
            _go_on(self._aws, group)


def _go_on(aws: Emulation, group: FakeAutoScalingGroup) -> None:
    """Launch the replacements that are missing; end the members whose replacements serve."""
    if not exists(group):
        return
    for state in counted(group):
        if cause := _LEAVES_BECAUSE[state]:
            _replace(aws, state, cause)


def _replace(aws: Emulation, state: InstanceState, cause: str) -> None:
    group, replacement = state.auto_scaling_group, _REPLACEMENT[state]
    if replacement in in_service(group):
        EXTRA[replacement] = False
        terminate(aws, state, cause=cause)
    elif replacement not in counted(group):
        _REPLACEMENT[state] = launch_extra(group)
        if _REPLACEMENT[state] is None:
            aws.clock.after(delays.LAUNCH_RETRY, partial(_go_on, aws, group))
