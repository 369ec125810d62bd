"""EC2: what it tells EventBridge of an instance's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.messaging.events import event_of, publish

if TYPE_CHECKING:
    from lab.emulator.journal import Entry


class PublishesStateChanges(Behaviour):
    """Each change of an instance's state is an event that invokes the functions of matching rules.

    Only if the function's policy lets the rule. moto publishes no such events.
    """

    source = "EC2 user guide, 'State change events for your instances'"

    def install(self, patches: Patches) -> None:
        """Listen to the journal, in which every change of state stands."""
        del patches  # moto itself stays as it is
        self._aws.journal.listen(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.kind == "instance state":
            instance, state = entry.detail["instance"], entry.detail["state"]
            arn = f"arn:aws:ec2:{self._aws.region}:{self._aws.account}:instance/{instance}"
            event = event_of(
                self._aws,
                "aws.ec2",
                "EC2 Instance State-change Notification",
                [arn],
                {"instance-id": instance, "state": state},
            )
            publish(self._aws, event, f"{instance} is {state}")
