"""Lifecycle hooks: how they are declared, and how their actions are completed."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    LifecycleHook,
    autoscaling_backends,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.cloudformation import parsing
from moto.core.responses import ActionResult, EmptyResult

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.services.autoscaling.activities import TEST, envelope
from lab.emulator.services.autoscaling.notifications import PublishesNotifications
from lab.emulator.services.autoscaling.requests import group_of, refuse
from lab.emulator.services.autoscaling.waits import (
    ABANDON,
    CONTINUE,
    NOTIFICATION_METADATA,
    Action,
    Wait,
    beat,
    complete,
    send,
    wait_of,
)
from lab.emulator.services.resource import Place, Properties, Resource
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHORTEST, LONGEST = 30, 7200
"""Seconds that a heartbeat timeout may last (EC2 Auto Scaling API reference, PutLifecycleHook)."""

_DEFAULT = 3600
_FOREVER = 172800
_BEATS = 100
"""An action lasts 48 hours or 100 heartbeat timeouts at most, whichever is less (same source)."""


_GIVEN: SideTable[LifecycleHook, Mapping[str, Any]] = SideTable()
"""What a hook was declared with, by the parameters of the API."""


def declare(aws: Emulation, group: FakeAutoScalingGroup, given: Mapping[str, Any]) -> None:
    """Create or change a hook of a group; tell its notification target, if it has one.

    Raises:
        ValidationError: the heartbeat timeout is out of bounds, or a new hook has no transition.

    """
    backend = group.autoscaling_backend
    name = given["LifecycleHookName"]
    hooks = backend.describe_lifecycle_hooks(group.name, [name])
    known = _GIVEN[hooks[0]] if hooks else {}
    merged = {**known, **{key: value for key, value in given.items() if value is not None}}
    timeout = int(merged.get("HeartbeatTimeout", _DEFAULT))
    if not SHORTEST <= timeout <= LONGEST:
        refuse(f"HeartbeatTimeout must be between {SHORTEST} and {LONGEST} seconds")
    if not merged.get("LifecycleTransition"):
        refuse("LifecycleTransition is required for a new lifecycle hook")
    transition, result = merged["LifecycleTransition"], merged.get("DefaultResult", ABANDON)
    hook = backend.create_lifecycle_hook(name, group.name, transition, timeout, result)
    hook.notification_target_arn = merged.get("NotificationTargetARN", "")
    hook.role_arn = merged.get("RoleARN", "")
    hook.global_timeout = min(_FOREVER, _BEATS * timeout)
    _GIVEN[hook] = merged
    NOTIFICATION_METADATA[hook] = merged.get("NotificationMetadata")
    send(aws, hook, envelope(aws, group, TEST), f'Auto Scaling: test for "{group.name}"')


def find_action(
    group: FakeAutoScalingGroup, hook: str, *, token: str | None = None, instance: str | None = None
) -> tuple[Wait, Action]:
    """Return the open action of a hook that is named by its token or its instance.

    Raises:
        ValidationError: there is none.

    """
    for wait, action in _open(group):
        same = action.token == token if token else wait.state.instance.id == instance
        if action.hook.name == hook and same:
            return wait, action
    named = f"token {token}" if token else f"instance ID {instance}"
    return refuse(f"No active Lifecycle Action found with {named}")


def complete_action(wait: Wait, action: Action, result: str) -> None:
    """Complete an action as CompleteLifecycleAction does."""
    complete(wait, action, result, f"Lifecycle Action Completed with {result} Result")


class LifecycleHookResource(Resource):
    """AWS::AutoScaling::LifecycleHook."""

    type = "AWS::AutoScaling::LifecycleHook"
    updatable = frozenset(
        {
            "DefaultResult",
            "HeartbeatTimeout",
            "LifecycleTransition",
            "NotificationMetadata",
            "NotificationTargetARN",
            "RoleARN",
        }
    )
    declare: Callable[[FakeAutoScalingGroup, Mapping[str, Any]], None]

    def __init__(self, name: str, group: str) -> None:
        super().__init__(name)
        self._group = group

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Declare the hook."""
        backend = autoscaling_backends[place.account][place.region]
        group = backend.autoscaling_groups[given["AutoScalingGroupName"]]
        named = {"LifecycleHookName": name, **given}
        cls.declare(group, named)
        return cls(named["LifecycleHookName"], group.name)

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Declare the hook again under its name."""
        del old
        return self.create(self.physical_resource_id, given, place)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the hook."""
        backend = autoscaling_backends[account_id][region_name]
        backend.delete_lifecycle_hook(self._group, self.physical_resource_id)


class LifecycleHooksHold(Behaviour):
    """A hook holds a member in Pending:Wait or Terminating:Wait until its action is completed.

    Or until its heartbeat timeout passes: then its default result counts, ABANDON if it has none.
    The action is told to EventBridge, and to the hook's topic or queue. An abandoned launch is
    terminated and replaced; whether the group's terminate hooks run for it is not documented, and
    here they do not. A held launch that is no longer wanted is terminated at once, which is not
    documented either. A member that was killed from outside runs its terminate hooks dead. A hook
    that is deleted abandons the launches that it holds, and lets terminations go on. moto
    stores hooks without their targets and holds nothing; it has no LifecycleHookSpecificationList,
    no CompleteLifecycleAction, no RecordLifecycleActionHeartbeat, and no hooks in templates.
    """

    source = (
        "EC2 Auto Scaling user guide, 'Amazon EC2 Auto Scaling lifecycle hooks'; API reference,"
        " CompleteLifecycleAction and DeleteLifecycleHook; for the dead,"
        " github.com/jenkinsci/ec2-fleet-plugin/issues/452"
    )
    after = (PublishesNotifications,)

    def install(self, patches: Patches) -> None:
        """Add the actions of the API, the group's own list, and the resource type."""
        api = AutoScalingResponse
        self._create_group = api.create_auto_scaling_group
        patches.method(api, "create_auto_scaling_group", self._create_with_hooks)
        patches.method(api, "put_lifecycle_hook", self._put)
        patches.method(api, "complete_lifecycle_action", self._complete)
        self._delete_hook = AutoScalingBackend.delete_lifecycle_hook
        patches.method(AutoScalingBackend, "delete_lifecycle_hook", self._delete)
        patches.method(api, "record_lifecycle_action_heartbeat", self._beat)
        patches.creation(FakeAutoScalingGroup, after=self._declare_all)
        patches.replace(LifecycleHookResource, "declare", staticmethod(self._declare))
        patches.put(parsing.get_model_map(), LifecycleHookResource.type, LifecycleHookResource)

    def _declare(self, group: FakeAutoScalingGroup, given: Mapping[str, Any]) -> None:
        declare(self._aws, group, given)

    def _declare_all(self, group: FakeAutoScalingGroup, given: Mapping[str, Any]) -> None:
        for row in given.get("LifecycleHookSpecificationList") or []:
            declare(self._aws, group, row)

    def _create_with_hooks(self, response: AutoScalingResponse) -> ActionResult:
        result = self._create_group(response)
        self._declare_all(group_of(response), response._get_params())
        return result

    def _put(self, response: AutoScalingResponse) -> EmptyResult:
        declare(self._aws, group_of(response), response._get_params())
        return EmptyResult()

    def _delete(self, backend: AutoScalingBackend, group: str, hook: str) -> None:
        for wait, action in list(_open(backend.autoscaling_groups[group])):
            if action.hook.name == hook:
                complete_action(wait, action, ABANDON if wait.abandon else CONTINUE)
        self._delete_hook(backend, group, hook)

    @staticmethod
    def _complete(response: AutoScalingResponse) -> EmptyResult:
        complete_action(*_named(response), response._get_param("LifecycleActionResult"))
        return EmptyResult()

    def _beat(self, response: AutoScalingResponse) -> EmptyResult:
        beat(self._aws, *_named(response))
        return EmptyResult()


def _named(response: AutoScalingResponse) -> tuple[Wait, Action]:
    return find_action(
        group_of(response),
        response._get_param("LifecycleHookName"),
        token=response._get_param("LifecycleActionToken"),
        instance=response._get_param("InstanceId"),
    )


def _open(group: FakeAutoScalingGroup) -> Iterator[tuple[Wait, Action]]:
    for state in group.instance_states:
        if wait := wait_of(state):
            yield from ((wait, action) for action in wait.actions)
