"""The table that keeps what must outlive a run of the function."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge
from nat_failover.contract import MEMORY_EXPIRES, MEMORY_KEY


class MemoryTable(Construct):
    """A table that costs nothing while nothing happens; losing it never stops a repair.

    It holds no secrets and nothing that could not be observed anew, so it has neither a customer
    key nor backups.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=MEMORY_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=MEMORY_EXPIRES,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.table,
            rule="AwsSolutions-DDB3",
            reason="What it holds can be observed anew; a backup would only be older.",
        )
