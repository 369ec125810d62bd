"""What a NAT instance may do: say of its launch, and what its watch needs, on exact resources.

Resource types and condition keys: "Actions, resources, and condition keys for …" of Amazon EC2 Auto
Scaling, AWS CloudFormation, Amazon DynamoDB, Amazon SNS and AWS KMS, Service Authorization
Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_nat_failover.acknowledgements import acknowledge_wildcard
from nat_failover.contract import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_s3_assets as assets
    from constructs import Construct

    from cdk_nat_failover.messaging.encryption_key import EncryptionKey
    from cdk_nat_failover.messaging.failover_topic import FailoverTopic
    from cdk_nat_failover.options.instances import InstanceOptions


class NatRole(iam.Role):
    """The role of the instances; a part of a permission is there only while its option is on."""

    def __init__(  # noqa: PLR0913 - what the instances touch, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: str,
        topic: FailoverTopic,
        memory: dynamodb.ITable,
        code: assets.Asset | None,
        options: InstanceOptions,
    ) -> None:
        stack = cdk.Stack.of(scope)
        # The group does not exist yet: its ARN is made of its name and of an id made up by AWS.
        own_group = stack.format_arn(
            service="autoscaling",
            resource="autoScalingGroup:*:autoScalingGroupName",
            resource_name=group,
        )
        instances = stack.format_arn(service="ec2", resource="instance", resource_name="*")
        statements = [
            _allow("Launch", ["autoscaling:CompleteLifecycleAction"], own_group),
            _allow("Signal", ["cloudformation:SignalResource"], stack.stack_id),
        ]
        if code:
            file = code.bucket.arn_for_objects(code.s3_object_key)
            statements += [*_watch(stack, topic, memory), _allow("Code", ["s3:GetObject"], file)]
        if options.session_manager:
            statements += _session_manager(instances)
        super().__init__(
            scope,
            construct_id,
            description="Lets the NAT instances say whether they forward",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={"Instance": iam.PolicyDocument(statements=statements)},
        )
        reasons = {own_group: "A part of the group's ARN is made up by AWS."}
        if options.session_manager:
            reasons[instances] = "An instance that is still to be launched has no id."
            reasons["*"] = "Session Manager's channels cannot be limited to a resource."
        for resource, reason in reasons.items():
            acknowledge_wildcard(self, resource=resource, reason=reason)


def _watch(
    stack: cdk.Stack, topic: FailoverTopic, memory: dynamodb.ITable
) -> list[iam.PolicyStatement]:
    """Return what the watch needs: to publish claims, and to read the ring of NATs.

    Of the table it may read the one item. `ForAllValues` is true of a request without the key, so
    the key must be there ("Using multiple keys and values", IAM user guide; "Using IAM policy
    conditions for fine-grained access control", DynamoDB developer guide).
    """
    ring = _allow("Ring", ["dynamodb:GetItem"], memory.table_arn)
    ring.add_condition("ForAllValues:StringEquals", {"dynamodb:LeadingKeys": [Item.PEERS]})
    ring.add_condition("Null", {"dynamodb:LeadingKeys": "false"})
    claims = _allow("Claims", ["sns:Publish"], topic.topic.topic_arn)
    return [claims, ring, *_encryption(stack, topic.key)]


def _encryption(stack: cdk.Stack, key: EncryptionKey | None) -> list[iam.PolicyStatement]:
    """Return what a publisher needs of the topic's key, while SNS uses it on its behalf.

    No document says what SNS is called there in partitions whose names end otherwise.
    """
    if key is None:
        return []
    statement = _allow("Encrypt", ["kms:Decrypt", "kms:GenerateDataKey"], key.key.key_arn)
    names = [f"sns.{stack.region}.{suffix}" for suffix in ("amazonaws.com", stack.url_suffix)]
    statement.add_condition("StringEquals", {"kms:ViaService": names})
    return [statement]


def _session_manager(instances: str) -> list[iam.PolicyStatement]:
    """Return what a session of Session Manager needs.

    The managed policy AmazonSSMManagedInstanceCore would also let the instances read every
    parameter of the account ("Adding Session Manager permissions to an existing IAM role", Systems
    Manager user guide).
    """
    channels = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]
    return [
        _allow("Register", ["ssm:UpdateInstanceInformation"], instances),
        _allow("Talk", channels, "*"),
    ]


def _allow(sid: str, actions: Sequence[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=[resource])
