"""Lifecycle actions: how long a member stays in a wait state, and how that ends."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from lab.emulator.journal import Who
from lab.emulator.services.messaging.events import event_of, publish
from lab.emulator.side_tables import Attribute, SideTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, LifecycleHook

    from lab.emulator.behaviour import Emulation

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE, ABANDON = "CONTINUE", "ABANDON"

_ENDS = {LAUNCHING: ("EC2", "AutoScalingGroup"), TERMINATING: ("AutoScalingGroup", "EC2")}
_STATES = {LAUNCHING: "Pending", TERMINATING: "Terminating"}
_EVENTS = {
    LAUNCHING: "EC2 Instance-launch Lifecycle Action",
    TERMINATING: "EC2 Instance-terminate Lifecycle Action",
}


@dataclass(slots=True)
class Action:
    """One hook's lifecycle action: it is over at `due`, unless a heartbeat comes, or at `limit`."""

    hook: LifecycleHook
    token: str
    due: float
    limit: float


@dataclass(slots=True, eq=False)
class Wait:
    """A member's stay in a wait state, until all hooks say CONTINUE or one says ABANDON.

    `abandon` gets the sentence that says why; without it, the member proceeds all the same.
    """

    state: InstanceState
    transition: str
    proceed: Callable[[], None]
    abandon: Callable[[str], None] | None
    actions: list[Action] = field(default_factory=list)


_WAITS: SideTable[InstanceState, Wait | None] = SideTable(lambda: None)
"""The wait that a member is in."""

NOTIFICATION_METADATA: Attribute[LifecycleHook, str | None] = Attribute(
    "notification_metadata", None
)
"""What a hook's owner wants its messages to say."""


def wait_for_hooks(
    aws: Emulation,
    state: InstanceState,
    transition: str,
    *,
    proceed: Callable[[], None],
    abandon: Callable[[str], None] | None = None,
) -> bool:
    """Begin a wait for the group's hooks of a transition; False if it has none."""
    hooks = _hooks_of(state.auto_scaling_group, transition)
    if not hooks:
        return False
    wait = Wait(state, transition, proceed, abandon)
    _WAITS[state] = wait
    state.lifecycle_state = f"{_STATES[transition]}:Wait"
    for hook in hooks:
        _begin(aws, wait, hook)
    return True


def wait_of(state: InstanceState) -> Wait | None:
    """Return the wait that a member is in."""
    return _WAITS[state]


def end_wait(state: InstanceState) -> None:
    """Let a wait be over without consequence; its actions no longer exist."""
    _WAITS[state] = None


def complete(wait: Wait, action: Action, result: str, why: str) -> None:
    """Complete a lifecycle action. The last CONTINUE or the first ABANDON ends the wait."""
    wait.actions.remove(action)
    if result == ABANDON and wait.abandon:
        end_wait(wait.state)
        wait.abandon(
            "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token"
            f" {action.token} was abandoned: {why}"
        )
    elif not wait.actions or result == ABANDON:
        end_wait(wait.state)
        wait.state.lifecycle_state = f"{_STATES[wait.transition]}:Proceed"
        wait.proceed()


def beat(aws: Emulation, wait: Wait, action: Action) -> None:
    """Let the hook's heartbeat timeout start again, within the action's limit."""
    action.due = min(aws.clock.now() + action.hook.heartbeat_timeout, action.limit)
    aws.clock.at(action.due, lambda: _expire(aws, wait, action))


def _begin(aws: Emulation, wait: Wait, hook: LifecycleHook) -> None:
    now = aws.clock.now()
    action = Action(hook, str(uuid.uuid4()), now, now + hook.global_timeout)
    wait.actions.append(action)
    beat(aws, wait, action)
    _tell(aws, wait, action)


def _expire(aws: Emulation, wait: Wait, action: Action) -> None:
    open_still = wait_of(wait.state) is wait and action in wait.actions
    if open_still and aws.clock.now() >= action.due:
        complete(wait, action, action.hook.default_result, "Heartbeat Timeout")


def _tell(aws: Emulation, wait: Wait, action: Action) -> None:
    """Tell EventBridge, and the hook's target if it has one, that the action has begun."""
    state, hook = wait.state, action.hook
    doing = wait.transition.rpartition("_")[-1]
    what = f"{state.lifecycle_state}: {state.instance.id} waits for the hook {hook.name}"
    aws.journal.note(Who.AUTO_SCALING, "hook", what, instance=state.instance.id, hook=hook.name)
    origin, destination = _ENDS[wait.transition]
    detail = {
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": state.auto_scaling_group.name,
        "LifecycleHookName": hook.name,
        "EC2InstanceId": state.instance.id,
        "LifecycleTransition": wait.transition,
        **({"NotificationMetadata": said} if (said := _metadata(hook)) else {}),
        "Origin": origin,
        "Destination": destination,
    }
    arn = state.auto_scaling_group.arn
    event = event_of(aws, "aws.autoscaling", _EVENTS[wait.transition], [arn], detail)
    publish(aws, event, f"{state.instance.id} waits for a hook while {doing.lower()}")
    subject = f"Auto Scaling:  Lifecycle action '{doing}' for instance {state.instance.id}"
    send(aws, hook, detail, f"{subject} in progress.")


def send(aws: Emulation, hook: LifecycleHook, facts: dict[str, Any], subject: str) -> None:
    """Send a message to the topic or queue that is a hook's notification target, if it has one."""
    message = {
        **facts,
        "AccountId": aws.account,
        "RequestId": str(uuid.uuid4()),
        "Service": "AWS Auto Scaling",
        "Time": aws.clock.timestamp(),
    }
    target = hook.notification_target_arn or ""
    if target.split(":")[2:3] == ["sns"]:
        topic = sns_backends[aws.account][aws.region]
        topic.publish(json.dumps(message), arn=target, subject=subject)
    elif target:
        queue = target.rpartition(":")[-1]
        sqs_backends[aws.account][aws.region].send_message(queue, json.dumps(message))


def _metadata(hook: LifecycleHook) -> str:
    return NOTIFICATION_METADATA[hook] or ""


def _hooks_of(group: FakeAutoScalingGroup, transition: str) -> list[LifecycleHook]:
    hooks = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
    return [hook for hook in hooks if hook.lifecycle_transition == transition]
