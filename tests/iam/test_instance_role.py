"""What the role of the NAT instances allows: to tell their group and their stack of a launch."""

from __future__ import annotations

import pytest

from tests.iam import Request, evaluate, instance_policies

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
VARIANTS = ("default", "launch-configuration", "own-image-with-sessions-and-emails")
WITH_SESSIONS = VARIANTS[-1]

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
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_complete_the_actions_of_its_own_group_and_nothing_else(variant: str) -> None:
    """Another group's action, another call on its own group, a route: all refused."""
    asked = [Request(action=COMPLETE, resource=GROUP), *NEVER]
    answers = evaluate(instance_policies(variant, region=REGION), asked)
    assert [row for row, allowed in zip(asked, answers, strict=True) if allowed] == asked[:1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_signal_its_own_stack_and_no_other(variant: str) -> None:
    """A stack is known by its id, which a stack of the same name later does not have."""
    others = [f"{STACKS}/NatFailover/other", f"{STACKS}/Other/own"]
    asked = [Request(action=SIGNAL, resource=arn) for arn in (OWN_STACK, *others)]
    policies = instance_policies(variant, region=REGION)
    assert evaluate(policies, asked) == [True, False, False]


@pytest.mark.parametrize("variant", VARIANTS)
def test_instance_may_talk_to_session_manager_only_when_it_is_on(variant: str) -> None:
    """All that a session needs, or none of it."""
    answers = evaluate(instance_policies(variant, region=REGION), SESSIONS)
    assert answers == [variant == WITH_SESSIONS] * len(SESSIONS)
