"""Between which sizes a group may be."""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.services.autoscaling.terminations import TerminationsTakeTime

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup, TerminateInstanceActivity
    from moto.core.responses import ActionResult


class GroupsHaveBounds(Behaviour):
    """A desired capacity outside the group's minimum and maximum size is refused.

    So is the termination of a member that would take the group below its minimum. When an update
    moves the bounds, the desired capacity moves with them. moto takes every number.
    """

    source = "EC2 Auto Scaling user guide, 'Set scaling limits'; messages from public issue reports"
    after = (TerminationsTakeTime,)

    def install(self, patches: Patches) -> None:
        """Check before moto does as it is told."""
        backend = AutoScalingBackend
        self._create = backend.create_auto_scaling_group
        self._update = backend.update_auto_scaling_group
        self._terminate = backend.terminate_instance
        self._set = AutoScalingResponse.set_desired_capacity
        patches.method(backend, "create_auto_scaling_group", self._create_within)
        patches.method(backend, "update_auto_scaling_group", self._update_within)
        patches.method(backend, "terminate_instance", self._terminate_within)
        patches.method(AutoScalingResponse, "set_desired_capacity", self._set_within)

    def _create_within(self, backend: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:
        low, high = int(given["min_size"] or 0), int(given["max_size"] or 0)
        wanted = given.get("desired_capacity")
        _check(low if wanted is None else int(wanted), low, high)
        return self._create(backend, **given)

    def _update_within(self, backend: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:
        group = backend.autoscaling_groups.get(given["name"])
        if group:
            low = int(_first(given.get("min_size"), group.min_size))
            high = int(_first(given.get("max_size"), group.max_size))
            nearest = min(max(group.desired_capacity or 0, low), high)
            given["desired_capacity"] = int(_first(given.get("desired_capacity"), nearest))
            _check(given["desired_capacity"], low, high)
        return self._update(backend, **given)

    def _terminate_within(
        self, backend: AutoScalingBackend, instance_id: str, should_decrement: object
    ) -> TerminateInstanceActivity:
        states = backend.describe_auto_scaling_instances([instance_id])
        if not states:
            refuse(f"Instance Id not found - No managed instance found for {instance_id}")
        group = states[0].auto_scaling_group
        if should_decrement and (group.desired_capacity or 0) <= (group.min_size or 0):
            message = (
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance"
                " without replacement will violate group's min size constraint. Either set"
                " shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )
            refuse(message)
        return self._terminate(backend, instance_id, bool(should_decrement))

    def _set_within(self, response: AutoScalingResponse) -> ActionResult:
        group, wanted = group_of(response), int(response._get_param("DesiredCapacity"))
        low, high = group.min_size or 0, group.max_size or 0
        if wanted > high:
            refuse(_too_far(wanted, f"above max value {high}"))
        if wanted < low:
            refuse(_too_far(wanted, f"below min value {low}"))
        return self._set(response)


def _first(new: Any, old: Any) -> Any:
    return old if new is None else new


def _check(wanted: int, low: int, high: int) -> None:
    if not low <= wanted <= high:
        refuse(
            f"Desired capacity:{wanted} must be between the specified min size:{low} and max"
            f" size:{high}"
        )


def _too_far(wanted: int, how: str) -> str:
    return f"New SetDesiredCapacity value {wanted} is {how} for the AutoScalingGroup."
