"""The topic `NatFailed`: whatever is published to it makes the function observe the NATs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_nat_failover.messaging.topic_policies import auto_scaling

if TYPE_CHECKING:
    from cdk_nat_failover.messaging.encryption_key import EncryptionKey


class FailoverTopic(Construct):
    """A topic whose policy admits Auto Scaling of this account, and no other service.

    EventBridge invokes the function itself, and no alarm wakes it. A topic's policy does not bind
    the account's own administrators: who has `sns:Publish` in an identity policy can publish too,
    which is how a person sends a test message, and a NAT its claims.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: EncryptionKey | None) -> None:
        super().__init__(scope, construct_id)
        self.key = key
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name="NAT failover triggers",
            enforce_ssl=True,
            master_key=key.key if key else None,
        )
        self.topic.add_to_resource_policy(
            auto_scaling(self, actions=["sns:Publish"], resource=self.topic.topic_arn)
        )
