"""EventBridge: what it says of an instance's state, and to whom."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from moto.core.utils import iso_8601_datetime_without_milliseconds, utcnow
from moto.events.models import events_backends

from lab import delays
from lab.aws.behaviour import Behaviour, Patches
from lab.aws.functions import invoke_later, may_invoke
from lab.journal import Who

if TYPE_CHECKING:
    from moto.events.models import Rule
    from moto.events.utils import EventMessageType

    from lab.journal import Entry


class PublishesStateChanges(Behaviour):
    """Each change of an instance's state is an event that invokes the functions of matching rules.

    Only if the function's policy lets the rule. moto publishes no such events. Targets that are not
    functions are not played.
    """

    source = "EC2 user guide, 'State change events for your instances'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal, in which every change of state stands."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == "instance state":
            event = self._event(entry.detail["instance"], entry.detail["state"])
            self._aws.clock.after(delays.EVENT_DELIVERY, lambda: self._publish(event))

    def _event(self, instance: str, state: str) -> EventMessageType:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "EC2 Instance State-change Notification",
            "source": "aws.ec2",
            "account": self._aws.account,
            "time": iso_8601_datetime_without_milliseconds(utcnow()),
            "region": self._aws.region,
            "resources": [
                f"arn:aws:ec2:{self._aws.region}:{self._aws.account}:instance/{instance}"
            ],
            "detail": {"instance-id": instance, "state": state},
        }

    def _publish(self, event: EventMessageType) -> None:
        bus = events_backends[self._aws.account][self._aws.region].event_buses["default"]
        for rule in list(bus.rules.values()):
            pattern = rule.event_pattern
            if rule.state == "ENABLED" and pattern.get_pattern() and pattern.matches_event(event):
                self._deliver(rule, event)

    def _deliver(self, rule: Rule, event: EventMessageType) -> None:
        for target in rule.targets:
            if may_invoke(self._aws, target["Arn"], "events.amazonaws.com", rule.arn):
                detail = event["detail"]
                what = f"tells the function that {detail['instance-id']} is {detail['state']}"
                self._aws.journal.note(Who.EVENT_BRIDGE, "delivered", what)
                invoke_later(self._aws, target["Arn"], event)
