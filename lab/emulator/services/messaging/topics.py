"""SNS: what a topic hands to a function."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import Any

from moto.sns.models import Subscription

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.journal import Who
from lab.emulator.services.lambda_.function_policies import may_invoke
from lab.emulator.services.lambda_.functions import invoke_later
from lab.emulator.services.messaging.delivery import Leg, Message
from lab.emulator.time import delays


class DeliversToFunctions(Behaviour):
    """SNS invokes a subscribed function asynchronously, with the message as a string in a record.

    Only if the function's policy lets the topic. moto waits for the function, does not ask its
    policy, and sends a record that names a made-up topic, message id and time.
    """

    source = "Lambda developer guide, 'Invoking Lambda functions with Amazon SNS notifications'"

    def install(self, patches: Patches) -> None:
        """Replace moto's delivery to the protocol 'lambda'; the other protocols stay moto's."""
        self._publish = Subscription.publish
        patches.method(Subscription, "publish", self._deliver)

    def _deliver(
        self,
        subscription: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        **rest: Any,
    ) -> None:
        if subscription.protocol != "lambda":
            self._publish(subscription, message, message_id, subject=subject, **rest)
            return
        topic = subscription.topic.arn
        if may_invoke(self._aws, subscription.endpoint, "sns.amazonaws.com", topic):
            now = self._aws.clock.timestamp()
            event = {"Records": [_record(subscription, message, message_id, subject, now)]}
            leaves = Message(
                Leg.TOPIC,
                subject or "one without a subject",
                lambda: self._hand_over(subscription.endpoint, event, message),
            )
            delivery = self._aws.delivery
            self._aws.clock.after(delays.SNS_DELIVERY, lambda: delivery.deliver(leaves))

    def _hand_over(self, function: str, event: dict[str, Any], message: str) -> None:
        what = "hands the message to the subscribed function"
        detail = {"function": function, "message": message}
        self._aws.journal.note(Who.SNS, "delivered", what, **detail)
        invoke_later(self._aws, function, event)


def _record(
    subscription: Subscription, message: str, message_id: str, subject: str | None, now: str
) -> dict[str, Any]:
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": subscription.topic.arn,
            "Subject": subject,
            "Message": message,
            "Timestamp": now,
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertUrl": "",
            "UnsubscribeUrl": "",
            "MessageAttributes": {},
        },
    }
