"""What the role of the NAT instances allows: to say how they fare, and to read who they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nat_failover.contract import Item
from tests.iam import Request, evaluate, instance_policies

if TYPE_CHECKING:
    from collections.abc import Sequence

REGION = "eu-west-1"
PLACE = f"{REGION}:123456789012"
GROUPS = f"arn:aws:autoscaling:{PLACE}:autoScalingGroup:0a1b2c3d:autoScalingGroupName"
GROUP = f"{GROUPS}/NatFailover-nat"
INSTANCE = f"arn:aws:ec2:{PLACE}:instance/i-0a1b2c3d4e5f60718"
STACKS = f"arn:aws:cloudformation:{PLACE}:stack"
OWN_STACK = f"{STACKS}/NatFailover/own"
TABLE = f"arn:aws:ec2:{PLACE}:route-table/rtb-1"
COMPLETE = "autoscaling:CompleteLifecycleAction"
SIGNAL = "cloudformation:SignalResource"
WITH_SESSIONS = "own-image-with-sessions-and-emails"
VARIANTS = ("default", "launch-configuration", "customer-key", "unwatched", WITH_SESSIONS)
TOPIC = f"arn:aws:sns:{PLACE}:NatFailed"
MEMORY = f"arn:aws:dynamodb:{PLACE}:table/memory"
KEY = f"arn:aws:kms:{PLACE}:key/own"
PEERS = {"dynamodb:LeadingKeys": "peers"}
BY_SNS = {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}

WATCH = [
    Request(action="sns:Publish", resource=TOPIC),
    Request(action="dynamodb:GetItem", resource=MEMORY, context=PEERS),
]
ENCRYPTION = [
    Request(action=action, resource=KEY, context=BY_SNS)
    for action in ("kms:Decrypt", "kms:GenerateDataKey")
]

SESSIONS = [
    Request(action="ssm:UpdateInstanceInformation", resource=INSTANCE),
    Request(action="ssmmessages:CreateControlChannel", resource="*"),
    Request(action="ssmmessages:CreateDataChannel", resource="*"),
    Request(action="ssmmessages:OpenControlChannel", resource="*"),
    Request(action="ssmmessages:OpenDataChannel", resource="*"),
]
NEVER = [
    Request(action=COMPLETE, resource=f"{GROUPS}/Other-nat"),
    Request(action=COMPLETE, resource=f"{GROUPS}/NatFailover-nat-2"),
    Request(action=COMPLETE, resource=f"{GROUPS}/Other/NatFailover-nat"),
    Request(action=COMPLETE, resource=GROUP.replace(REGION, "us-east-1")),
    Request(action="autoscaling:RecordLifecycleActionHeartbeat", resource=GROUP),
    Request(action="autoscaling:SetInstanceHealth", resource=GROUP),
    Request(action="autoscaling:SetDesiredCapacity", resource=GROUP),
    Request(action="autoscaling:TerminateInstanceInAutoScalingGroup", resource=GROUP),
    Request(action="autoscaling:PutLifecycleHook", resource=GROUP),
    Request(action="autoscaling:DescribeAutoScalingInstances", resource="*"),
    Request(action="ec2:DescribeInstances", resource="*"),
    Request(action="ec2:ModifyInstanceAttribute", resource=INSTANCE),
    Request(action="ec2:ReplaceRoute", resource=TABLE),
    Request(action="ec2:TerminateInstances", resource=INSTANCE),
    Request(action="ssm:GetParameter", resource=f"arn:aws:ssm:{PLACE}:parameter/any"),
    Request(action="iam:PassRole", resource="arn:aws:iam::123456789012:role/any"),
    Request(action="cloudformation:DescribeStacks", resource=OWN_STACK),
    Request(action="cloudformation:UpdateStack", resource=OWN_STACK),
    Request(action="s3:GetObject", resource="arn:aws:s3:::any/any"),
    # Of the table what the function keeps for itself, the whole of it, and every write.
    *(
        Request(
            action="dynamodb:GetItem", resource=MEMORY, context={"dynamodb:LeadingKeys": item.value}
        )
        for item in Item
        if item is not Item.PEERS
    ),
    Request(action="dynamodb:GetItem", resource=MEMORY),
    *(
        Request(action=f"dynamodb:{action}", resource=MEMORY, context=PEERS)
        for action in ("BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
    ),
    Request(action="dynamodb:Scan", resource=MEMORY),
    Request(action="dynamodb:GetItem", resource=f"{MEMORY}-other", context=PEERS),
    Request(action="dynamodb:GetItem", resource=MEMORY.replace(REGION, "us-east-1"), context=PEERS),
    # Other topics, and of the own one everything but the publication.
    Request(action="sns:Publish", resource=TOPIC.replace("NatFailed", "Outcome")),
    Request(action="sns:Subscribe", resource=TOPIC),
    Request(action="sns:SetTopicAttributes", resource=TOPIC),
    # The key by itself, for another service, and another key.
    Request(action="kms:Decrypt", resource=KEY),
    Request(
        action="kms:Decrypt",
        resource=KEY,
        context={"kms:ViaService": f"sqs.{REGION}.amazonaws.com"},
    ),
    Request(action="kms:Decrypt", resource=KEY.replace("own", "other"), context=BY_SNS),
    Request(action="kms:Encrypt", resource=KEY, context=BY_SNS),
]


def answers(variant: str, asked: Sequence[Request]) -> list[bool]:
    """Return what the instances of a variant may do; the key leaves it to the account's IAM."""
    policies = instance_policies(variant, region=REGION, topic=TOPIC, memory=MEMORY, key=KEY)
    by_iam = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    of_a_key = [
        replace(row, resource_policy=by_iam) if ":kms:" in row.resource else row for row in asked
    ]
    return evaluate(policies, of_a_key)


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_complete_the_actions_of_its_own_group_and_nothing_else(variant: str) -> None:
    """Another group's action, another call on its own group, a route: all refused."""
    asked = [Request(action=COMPLETE, resource=GROUP), *NEVER]
    assert answers(variant, asked) == [True] + [False] * len(NEVER)


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_signal_its_own_stack_and_no_other(variant: str) -> None:
    """A stack is known by its id, which a stack of the same name later does not have."""
    others = [f"{STACKS}/NatFailover/other", f"{STACKS}/Other/own"]
    asked = [Request(action=SIGNAL, resource=arn) for arn in (OWN_STACK, *others)]
    assert answers(variant, asked) == [True, False, False]


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_talk_to_session_manager_only_when_it_is_on(variant: str) -> None:
    """All that a session needs, or none of it."""
    assert answers(variant, SESSIONS) == [variant == WITH_SESSIONS] * len(SESSIONS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_publish_claims_and_read_the_ring_only_while_it_watches(variant: str) -> None:
    """One topic, one item, and with a customer key the key, as far as SNS uses it."""
    watches = variant != "unwatched"
    assert answers(variant, WATCH) == [watches] * len(WATCH)
    encrypted = variant == "customer-key"
    assert answers(variant, ENCRYPTION) == [encrypted] * len(ENCRYPTION)
