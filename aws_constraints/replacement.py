"""Resources that an update may not replace, although CloudFormation's schemas allow it.

The schemas say which properties are create-only; what becomes of a replacement they do not say.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Irreplaceable:
    """A type whose replacement fails or loses something, the reason, and who states it."""

    kind: str
    why: str
    source: str


IRREPLACEABLE = (
    Irreplaceable(
        kind="AWS::EC2::VPCGatewayAttachment",
        why="the gateway is detached first, which fails while public addresses are mapped",
        source="CloudFormation's schema (delete_then_create); EC2 API reference, "
        "DetachInternetGateway; github.com/aws/aws-cdk/issues/16869",
    ),
    Irreplaceable(
        kind="AWS::EC2::Subnet",
        why="the new one is made first, in the VPC and with the CIDR of the old one",
        source="CloudFormation user guide, 'Update behaviors of stack resources'; EC2 error codes, "
        "InvalidSubnet.Conflict; github.com/aws/aws-cdk/issues/6683",
    ),
    Irreplaceable(
        kind="AWS::EC2::SubnetRouteTableAssociation",
        why="a subnet that was moved has another association than the one to be deleted first",
        source="CloudFormation's schema (delete_then_create); EC2 error codes, "
        "Resource.AlreadyAssociated",
    ),
    Irreplaceable(
        kind="AWS::AutoScaling::AutoScalingGroup",
        why="it has a name of its own, which a second one cannot have at the same time",
        source="CloudFormation user guide, 'Name type'",
    ),
    Irreplaceable(
        kind="AWS::SNS::Topic",
        why="whoever subscribed by hand hears nothing any more",
        source="SNS API reference, DeleteTopic: deletes the topic and all its subscriptions",
    ),
    Irreplaceable(
        kind="AWS::DynamoDB::Table",
        why="what it remembers is lost",
        source="DynamoDB API reference, DeleteTable: deletes a table and all of its items",
    ),
    Irreplaceable(
        kind="AWS::SQS::Queue",
        why="the events in it are lost",
        source="SQS API reference, DeleteQueue: any messages in the queue are no longer available",
    ),
    Irreplaceable(
        kind="AWS::Logs::LogGroup",
        why="what it holds is lost",
        source="CloudWatch Logs API reference, DeleteLogGroup: deletes all the archived log events",
    ),
)
"""The types of the stack of which that is so."""
