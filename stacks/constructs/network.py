"""The VPC: in each zone a public subnet for a NAT and a private subnet that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge
from nat_failover.settings import FLEET_TAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stacks.settings import NetworkSettings


class Network(Construct):
    """Subnets with a route table each; the private tables have no default route.

    That route belongs to the failover function: were it in the template, a deployment would undo a
    failover.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: NetworkSettings) -> None:
        super().__init__(scope, construct_id)
        self.cidrs = (settings.cidr, *settings.additional_cidrs)
        self.vpc = self._vpc(settings)
        for number, cidr in enumerate(settings.additional_cidrs, start=1):
            ec2.CfnVPCCidrBlock(self, f"Cidr{number}", vpc_id=self.vpc.vpc_id, cidr_block=str(cidr))
        self._tag_what_the_function_writes()
        acknowledge(
            self.vpc,
            rule="AwsSolutions-VPC7",
            reason="Flow logs cost per gigabyte, and where they go is the account's choice; they"
            " attach to the VPC, which is an output.",
        )
        if settings.zones:
            acknowledge(
                self.vpc,
                rule="CloudFormation-Validate::W3010",
                reason="The settings name the zones: who pins them means it.",
            )

    @property
    def public_subnets(self) -> Sequence[ec2.ISubnet]:
        """The subnets of the NATs, by zone."""
        return self.vpc.public_subnets

    @property
    def private_subnets(self) -> Sequence[ec2.ISubnet]:
        """The subnets that use the NATs, by zone."""
        return self.vpc.private_subnets

    def _vpc(self, settings: NetworkSettings) -> ec2.Vpc:
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(str(settings.cidr)),
            max_azs=settings.zone_count,
            reserved_azs=settings.zones_with_room - settings.zone_count,
            nat_gateways=0,
            # The function that empties the default security group would be one more thing to
            # deploy and to trust; nothing here uses the group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    # The NATs ask for their public addresses themselves; nothing else gets one by
                    # being launched here.
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
            ],
            # Free, and they keep what is often most of the traffic off the NATs.
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
            },
        )

    def _tag_what_the_function_writes(self) -> None:
        for subnet in self.private_subnets:
            cdk.Tags.of(subnet).add(FLEET_TAG, cdk.Stack.of(self).stack_name)
