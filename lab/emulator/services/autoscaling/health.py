"""What a group notices of its members' health, and when it replaces them for it."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult
from moto.ec2.models import EC2Backend

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.journal import Who
from lab.emulator.services.autoscaling.maintenance import replace_by_policy
from lab.emulator.services.autoscaling.members import (
    ALIVE,
    ENTERED,
    IN_SERVICE,
    IN_SERVICE_SINCE,
    RESUMED,
    RETURNED,
    counted,
    groups_of,
    in_service,
    is_suspended,
    members_of,
    settle,
)
from lab.emulator.services.autoscaling.requests import refuse
from lab.emulator.services.autoscaling.terminations import UNHEALTHY, terminate
from lab.emulator.services.ec2.health import CHECKED, status_check_failed
from lab.emulator.side_tables import Attribute, SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Collection

    from moto.ec2.models.instances import Instance

    from lab.emulator.journal import Entry

IMPAIRED = "an EC2 instance status checks failure"
REPORTED = "a user health-check"
"""Causes of terminations, in Auto Scaling's words."""

_UNHEALTHY_BECAUSE: SideTable[InstanceState, str] = SideTable()
"""Why an unhealthy member is so."""

_GROUP: Attribute[Instance, FakeAutoScalingGroup | None] = Attribute("autoscaling_group", None)
"""moto's own, which only an instance of a group has."""

_CHECKED = ("Pending", IN_SERVICE)
"""A group checks no member that a hook holds, or that is in standby."""


class ReplacesTheDead(Behaviour):
    """A group notices after a while that a member was stopped or terminated, and replaces it.

    It does not look at a member in standby, and does when that is back in service.
    moto replaces a terminated member within the same call, unannounced, and does not notice a
    stopped one.
    """

    source = "EC2 Auto Scaling user guide, 'Health checks for Auto Scaling instances'"

    def install(self, patches: Patches) -> None:
        """Look at each instance that was ended, after the delay."""
        self._stop = EC2Backend.stop_instances
        patches.method(AutoScalingBackend, "notify_terminate_instances", self._ended)
        patches.method(EC2Backend, "stop_instances", self._stop_instances)
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == RETURNED:
            for group in groups_of(self._aws):
                self._ended(group.autoscaling_backend, [entry.detail["instance"]])

    def _ended(self, backend: AutoScalingBackend, instance_ids: list[str]) -> None:
        self._aws.clock.after(delays.GROUP_NOTICES, lambda: _look(self._aws, backend, instance_ids))

    def _stop_instances(self, ec2: EC2Backend, instance_ids: list[str]) -> list[tuple[Any, Any]]:
        stopped: list[tuple[Any, Any]] = self._stop(ec2, instance_ids)
        groups = (_GROUP[instance] for instance, _ in stopped)
        for backend in {group.autoscaling_backend for group in groups if group}:
            self._ended(backend, instance_ids)
        return stopped


class ReplacesTheImpaired(Behaviour):
    """A group replaces a member whose status checks go on failing for minutes.

    Not before its health check grace period is over, and one member at a time: the next one when
    the group has its size again. (AWS replaces 10 percent of a group at a time, one at least.)
    moto's status checks never fail.
    """

    source = "EC2 Auto Scaling user guide, 'Health checks for Auto Scaling instances'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal for failed checks, and for the end of a replacement."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        clock = self._aws.clock
        if entry.kind in (CHECKED, RETURNED):
            instance = entry.detail["instance"]
            clock.after(delays.GROUP_GIVES_UP, lambda: self._look(instance))
        elif entry.kind == ENTERED:
            clock.at(clock.now(), partial(self._entered, entry.detail["instance"]))

    def _entered(self, instance: str) -> None:
        self._look(instance)
        for group in groups_of(self._aws):
            _replace_unhealthy(self._aws, group)

    def _look(self, instance: str) -> None:
        """Look at a member in service; one that is not yet is looked at when it is."""
        for group in groups_of(self._aws):
            for state in in_service(group):
                if state.instance.id == instance and status_check_failed(state.instance):
                    moment = max(_grace_ends(state), self._aws.clock.now())
                    self._aws.clock.at(moment, partial(self._give_up, state))

    def _give_up(self, state: InstanceState) -> None:
        if status_check_failed(state.instance):
            _notice(self._aws, state, IMPAIRED)


class ReplacesTheReported(Behaviour):
    """SetInstanceHealth Unhealthy replaces a member at once, as its maintenance policy wants it.

    During the group's health check grace period only with ShouldRespectGracePeriod false; otherwise
    the call is refused. What it says of a member that is leaving is not documented, and here it is
    refused too. moto marks the member and leaves it.
    """

    source = (
        "EC2 Auto Scaling API reference, SetInstanceHealth; user guide, 'Health checks for"
        " Auto Scaling instances'; for the refusal, github.com/aws/aws-cli/issues/171"
    )

    def install(self, patches: Patches) -> None:
        """Replace what moto does with a report."""
        patches.method(AutoScalingResponse, "set_instance_health", self._set)

    def _set(self, response: AutoScalingResponse) -> EmptyResult:
        instance, status = response._get_param("InstanceId"), response._get_param("HealthStatus")
        members = members_of(response.autoscaling_backend)
        state = next((row for row in members if row.instance.id == instance), None)
        if state is None or state.lifecycle_state.startswith("Terminating"):
            refuse(f"Instance Id not found - No managed instance found for {instance}")
        if status == "Healthy":
            state.health_status = status
            return EmptyResult()
        if response._get_param("ShouldRespectGracePeriod", if_none=True):
            self._refuse_in_grace_period(state)
        _mark(self._aws, state, REPORTED)
        return EmptyResult()

    def _refuse_in_grace_period(self, state: InstanceState) -> None:
        grace = float(state.auto_scaling_group.health_check_grace_period or 0)
        age = max(self._aws.clock.now() - IN_SERVICE_SINCE[state], 0)
        if age < grace:
            refuse(
                f"The age of the instance ({age:.0f} seconds) is less than the configured grace"
                f" period of {grace:.0f} seconds"
            )


class SuspensionsEnd(Behaviour):
    """When processes of a group are resumed, it does at once what it was kept from.

    While Launch, Terminate, HealthCheck, ReplaceUnhealthy or AZRebalance is suspended, the group
    does not do it. moto only stores which processes are suspended.
    """

    source = "EC2 Auto Scaling user guide, 'Suspend and resume a process'"

    def install(self, patches: Patches) -> None:
        """Look again when processes are resumed."""
        self._resume = AutoScalingBackend.resume_processes
        patches.method(AutoScalingBackend, "resume_processes", self._go_on)

    def _go_on(self, backend: AutoScalingBackend, name: str, processes: list[str]) -> None:
        self._resume(backend, name, processes)
        group = backend.autoscaling_groups[name]
        _look(self._aws, backend, {row.instance.id for row in group.instance_states})
        _replace_unhealthy(self._aws, group)
        settle(group)
        what = f"the processes of {name} go on"
        self._aws.journal.note(Who.AUTO_SCALING, RESUMED, what, group=name)


def _look(aws: Emulation, backend: AutoScalingBackend, instances: Collection[str]) -> None:
    """Let a group notice which of some instances are dead."""
    for state in list(members_of(backend)):
        if state.instance.id in instances and state.instance.state not in ALIVE:
            _notice(aws, state, UNHEALTHY)


def _notice(aws: Emulation, state: InstanceState, cause: str) -> None:
    """Let EC2's health check find a member unhealthy, unless its group does not look."""
    looks = not is_suspended(state.auto_scaling_group, "HealthCheck")
    if looks and state.lifecycle_state in _CHECKED:
        what = f"notices that {state.instance.id} is {state.instance.state}"
        failed = " and fails its status checks" if cause == IMPAIRED else ""
        aws.journal.note(Who.AUTO_SCALING, "noticed", what + failed)
        _mark(aws, state, cause)


def _mark(aws: Emulation, state: InstanceState, cause: str) -> None:
    state.health_status = "Unhealthy"
    _UNHEALTHY_BECAUSE[state] = cause
    _replace_unhealthy(aws, state.auto_scaling_group)


def _replace_unhealthy(aws: Emulation, group: FakeAutoScalingGroup) -> None:
    if is_suspended(group, "ReplaceUnhealthy") or is_suspended(group, "Terminate"):
        return
    for state in counted(group):
        if state.health_status == "Unhealthy":
            cause = _UNHEALTHY_BECAUSE[state]
            complete = len(in_service(group)) >= (group.desired_capacity or 0)
            if cause == UNHEALTHY:  # it does not run: no policy makes the group wait with it
                terminate(aws, state, cause=cause)
            elif cause != IMPAIRED or complete:
                replace_by_policy(aws, state, cause=cause)


def _grace_ends(state: InstanceState) -> float:
    """Return until when a member's health does not count; for ever while it is not in service."""
    return IN_SERVICE_SINCE[state] + float(state.auto_scaling_group.health_check_grace_period or 0)
