"""What the failover function may do: exact actions, on the stack's own resources.

Resource types and condition keys: "Actions, resources, and condition keys for Amazon EC2", "… for
Amazon EC2 Auto Scaling" and "… for Amazon DynamoDB", Service Authorization Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge_wildcard
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sqs as sqs

    from cdk_nat_failover.messaging.encryption_key import EncryptionKey
    from cdk_nat_failover.messaging.notifications_topic import NotificationsTopic
    from cdk_nat_failover.network.nat_network import NatNetwork


GROUP_ACTIONS = [
    "autoscaling:CompleteLifecycleAction",
    # The last NAT that serves is held until another one does.
    "autoscaling:RecordLifecycleActionHeartbeat",
    # What forwards nothing is replaced.
    "autoscaling:SetInstanceHealth",
    # What keeps an instance from being terminated when the stack is deleted.
    "autoscaling:ResumeProcesses",
    "autoscaling:SetInstanceProtection",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
]

ROUTE_ACTIONS = ["ec2:CreateRoute", "ec2:ReplaceRoute"]

RELEASES = ["ec2:DeleteRoute"]
"""What a table may need that is given back, or left in a VPC that was there before the stack."""

MEMORY_ACTIONS = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]

DISASSOCIATION = "ec2:DisassociateRouteTable"
"""What the deletion of the stack's own tables may need, whose subnets somebody has moved since."""

ASSOCIATION_ACTIONS = [
    "ec2:AssociateRouteTable",
    DISASSOCIATION,
    "ec2:ReplaceRouteTableAssociation",
]


class FailoverRole(Construct):
    """The function's role; its policies are part of it, so that nothing can widen them later."""

    def __init__(  # noqa: PLR0913 - what the function touches, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        group: str,
        memory: dynamodb.ITable,
        strategy: Strategy,
        takes_over: bool,
        standby: bool,
        notifications: NotificationsTopic,
        dead_letters: sqs.IQueue,
        log_group: logs.CfnLogGroup,
        key: EncryptionKey | None,
        elastic_ips: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._elastic_ips, self._group_name = elastic_ips, group
        self._network = network
        self._group = self._arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName", group)
        releases = takes_over or network.outlives_the_stack
        statements = [
            self._reads(gateways=takes_over or standby),
            _allow("Routes", [*ROUTE_ACTIONS, *RELEASES * releases], self._tables),
            self._source_destination_check(),
            _allow("Group", GROUP_ACTIONS, [self._group]),
            _allow("Memory", MEMORY_ACTIONS, [memory.table_arn]),
            _allow("Notifications", ["sns:Publish"], [notifications.topic.topic_arn]),
            _allow("DeadLetters", ["sqs:SendMessage"], [dead_letters.queue_arn]),
            _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.attr_arn]),
        ]
        if strategy is Strategy.SWAP_ROUTE_TABLE:
            statements.append(_allow("Associations", ASSOCIATION_ACTIONS, self._swapped))
            statements.append(self._foreign_tables())
        elif not network.outlives_the_stack:
            statements.append(_allow("Associations", [DISASSOCIATION], self._swapped))
        if elastic_ips:
            statements += self._addresses()
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

    def _reads(self, *, gateways: bool) -> iam.PolicyStatement:
        reads = [
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeInstances",
            *["ec2:DescribeNatGateways"] * gateways,
            "ec2:DescribeRouteTables",
        ]
        if self._elastic_ips:
            reads.append("ec2:DescribeAddresses")
        if self._network.checked:
            reads += ["ec2:DescribeNetworkAcls", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]
        return _allow("Reads", reads, ["*"])

    def _addresses(self) -> list[iam.PolicyStatement]:
        """Allow these Elastic IPs to be given to interfaces where the NATs are.

        IAM decides on the address, and on the interface or the instance that gets it; which of the
        two where the interface is named, AWS leaves open. The instance is a member of the group.
        """
        action = ["ec2:AssociateAddress"]
        ips = [self._arn("ec2", "elastic-ip", each) for each in self._elastic_ips]
        interface = _allow("AddressOfInterface", action, [self._interfaces])
        subnets = [self._subnet(subnet) for subnet in self._network.public_subnets]
        interface.add_condition("ArnEquals", {"ec2:Subnet": subnets})
        instance = _allow("AddressOfInstance", action, [self._instances])
        members = {"aws:ResourceTag/aws:autoscaling:groupName": self._group_name}
        instance.add_condition("StringEquals", members)
        return [_allow("Addresses", action, ips), interface, instance]

    def _source_destination_check(self) -> iam.PolicyStatement:
        """Allow the check to be switched off, and nothing else, where the NATs are.

        That the interface belongs to a NAT the function checks itself: an interface does not carry
        the tags of its instance. The key of an attribute is there for a request that sets it, with
        the value that it is set to ("ec2:Attribute condition key", EC2 user guide). With this
        action and key, both values allowed, EC2 was seen in dry runs to allow the check's change
        and to refuse a description's (AppMana/cloud-provisioning,
        aws-gateway-source-check-results.json).
        """
        statement = _allow("Forward", ["ec2:ModifyNetworkInterfaceAttribute"], [self._interfaces])
        statement.add_condition("StringEquals", {"ec2:Attribute/SourceDestCheck": "false"})
        subnets = [self._subnet(subnet) for subnet in self._network.public_subnets]
        statement.add_condition("ArnEquals", {"ec2:Subnet": subnets})
        return statement

    def _foreign_tables(self) -> iam.PolicyStatement:
        """Allow the private subnets to be taken out of any table of the VPC.

        Out of that of a zone which an update drops, or out of anybody's with `adopt`. EC2 may ask
        about the table that an association is taken from; it asks about the subnet too,
        and only the private ones are allowed.
        """
        actions = ["ec2:ReplaceRouteTableAssociation"]
        statement = _allow("ForeignTables", actions, [self._any_table])
        vpc = self._arn("ec2", "vpc", self._network.vpc.vpc_id)
        statement.add_condition("ArnEquals", {"ec2:Vpc": vpc})
        return statement

    @property
    def _tables(self) -> list[str]:
        return [self._arn("ec2", "route-table", table) for table in self._network.tables]

    @property
    def _swapped(self) -> list[str]:
        subnets = (self._subnet(subnet) for subnet in self._network.private_subnets)
        return [*self._tables, *subnets]

    def _subnet(self, subnet: ec2.ISubnet) -> str:
        return self._arn("ec2", "subnet", subnet.subnet_id)

    def _arn(self, service: str, resource: str, name: str) -> str:
        return cdk.Stack.of(self).format_arn(service=service, resource=resource, resource_name=name)

    @property
    def _any_table(self) -> str:
        return self._arn("ec2", "route-table", "*")

    @property
    def _interfaces(self) -> str:
        return self._arn("ec2", "network-interface", "*")

    @property
    def _instances(self) -> str:
        return self._arn("ec2", "instance", "*")

    def _acknowledge_wildcards(self) -> None:
        reasons = {
            "*": "Describe calls cannot be limited to a resource.",
            self._interfaces: "Interfaces come and go with the NATs; the conditions admit those in"
            " the stack's public subnets, and only the check's being switched off.",
            self._group: "The group's id, which AWS chooses, is not known before the group exists;"
            " its name is, and names are unique in an account and Region.",
            self._any_table: "Private subnets may be taken out of any table of the VPC, to which"
            " the condition limits it: of a zone that an update drops, or with the setting adopt.",
        }
        if self._elastic_ips:
            reasons[self._instances] = "Instances come and go; the condition admits members."
        for resource, reason in reasons.items():
            acknowledge_wildcard(self.role, resource=resource, reason=reason)


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))
