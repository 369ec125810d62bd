"""What a group is set to, beyond what moto keeps."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.autoscaling.bounds import GroupsHaveBounds
from lab.emulator.services.autoscaling.kept import keep
from lab.emulator.services.autoscaling.policy import check_policy
from lab.emulator.services.autoscaling.requests import group_of, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.responses import ActionResult

SHORTEST_LIFETIME, LONGEST_LIFETIME = 86_400, 31_536_000
"""Seconds that a maximum instance lifetime lasts: a day (user guide, see below) to a year
(aws-cdk-lib, AutoScalingGroup; Terraform's provider, aws_autoscaling_group)."""


class GroupsKeepTheirSettings(Behaviour):
    """A group keeps its zone distribution, maintenance policy, warm-up, lifetime and grace period.

    The grace period is 0 unless it is given. moto drops the others, and makes it 300 seconds.
    """

    source = (
        "EC2 Auto Scaling API reference, CreateAutoScalingGroup; user guide, 'Set the health"
        " check grace period' and 'Replace instances based on maximum instance lifetime'"
    )
    after = (GroupsHaveBounds,)

    def install(self, patches: Patches) -> None:
        """Read what moto leaves out, from requests and from templates."""
        api, backend = AutoScalingResponse, AutoScalingBackend
        self._create_request = api.create_auto_scaling_group
        self._update_request = api.update_auto_scaling_group
        self._create = backend.create_auto_scaling_group
        patches.method(backend, "create_auto_scaling_group", self._create_group)
        patches.method(api, "create_auto_scaling_group", self._create_and_keep)
        patches.method(api, "update_auto_scaling_group", self._update_and_keep)
        patches.creation(FakeAutoScalingGroup, before=_check, after=keep)

    def _create_group(self, backend: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:  # noqa: ANN401 - passed on
        group = self._create(backend, **given)
        group.health_check_grace_period = int(given.get("health_check_period") or 0)
        return group

    def _create_and_keep(self, response: AutoScalingResponse) -> ActionResult:
        _check(response._get_params())
        result = self._create_request(response)
        keep(group_of(response), response._get_params())
        return result

    def _update_and_keep(self, response: AutoScalingResponse) -> ActionResult:
        _check(response._get_params())
        keep(group_of(response), response._get_params())
        return self._update_request(response)


def _check(given: Mapping[str, Any]) -> None:
    if policy := given.get("InstanceMaintenancePolicy"):
        check_policy(policy)
    lifetime = int(given.get("MaxInstanceLifetime") or 0)
    if lifetime and not SHORTEST_LIFETIME <= lifetime <= LONGEST_LIFETIME:
        between = f"between {SHORTEST_LIFETIME} and {LONGEST_LIFETIME} seconds"
        refuse(f"MaxInstanceLifetime must be 0, or {between}")
