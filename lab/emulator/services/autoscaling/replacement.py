"""How one member of a group takes the place of another, whoever wants it so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.readings import ReplacementZone
from lab.emulator.services.autoscaling.launches import LaunchesTakeTime
from lab.emulator.services.autoscaling.members import (
    EXTRA,
    LAUNCHED_FROM,
    REPLACED_NEXT,
    current_version,
    launched_from,
)
from lab.emulator.services.autoscaling.terminations import terminate
from lab.emulator.side_tables import Attribute

if TYPE_CHECKING:
    from moto.ec2.models.launch_templates import LaunchTemplateVersion


_LAUNCH_CONFIGURATION: Attribute[FakeAutoScalingGroup, str] = Attribute(
    "launch_configuration_name", ""
)
"""moto's own, which a group with a launch template does not have."""


def replace(aws: Emulation, state: InstanceState, *, cause: str) -> None:
    """Terminate a member, in response to a cause ("an instance refresh"); wait for nothing.

    The group launches its replacement, from its launch template's current version, while the
    member is terminating, as it does after a failed health check.
    """
    terminate(aws, state, cause=cause)


def launch_instead(aws: Emulation, state: InstanceState) -> InstanceState | None:
    """Launch the replacement of a member that goes later, as `launch_extra` does.

    Whether that member still counts where the zone is chosen is open.
    """
    group = state.auto_scaling_group
    if aws.readings.replacement_zone is ReplacementZone.WITHOUT_THE_LEAVING:
        REPLACED_NEXT[group] = state
    try:
        return launch_extra(group)
    finally:
        REPLACED_NEXT[group] = None


def launch_extra(group: FakeAutoScalingGroup) -> InstanceState | None:
    """Launch a member beyond the desired capacity; return it, or None if the launch fails.

    It does not count until its `extra` is taken back: then the group has one too many.
    """
    before = set(map(id, group.instance_states))
    group.replace_autoscaling_group_instances(1, group.get_propagated_tags())
    for state in group.instance_states:
        if id(state) not in before:
            EXTRA[state] = True
            return state
    return None


def is_current(state: InstanceState) -> bool:
    """Return whether a new member would be launched from the same template version."""
    return launched_from(state) == _current(state.auto_scaling_group)


def has_current_content(state: InstanceState) -> bool:
    """Return whether a member was launched from the same content, whatever its version's number."""
    version = current_version(state.auto_scaling_group)
    template, number = launched_from(state)
    if version is None or version.template.id != template:
        return False
    former = version.template.get_version(number)
    return _content(former) == _content(version)


def _content(version: LaunchTemplateVersion) -> str:
    return json.dumps(version.data, default=str, sort_keys=True)


def _current(group: FakeAutoScalingGroup) -> tuple[str, int]:
    version = current_version(group)
    if version is None:
        return _LAUNCH_CONFIGURATION[group], 0
    return version.template.id, int(version.number)


class MembersKeepTheirTemplate(Behaviour):
    """A member shows the launch template version that it was launched from.

    moto shows the template's default version for every member.
    """

    source = "EC2 Auto Scaling API reference, Instance.LaunchTemplate"
    after = (LaunchesTakeTime,)

    def install(self, patches: Patches) -> None:
        """Remember the version with each new member."""
        self._init = InstanceState.__init__
        self._described = vars(InstanceState)["launch_template"]
        patches.method(InstanceState, "__init__", self._begin)
        patches.replace(InstanceState, "launch_template", property(self._describe))

    def _begin(self, state: InstanceState, *given: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
        self._init(state, *given, **named)
        LAUNCHED_FROM[state] = _current(state.auto_scaling_group)

    def _describe(self, state: InstanceState) -> dict[str, Any] | None:
        described: dict[str, Any] | None = self._described.__get__(state)
        if described is None:
            return None
        return {**described, "Version": str(launched_from(state)[1])}
