"""The notifications topic: what the function did, and what it could not do, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk_nat_failover.messaging.topic_policies import service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_nat_failover.messaging.encryption_key import EncryptionKey


class NotificationsTopic(Construct):
    """A topic to which the function and the stack's alarms publish, and people subscribe."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: EncryptionKey | None,
        emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name="NAT failover notifications",
            enforce_ssl=True,
            master_key=key.key if key else None,
        )
        # The function needs no statement here: its role has one.
        self.topic.add_to_resource_policy(
            service(
                self,
                name="cloudwatch.amazonaws.com",
                sid="CloudWatch",
                topic_arn=self.topic.topic_arn,
            )
        )
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
