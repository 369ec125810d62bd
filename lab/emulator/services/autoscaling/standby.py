"""Members in standby, and members that are protected from scale-in: which ones may become so."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.members import IN_SERVICE, RETURNED, settle
from lab.emulator.services.autoscaling.requests import group_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.autoscaling.models import FakeAutoScalingGroup

STANDBY = "Standby"
_ENTERING = "EnteringStandby"


class StandbyHasItsRules(Behaviour):
    """Only a member in service enters standby, only one in standby leaves it, within the bounds.

    Leaving raises the desired capacity, which may not exceed the maximum size; entering with a
    decrement lowers it, which may not fall below the minimum. A member that left is in service at
    once, whereas AWS has it pending first. moto moves every member, whatever its state.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Temporarily remove instances from your Auto Scaling group';"
        " Auto Scaling's error in github.com/keikoproj/upgrade-manager/issues/324"
    )

    def install(self, patches: Patches) -> None:
        """Look at state and bounds before moto moves."""
        api = AutoScalingResponse
        enter, leave = api.enter_standby, api.exit_standby
        patches.method(api, "enter_standby", partial(self._enter, enter))
        patches.method(api, "exit_standby", partial(self._leave, leave))

    @staticmethod
    def _enter(enter: Callable[[AutoScalingResponse], Any], response: AutoScalingResponse) -> Any:  # noqa: ANN401 - moto's
        count = _refuse_unless(response, IN_SERVICE)
        group = group_of(response)
        lowers = str(response._get_param("ShouldDecrementDesiredCapacity")).lower() == "true"
        if lowers and (group.desired_capacity or 0) - count < (group.min_size or 0):
            refuse(_too_far(group, f"place into standby {count} instance"))
        return enter(response)

    def _leave(
        self, leave: Callable[[AutoScalingResponse], Any], response: AutoScalingResponse
    ) -> Any:  # noqa: ANN401 - moto's
        count = _refuse_unless(response, STANDBY)
        group = group_of(response)
        if (group.desired_capacity or 0) + count > (group.max_size or 0):
            refuse(_too_far(group, f"exit standby {count} instance"))
        result = leave(response)
        for id_ in response._get_param("InstanceIds", []):
            what = f"{id_} is back from standby"
            self._aws.journal.note(Who.AUTO_SCALING, RETURNED, what, instance=id_)
        return result


class ProtectionIsForMembers(Behaviour):
    """SetInstanceProtection refuses an instance that is not in the group, in service or in standby.

    All instances of the call or none are changed. A group that is larger than it should be goes on
    scaling in when the protection is lifted. moto passes over what it does not find, and waits.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Use instance scale-in protection'; Auto Scaling's error in"
        " github.com/infrahouse/infrahouse-toolkit/issues/223"
    )

    def install(self, patches: Patches) -> None:
        """Look at the states before moto writes."""
        api = AutoScalingResponse
        protect = api.set_instance_protection
        patches.method(api, "set_instance_protection", partial(self._protect, protect))

    @staticmethod
    def _protect(
        protect: Callable[[AutoScalingResponse], Any], response: AutoScalingResponse
    ) -> Any:  # noqa: ANN401 - moto's
        _refuse_unless(response, IN_SERVICE, _ENTERING, STANDBY)
        result = protect(response)
        settle(group_of(response))
        return result


def _refuse_unless(response: AutoScalingResponse, *states: str) -> int:
    """Refuse unless each instance of a request is a member in one of these; return their number."""
    group = group_of(response)
    members = {row.instance.id: row.lifecycle_state for row in group.instance_states}
    named: list[str] = response._get_param("InstanceIds", [])
    for id_ in named:
        if id_ not in members:
            refuse(f"The instance {id_} is not part of Auto Scaling group {group.name}.")
        if members[id_] not in states:
            refuse(f"The instance {id_} is not in {' or '.join(states)}.")
    return len(named)


def _too_far(group: FakeAutoScalingGroup, what: str) -> str:
    return (
        f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size={group.max_size},"
        f" and desired-size={group.desired_capacity}. To {what}, please update the"
        " AutoScalingGroup sizes appropriately."
    )
