"""Members whose replacements come first: they stay until these are in service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.kept import DEFAULT_WARMUP
from lab.emulator.services.autoscaling.members import (
    ENTERED,
    EXTRA,
    IN_SERVICE_SINCE,
    counted,
    exists,
    extra,
    groups_of,
    in_service,
)
from lab.emulator.services.autoscaling.policy import (
    may_launch_first,
    most_at_once,
    policy_of,
    wants_launch_first,
)
from lab.emulator.services.autoscaling.replacement import launch_instead
from lab.emulator.services.autoscaling.terminations import ENDED, LEAVES, terminate
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

_OCCASIONS = (ENTERED, LEAVES, ENDED)


def replace_by_policy(aws: Emulation, state: InstanceState, *, cause: str) -> None:
    """Let a group replace a member in its own way, in response to a cause.

    It launches the replacement first where its instance maintenance policy wants that and its
    maximum size allows it, and terminates the member first otherwise. Of several such members so
    many are replaced at a time as the policy lets the group exceed its size.
    """
    group = state.auto_scaling_group
    if _LEAVES_BECAUSE[state]:
        return
    waits = wants_launch_first(policy_of(group)) and any(map(_is_expected, group.instance_states))
    if waits or may_launch_first(group, aws.readings):
        _LEAVES_BECAUSE[state] = cause
        _go_on(aws, group)
    else:
        terminate(aws, state, cause=cause)


class ReplacementsComeFirst(Behaviour):
    """With an instance maintenance policy a group launches before it terminates.

    After a failed health check and at the end of a lifetime: a member whose time is up stays until
    its replacement is in service and warm, and when that is abandoned, until another one is. One
    that no longer runs is not waited for. Whether a group may exceed its maximum size for it is
    open. moto has no such policy.
    """

    source = "EC2 Auto Scaling user guide, 'Instance maintenance policy for Auto Scaling group'"

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
    for state in list(group.instance_states):
        if state not in counted(group):
            _count_replacement(state)
        elif cause := _LEAVES_BECAUSE[state]:
            _replace(aws, state, cause)


def _is_expected(state: InstanceState) -> bool:
    """Return whether a member's replacement is under way, or to come."""
    return state in counted(state.auto_scaling_group) and bool(_LEAVES_BECAUSE[state])


def _count_replacement(state: InstanceState) -> None:
    """Let the replacement of a member that has gone count as any other member."""
    if replacement := _REPLACEMENT[state]:
        EXTRA[replacement] = False


def _replace(aws: Emulation, state: InstanceState, cause: str) -> None:
    group, replacement = state.auto_scaling_group, _REPLACEMENT[state]
    if replacement in in_service(group):
        _end_when_warm(aws, state, replacement, cause)
    elif replacement not in counted(group) and _may_launch_another(group):
        _REPLACEMENT[state] = launch_instead(aws, state)
        if _REPLACEMENT[state] is None:
            aws.clock.after(delays.LAUNCH_RETRY, partial(_go_on, aws, group))


def _may_launch_another(group: FakeAutoScalingGroup) -> bool:
    return len(extra(group)) < most_at_once(group, policy_of(group))


def _end_when_warm(
    aws: Emulation, state: InstanceState, replacement: InstanceState, cause: str
) -> None:
    """Terminate a member when its replacement has been in service for the default warm-up."""
    warm = IN_SERVICE_SINCE[replacement] + max(DEFAULT_WARMUP[state.auto_scaling_group], 0)
    if aws.clock.now() < warm:
        aws.clock.at(warm, partial(_go_on, aws, state.auto_scaling_group))
        return
    EXTRA[replacement] = False
    terminate(aws, state, cause=cause)
