"""What the function's role allows: its own stack, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.actions import Action
from nat_failover.contract import FLEET_TAG
from tests.iam import Request, evaluate, resolve
from tests.synth.template import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

ACCOUNT = "123456789012"
REGION = "eu-west-1"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
TABLE = f"{EC2}:route-table/rtb-1"
SUBNET = f"{EC2}:subnet/subnet-1"
INSTANCE = f"{EC2}:instance/i-1"
VPC = f"{EC2}:vpc/vpc-1"
INTERFACE = f"{EC2}:network-interface/eni-1"
GROUPS = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:any:autoScalingGroupName"
GROUP = f"{GROUPS}/NatFailover-nat"
MEMORY = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/memory"
OUTCOME = f"arn:aws:sns:{REGION}:{ACCOUNT}:outcome"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letters"
LOG = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:log"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/key-1"
OURS = {FLEET_TAG: "NatFailover"}

OFF = "ec2:Attribute/SourceDestCheck"
FORWARD = Request(
    action="ec2:ModifyNetworkInterfaceAttribute",
    resource=INTERFACE,
    context={OFF: "false", "ec2:Subnet": f"{EC2}:subnet/subnet-public-1", "ec2:Vpc": VPC},
)

READS = [
    Request(action="autoscaling:DescribeAutoScalingGroups", resource="*"),
    Request(action="ec2:DescribeInstances", resource="*"),
    Request(action="ec2:DescribeRouteTables", resource="*"),
]
GATEWAYS = [Request(action="ec2:DescribeNatGateways", resource="*")]
RELEASES = [
    *GATEWAYS,
    Request(action="ec2:DeleteRoute", resource=TABLE),
    Request(action="ec2:DeleteRoute", resource=f"{EC2}:route-table/rtb-2"),
]
CHECKS = [
    Request(action="ec2:DescribeNetworkAcls", resource="*"),
    Request(action="ec2:DescribeSubnets", resource="*"),
    Request(action="ec2:DescribeVpcs", resource="*"),
]
WRITES = [
    Request(action="ec2:CreateRoute", resource=TABLE),
    Request(action="ec2:ReplaceRoute", resource=TABLE),
    Request(action="ec2:ReplaceRoute", resource=f"{EC2}:route-table/rtb-2"),
    FORWARD,
    *(
        Request(action=f"autoscaling:{action}", resource=GROUP)
        for action in (
            "CompleteLifecycleAction",
            "RecordLifecycleActionHeartbeat",
            "ResumeProcesses",
            "SetInstanceHealth",
            "SetInstanceProtection",
            "TerminateInstanceInAutoScalingGroup",
        )
    ),
    Request(action="dynamodb:GetItem", resource=MEMORY),
    Request(action="dynamodb:PutItem", resource=MEMORY),
    Request(action="dynamodb:UpdateItem", resource=MEMORY),
    Request(action="sns:Publish", resource=OUTCOME),
    Request(action="sqs:SendMessage", resource=QUEUE),
    Request(action="logs:CreateLogStream", resource=f"{LOG}:log-stream:any"),
    Request(action="logs:PutLogEvents", resource=f"{LOG}:log-stream:any"),
]
SWAPS = [
    Request(action=f"ec2:{action}", resource=resource)
    for action in (
        "AssociateRouteTable",
        "DisassociateRouteTable",
        "ReplaceRouteTableAssociation",
    )
    for resource in (TABLE, SUBNET)
]
DISASSOCIATIONS = [request for request in SWAPS if "Disassociate" in request.action]
FOREIGN_TABLE = Request(
    action="ec2:ReplaceRouteTableAssociation",
    resource=f"{EC2}:route-table/rtb-foreign",
    context={"ec2:Vpc": VPC},
)
DEPARTURES = [FOREIGN_TABLE]
ENCRYPTION = [
    Request(action="kms:Decrypt", resource=KEY),
    Request(action="kms:GenerateDataKey", resource=KEY),
]
IP = f"{EC2}:elastic-ip/eipalloc-0123456789abcdef0"
ASSOCIATE = "ec2:AssociateAddress"
IN_PUBLIC = {"ec2:Subnet": f"{EC2}:subnet/subnet-public-1"}
MEMBER = {"aws:autoscaling:groupName": "NatFailover-nat"}
ADDRESSES = [
    Request(action="ec2:DescribeAddresses", resource="*"),
    Request(action=ASSOCIATE, resource=IP),
    Request(action=ASSOCIATE, resource=INTERFACE, context=IN_PUBLIC),
    Request(action=ASSOCIATE, resource=INSTANCE, tags=MEMBER),
]
FOREIGN = [
    Request(action=ASSOCIATE, resource=f"{EC2}:elastic-ip/eipalloc-0"),
    Request(action=ASSOCIATE, resource=INTERFACE, context={"ec2:Subnet": SUBNET}),
    Request(action=ASSOCIATE, resource=INSTANCE, tags=OURS),
    Request(action=ASSOCIATE, resource=INSTANCE, tags={"aws:autoscaling:groupName": "Other-nat"}),
    Request(action="ec2:DisassociateAddress", resource=IP),
    Request(action="ec2:ReleaseAddress", resource=IP),
    Request(action="ec2:CreateRoute", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:ReplaceRoute", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:ReplaceRoute", resource=f"{EC2}:route-table/rtb-other", tags=OURS),
    Request(action="ec2:ReplaceRoute", resource=TABLE.replace(REGION, "us-east-1")),
    Request(action="ec2:DeleteRoute", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:ReplaceRouteTableAssociation", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:ReplaceRouteTableAssociation", resource=f"{EC2}:subnet/subnet-other"),
    Request(action="ec2:DisassociateRouteTable", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:DisassociateRouteTable", resource=f"{EC2}:subnet/subnet-other"),
    Request(action="ec2:DisassociateRouteTable", resource=f"{EC2}:subnet/subnet-public-1"),
    Request(action="ec2:AssociateRouteTable", resource=f"{EC2}:route-table/rtb-other"),
    Request(action="ec2:AssociateRouteTable", resource=f"{EC2}:subnet/subnet-other"),
    replace(FOREIGN_TABLE, context={"ec2:Vpc": f"{EC2}:vpc/vpc-other"}),
    replace(FOREIGN_TABLE, action="ec2:AssociateRouteTable"),
    replace(FOREIGN_TABLE, action="ec2:ReplaceRoute"),
    replace(FOREIGN_TABLE, action="ec2:DisassociateRouteTable"),
    # The check of an interface elsewhere, of one that is not in a public subnet, switched on again;
    # and anything else that the call can change, alone or beside the check.
    *(
        replace(FORWARD, context={**FORWARD.context, "ec2:Subnet": f"{EC2}:subnet/{subnet}"})
        for subnet in ("subnet-other", "subnet-1")
    ),
    replace(FORWARD, context={**FORWARD.context, OFF: "true"}),
    replace(FORWARD, context={"ec2:Subnet": FORWARD.context["ec2:Subnet"]}),
    replace(FORWARD, context={OFF: "false"}),
    replace(FORWARD, resource=INTERFACE.replace(REGION, "us-east-1")),
    replace(FORWARD, resource=f"{EC2}:security-group/sg-1", context={}),
    replace(FORWARD, resource=INSTANCE, context={}, tags=OURS),
    Request(action="ec2:ModifyInstanceAttribute", resource=INSTANCE, tags=OURS),
    Request(action="ec2:TerminateInstances", resource=INSTANCE, tags=OURS),
    *(
        Request(action=f"autoscaling:{action}", resource=f"{GROUPS}/{name}", tags=OURS)
        for action in (
            "CompleteLifecycleAction",
            "RecordLifecycleActionHeartbeat",
            "SetInstanceHealth",
            "SetInstanceProtection",
        )
        for name in ("NatFailover-nat2", "Other-nat")
    ),
    Request(action="autoscaling:SetDesiredCapacity", resource=GROUP, tags=OURS),
    Request(action="autoscaling:SuspendProcesses", resource=GROUP, tags=OURS),
    Request(action="dynamodb:PutItem", resource=f"{MEMORY}-other"),
    Request(action="dynamodb:UpdateItem", resource=f"{MEMORY}-other"),
    Request(action="dynamodb:DeleteItem", resource=MEMORY),
    Request(action="dynamodb:Scan", resource=MEMORY),
    Request(action="sns:Publish", resource=OUTCOME.replace("outcome", "nat-failed")),
    Request(action="sqs:ReceiveMessage", resource=QUEUE),
    Request(action="logs:CreateLogGroup", resource=f"{LOG}-other"),
    Request(action="logs:PutLogEvents", resource=f"{LOG}-other:log-stream:any"),
    Request(action="kms:Decrypt", resource=KEY.replace("key-1", "key-other")),
]


@pytest.mark.parametrize(
    ("variant", "allowed"),
    [
        ("default", READS + WRITES + DISASSOCIATIONS),
        ("served-networks", READS + CHECKS + WRITES + DISASSOCIATIONS),
        ("swap-route-table", READS + WRITES + SWAPS + DEPARTURES),
        ("swap-and-adopt", READS + WRITES + RELEASES + SWAPS + DEPARTURES),
        ("adopt-one-table", READS + WRITES + RELEASES + DISASSOCIATIONS),
        ("standby-gateway", READS + WRITES + GATEWAYS + DISASSOCIATIONS),
        ("customer-key", READS + WRITES + DISASSOCIATIONS + ENCRYPTION),
        ("elastic-ips-that-are-given", READS + WRITES + DISASSOCIATIONS + ADDRESSES),
    ],
)
def test_role_allows_what_the_function_does_and_refuses_what_it_does_not(
    synthesize: Callable[[str], Template], variant: str, allowed: list[Request]
) -> None:
    """The stack's own tables, subnets, instances, group, topic, queue, log and key; no others."""
    template = synthesize(variant)
    requests = [*READS, *CHECKS, *WRITES, *RELEASES, *SWAPS, *DEPARTURES, *ENCRYPTION, *ADDRESSES]
    requests += FOREIGN
    asked = [
        replace(request, resource_policy=_key_policy(template))
        if request.action.startswith("kms:")
        else request
        for request in requests
    ]
    answers = evaluate(_policies(template), asked)
    assert [request for request, yes in zip(requests, answers, strict=True) if yes] == allowed


@pytest.mark.parametrize("variant", VARIANTS)
def test_role_names_no_resource_by_a_star_but_for_looking(
    variant: str, synthesize: Callable[[str], Template]
) -> None:
    """Describe calls cannot be limited to a resource; everything else is."""
    template = synthesize(variant)
    checks = CHECKS if variant in {"existing-vpc", "served-networks"} else []
    gateways = GATEWAYS if "adopt" in variant or variant == "standby-gateway" else []
    statements = [
        statement
        for policy in _role(template)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    (looking,) = (each["Action"] for each in statements if each["Resource"] == "*")
    expected = {request.action for request in READS + checks + gateways}
    assert set(looking) - {"ec2:DescribeAddresses"} == expected


def test_role_names_the_calls_of_every_write_and_no_others(
    synthesize: Callable[[str], Template],
) -> None:
    """What the function may write to EC2 and Auto Scaling is what its actions say they call.

    The memory it writes on its own account, too.
    """
    reads = {request.action for request in READS + GATEWAYS} | {"ec2:DescribeAddresses"}
    named = {
        action
        for variant in ("swap-and-adopt", "elastic-ips")
        for policy in _role(synthesize(variant))["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _each(statement["Action"])
        if action.startswith(("ec2:", "autoscaling:")) and action not in reads
    }
    calls = {call for action in Action.__subclasses__() for call in action.calls}
    assert {call for call in calls if not call.startswith("dynamodb:")} == named


def test_role_names_every_action_in_full(template: Template) -> None:
    """An action with a `*` in it grows when AWS adds actions."""
    for policy in _role(template)["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in json.dumps(statement["Action"])


def test_role_has_no_policy_but_its_own(template: Template) -> None:
    """Nothing that CDK or a later construct grants can widen it."""
    assert "ManagedPolicyArns" not in _role(template)
    assert template.resources("AWS::IAM::Policy") == {}
    assert template.resources("AWS::IAM::ManagedPolicy") == {}


def test_role_is_for_lambda(template: Template) -> None:
    """Nobody else may take it on."""
    (statement,) = _role(template)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def _each(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def _role(template: Template) -> dict[str, Any]:
    return dict(template.properties("AWS::IAM::Role", "Failover"))


def _policies(template: Template) -> list[dict[str, Any]]:
    values = _values(template)
    return [resolve(policy["PolicyDocument"], values) for policy in _role(template)["Policies"]]


def _key_policy(template: Template) -> dict[str, Any] | None:
    policies = [
        resolve(key["Properties"]["KeyPolicy"], _values(template))
        for key in template.resources("AWS::KMS::Key").values()
    ]
    return next(iter(policies), None)


def _values(template: Template) -> dict[str, str]:
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        template.logical_id("AWS::SNS::Topic", "Outcome"): OUTCOME,
        template.logical_id("AWS::EC2::VPC"): "vpc-1",
        f"{template.logical_id('AWS::DynamoDB::Table')}.Arn": MEMORY,
        f"{template.logical_id('AWS::SQS::Queue')}.Arn": QUEUE,
        f"{template.logical_id('AWS::Logs::LogGroup')}.Arn": f"{LOG}:*",
        **{f"{name}.Arn": KEY for name in template.resources("AWS::KMS::Key")},
    }
    for number in (1, 2):
        part = f"PrivateSubnet{number}"
        values[template.logical_id("AWS::EC2::RouteTable", part)] = f"rtb-{number}"
        values[template.logical_id("AWS::EC2::Subnet", part)] = f"subnet-{number}"
        public = template.logical_id("AWS::EC2::Subnet", f"PublicSubnet{number}")
        values[public] = f"subnet-public-{number}"
    return values
