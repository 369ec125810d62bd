"""Instance refreshes: how they are started, followed and cancelled."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.members import counted
from lab.emulator.services.autoscaling.refresh import CANCELLED, Refresh
from lab.emulator.services.autoscaling.replacement import is_current
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup

_REFRESHES: SideTable[FakeAutoScalingGroup, list[Refresh]] = SideTable(list)
"""The instance refreshes of a group, the last one first."""

_PREFERENCES = {"MinHealthyPercentage", "MaxHealthyPercentage", "InstanceWarmup", "SkipMatching"}


class InstanceRefreshes(Behaviour):
    """An instance refresh replaces the members of a group a few at a time, until all are new.

    Checkpoints, alarms, bake time, automatic rollback, and members in standby or protected from
    scale-in are not played, and refused where they are asked for. The new launch template counts
    for the group from the start; AWS sets it at the end. moto has no such API.
    """

    source = (
        "EC2 Auto Scaling user guide, 'How an instance refresh works'; API reference,"
        " StartInstanceRefresh"
    )

    def install(self, patches: Patches) -> None:
        """Add the API's actions."""
        api = AutoScalingResponse
        patches.method(api, "start_instance_refresh", self._start)
        patches.method(api, "cancel_instance_refresh", self._cancel)
        patches.method(api, "describe_instance_refreshes", self._describe)

    def _start(self, response: AutoScalingResponse) -> ActionResult:
        group, preferences = group_of(response), response._get_param("Preferences", {})
        if unknown := sorted(set(preferences) - _PREFERENCES):
            refuse(f"the lab does not play {', '.join(unknown)} of an instance refresh")
        if any(refresh.is_active for refresh in _REFRESHES[group]):
            refuse("An Instance Refresh is already in progress", "InstanceRefreshInProgress")
        wanted = response._get_param("DesiredConfiguration", {}).get("LaunchTemplate")
        if wanted:
            group._set_launch_configuration("", dict(wanted), None)
        skips = str(preferences.get("SkipMatching", False)).lower() == "true"
        old = [row for row in counted(group) if not (skips and is_current(row))]
        refresh = Refresh(group, dict(preferences), self._aws.clock.calendar(), old)
        _REFRESHES[group].insert(0, refresh)
        self._say(refresh)
        self._look_later(refresh)
        return ActionResult({"InstanceRefreshId": refresh.id})

    def _look_later(self, refresh: Refresh) -> None:
        self._aws.clock.after(delays.REFRESH_LOOKS, lambda: self._look(refresh))

    def _look(self, refresh: Refresh) -> None:
        if not refresh.is_active:
            return
        refresh.step(self._aws)
        if refresh.is_active:
            self._look_later(refresh)
        else:
            self._say(refresh)

    def _cancel(self, response: AutoScalingResponse) -> ActionResult:
        active = [row for row in _REFRESHES[group_of(response)] if row.is_active]
        if not active:
            refuse("No in progress or pending Instance Refresh", "ActiveInstanceRefreshNotFound")
        active[0].end(CANCELLED, self._aws.clock.calendar())
        self._say(active[0])
        return ActionResult({"InstanceRefreshId": active[0].id})

    @staticmethod
    def _describe(response: AutoScalingResponse) -> ActionResult:
        wanted = response._get_param("InstanceRefreshIds", [])
        rows = _REFRESHES[group_of(response)]
        described = [_described(row) for row in rows if not wanted or row.id in wanted]
        return ActionResult({"InstanceRefreshes": described})

    def _say(self, refresh: Refresh) -> None:
        what = f"the instance refresh of {refresh.group.name} is {refresh.status}"
        self._aws.journal.note(Who.AUTO_SCALING, "refresh", what, status=refresh.status)


def _described(refresh: Refresh) -> dict[str, Any]:
    left, total = len(refresh.left), len(refresh.old)
    return {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": refresh.group.name,
        "Status": refresh.status,
        "StartTime": _date(refresh.started),
        **({"EndTime": _date(refresh.ended)} if refresh.ended is not None else {}),
        "PercentageComplete": 100 * (total - left) // total if total else 100,
        "InstancesToUpdate": left,
        "Preferences": refresh.preferences,
        "Strategy": "Rolling",
    }


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
