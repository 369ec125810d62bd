"""The customer key of the topics and of the dead-letter queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_nat_failover.messaging.topic_policies import auto_scaling

# "Managing Amazon SNS encryption keys", SNS developer guide.
USE = ("kms:Decrypt", "kms:GenerateDataKey*")


class EncryptionKey(Construct):
    """A rotated key that the services which publish to the topics may use, for this account.

    Auto Scaling is known by its role, CloudWatch by the account of its alarms ("Managing Amazon SNS
    encryption keys", SNS developer guide).
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts the messages about NAT instances",
            enable_key_rotation=True,
            # It encrypts messages in flight only: nothing that outlives the stack needs it.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        for statement in self._publishers():
            self.key.add_to_resource_policy(statement)

    def _publishers(self) -> list[iam.PolicyStatement]:
        account = cdk.Stack.of(self).account
        scaling = auto_scaling(self, actions=USE, resource="*")
        scaling.add_condition("StringEquals", {"kms:CallerAccount": account})
        return [
            scaling,
            iam.PolicyStatement(
                sid="CloudWatch",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=list(USE),
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            ),
        ]
