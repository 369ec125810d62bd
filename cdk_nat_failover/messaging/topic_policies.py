"""Who may publish to a topic of the stack, as policy statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct


def auto_scaling(
    scope: IConstruct, *, actions: Sequence[str], resource: str
) -> iam.PolicyStatement:
    """Allow the actions to Auto Scaling, which acts as its service-linked role of this account.

    The role is named in a condition: as the principal it would have to exist already, and in an
    account without a group it does not.
    """
    stack = cdk.Stack.of(scope)
    role = stack.format_arn(
        service="iam",
        region="",
        resource="role",
        resource_name="aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    )
    return iam.PolicyStatement(
        sid="AutoScaling",
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=[resource],
        conditions={"ArnEquals": {"aws:PrincipalArn": role}},
    )


def service(scope: IConstruct, *, name: str, sid: str, topic_arn: str) -> iam.PolicyStatement:
    """Allow a service to publish on behalf of this account, and of no other."""
    return iam.PolicyStatement(
        sid=sid,
        principals=[iam.ServicePrincipal(name)],
        actions=["sns:Publish"],
        resources=[topic_arn],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}},
    )
