"""EventBridge: how an event of an AWS service reaches the functions of the rules that match it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, cast

from moto.events.models import events_backends

from lab.emulator.journal import Who
from lab.emulator.services.lambda_.function_policies import may_invoke
from lab.emulator.services.lambda_.functions import invoke_later, keep_dead_letter
from lab.emulator.services.messaging.delivery import Leg, Message
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.events.models import Rule
    from moto.events.utils import EventMessageType

    from lab.emulator.behaviour import Emulation


def event_of(
    aws: Emulation, source: str, kind: str, resources: list[str], detail: Mapping[str, Any]
) -> EventMessageType:
    """Return an event as EventBridge has it, at this moment; `kind` is its detail-type.

    Source: EventBridge user guide, "Events in Amazon EventBridge".
    """
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": aws.account,
        "time": f"{aws.clock.timestamp()[:19]}Z",
        "region": aws.region,
        "resources": resources,
        "detail": dict(detail),
    }
    return cast("EventMessageType", event)


def publish(aws: Emulation, event: EventMessageType, says: str) -> None:
    """Hand an event to the functions of the default bus's matching rules, once it has travelled.

    `says` is the event in words for the journal. Targets that are not functions are not played.
    """
    aws.clock.after(delays.EVENT_DELIVERY, lambda: _match(aws, event, says))


def deliver(
    aws: Emulation, leg: Leg, target: Mapping[str, Any], event: EventMessageType, says: str
) -> None:
    """Invoke a rule's target function with an event, or with the target's own constant input.

    An event that is held up for longer than the target's RetryPolicy lets EventBridge try goes to
    the target's dead-letter queue (EventBridge user guide, "How EventBridge retries delivering
    events").
    """
    constant = target.get("Input")
    sent = json.loads(constant) if constant else event

    def hand_over() -> None:
        kind, words = _HANDED_OVER[leg]
        aws.journal.note(Who.EVENT_BRIDGE, kind, words.format(says))
        invoke_later(aws, target["Arn"], sent)

    def give_up() -> None:
        keep_dead_letter(aws, target.get("DeadLetterConfig", {}).get("Arn", ""), json.dumps(sent))

    aws.delivery.deliver(Message(leg, says, hand_over, _max_age(target), give_up))


_HANDED_OVER = {
    Leg.RULE: ("delivered", "tells the function that {}"),
    Leg.SCHEDULE: ("scheduled", "runs {}"),
}
"""What the journal says of an event that is handed over: the kind of the entry, and the words."""


def _max_age(target: Mapping[str, Any]) -> float:
    """Return for how many seconds EventBridge tries to reach a target."""
    policy = target.get("RetryPolicy", {})
    if policy.get("MaximumRetryAttempts") in (0, "0"):
        return 0.0
    return float(policy.get("MaximumEventAgeInSeconds", delays.EVENT_AGE.high))


def targets_of(aws: Emulation, rule: Rule) -> Iterator[Mapping[str, Any]]:
    """Yield the targets of an enabled rule that are functions and let the rule invoke them."""
    if rule.state == "ENABLED":
        for target in list(rule.targets):
            if may_invoke(aws, target["Arn"], "events.amazonaws.com", rule.arn):
                yield target


def _match(aws: Emulation, event: EventMessageType, says: str) -> None:
    bus = events_backends[aws.account][aws.region].event_buses["default"]
    for rule in list(bus.rules.values()):
        if rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(event):
            for target in targets_of(aws, rule):
                deliver(aws, Leg.RULE, target, event, says)
