"""What the failover function may do: exact actions, on exact resources or on tagged ones.

Resource types and condition keys: "Actions, resources, and condition keys for Amazon EC2" and "…
for Amazon EC2 Auto Scaling", Service Authorization Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge_wildcard
from nat_failover.settings import FLEET_TAG, Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sqs as sqs

    from stacks.constructs.message_key import MessageKey
    from stacks.constructs.network import Network
    from stacks.constructs.outcome_topic import OutcomeTopic


class FailoverRole(Construct):
    """The function's role; its policies are part of it, so that nothing can widen them later."""

    def __init__(  # noqa: PLR0913 - what the function touches, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        strategy: Strategy,
        outcome_topic: OutcomeTopic,
        dead_letters: sqs.IQueue,
        log_group: logs.CfnLogGroup,
        key: MessageKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        statements = [
            self._looks(),
            self._routes(network),
            self._source_destination_check(),
            self._lifecycle_actions(),
            _allow("Tell", ["sns:Publish"], [outcome_topic.topic.topic_arn]),
            _allow("DeadLetters", ["sqs:SendMessage"], [dead_letters.queue_arn]),
            _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.attr_arn]),
        ]
        if strategy is Strategy.SWAP_ROUTE_TABLE:
            statements.append(self._associations(network))
        if key:
            statements.append(
                _allow("Encrypt", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key.key_arn])
            )
        self.role = iam.Role(
            self,
            "Role",
            description="Lets the failover function repair the default routes of its own stack",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Failover": iam.PolicyDocument(statements=statements)},
        )
        self._acknowledge_wildcards()

    def _looks(self) -> iam.PolicyStatement:
        return _allow(
            "Look",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "ec2:DescribeInstances",
                "ec2:DescribeRouteTables",
            ],
            ["*"],
        )

    def _routes(self, network: Network) -> iam.PolicyStatement:
        return _allow("Route", ["ec2:CreateRoute", "ec2:ReplaceRoute"], self._tables(network))

    def _associations(self, network: Network) -> iam.PolicyStatement:
        subnets = [
            self._arn("ec2", "subnet", subnet.subnet_id) for subnet in network.private_subnets
        ]
        return _allow(
            "Associate",
            ["ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
            [*self._tables(network), *subnets],
        )

    def _source_destination_check(self) -> iam.PolicyStatement:
        return self._allow_tagged("Forward", "ec2:ModifyInstanceAttribute", self._instances)

    def _lifecycle_actions(self) -> iam.PolicyStatement:
        return self._allow_tagged("Proceed", "autoscaling:CompleteLifecycleAction", self._groups)

    def _allow_tagged(self, sid: str, action: str, resource: str) -> iam.PolicyStatement:
        statement = _allow(sid, [action], [resource])
        stack_name = cdk.Stack.of(self).stack_name
        statement.add_condition("StringEquals", {f"aws:ResourceTag/{FLEET_TAG}": stack_name})
        return statement

    def _tables(self, network: Network) -> list[str]:
        return [
            self._arn("ec2", "route-table", subnet.route_table.route_table_id)
            for subnet in network.private_subnets
        ]

    def _arn(self, service: str, resource: str, name: str) -> str:
        return cdk.Stack.of(self).format_arn(service=service, resource=resource, resource_name=name)

    @property
    def _instances(self) -> str:
        return self._arn("ec2", "instance", "*")

    @property
    def _groups(self) -> str:
        return self._arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName", "*")

    def _acknowledge_wildcards(self) -> None:
        acknowledge_wildcard(
            self.role, resource="*", reason="Describe calls cannot be limited to a resource."
        )
        acknowledge_wildcard(
            self.role,
            resource=self._instances,
            reason="Instances come and go; the condition admits those with the stack's tag.",
        )
        acknowledge_wildcard(
            self.role,
            resource=self._groups,
            reason="The group is created after the function, which must hear of its first launches;"
            " the condition admits the group with the stack's tag.",
        )


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))
