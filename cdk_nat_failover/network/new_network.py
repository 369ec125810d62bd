"""The VPC: in each zone a public subnet for a NAT and a private subnet that uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from aws_constraints.cidrs import is_private
from aws_constraints.regions import ZONE_ID
from cdk_nat_failover.acknowledgements import acknowledge
from cdk_nat_failover.network.address_plan import (
    LETTERS,
    letter_of,
    position_of,
    private_cidr,
    public_cidr,
)
from cdk_nat_failover.network.nat_network import NatNetwork, home_of, zone_of
from cdk_nat_failover.options.network import ZONES, NetworkOptions
from cdk_nat_failover.options.section import OptionsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network


class NewNetwork(Construct):
    """Subnets with a route table each; the private tables have no default route.

    That route belongs to the failover function: were it in the template, a deployment would undo a
    failover. Whatever has addresses is called by what decides them, a zone's letter or a network:
    by its number in a list, dropping one would give its successor's addresses to another.
    """

    def __init__(
        self, scope: Construct, construct_id: str, options: NetworkOptions | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        chosen = options or NetworkOptions()
        chosen.check()
        if chosen.vpc:
            message = (
                f"vpc is {chosen.vpc!r}, but NewNetwork makes a VPC; allowed: null, or"
                " NatNetwork.of(…) for one that is there"
            )
            raise OptionsError(message)
        self._vpc = self._bare_vpc(chosen.cidr)
        self._add_cidrs(chosen.additional_cidrs)
        by_letter = self._zones(chosen.zones)
        public = self._public_subnets(chosen.cidr, by_letter)
        private = self._private_subnets(chosen.cidr, by_letter)
        self._add_endpoints([*private, *public])
        self.network = NatNetwork(
            vpc=self._vpc,
            cidrs=tuple(map(str, chosen.cidrs)),
            public_subnets=tuple(public),
            homes=tuple(map(home_of, private)),
            served_cidrs=tuple(map(str, chosen.served_cidrs)),
            checked=bool(chosen.served_cidrs),
        )
        self.vpc = self._selectable(chosen.cidr, public, private)
        """The VPC with its subnets, as other constructs select them."""
        acknowledge(
            self._vpc,
            rule="AwsSolutions-VPC7",
            reason="Flow logs cost per gigabyte, and where they go is the account's choice; they"
            " attach to the VPC, which is an output.",
        )
        if chosen.zones:
            acknowledge(
                self._vpc,
                rule="CloudFormation-Validate::W3010",
                reason="The settings name the zones: who pins them means it.",
            )

    def _zones(self, zones: Sequence[str] | None) -> dict[str, str]:
        """Return the zones by letter; those that are not named stand for a, b and so on."""
        if zones:
            return {letter_of(zone): zone for zone in sorted(zones)}
        zones_of_region = cdk.Fn.get_azs()
        return {
            letter: cdk.Fn.select(index, zones_of_region)
            for index, letter in enumerate(LETTERS[:ZONES])
        }

    def _bare_vpc(self, cidr: IPv4Network) -> ec2.Vpc:
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(str(cidr)),
            nat_gateways=0,
            # It would call and place subnets by their number in the list of zones.
            subnet_configuration=[],
            # The function that empties the default security group would be one more thing to
            # deploy and to trust. Nothing here uses the group, and it admits only its own members
            # (docs/operations.md).
            restrict_default_security_group=False,
        )

    def _add_cidrs(self, cidrs: Sequence[IPv4Network]) -> None:
        """Add private blocks first: EC2 restricts them where the VPC has others already."""
        blocks = {
            cidr: ec2.CfnVPCCidrBlock(
                self, f"Cidr{cidr}", vpc_id=self._vpc.vpc_id, cidr_block=str(cidr)
            )
            for cidr in cidrs
        }
        first = [block for cidr, block in blocks.items() if is_private(cidr)]
        for block in (block for cidr, block in blocks.items() if not is_private(cidr)):
            block.node.add_dependency(*first)

    def _public_subnets(self, cidr: IPv4Network, zones: Mapping[str, str]) -> list[ec2.Subnet]:
        gateway = ec2.CfnInternetGateway(self._vpc, "IGW")
        attachment = ec2.CfnVPCGatewayAttachment(
            self._vpc, "VPCGW", vpc_id=self._vpc.vpc_id, internet_gateway_id=gateway.ref
        )
        subnets: list[ec2.Subnet] = []
        for letter, zone in zones.items():
            subnet = ec2.PublicSubnet(
                self._vpc,
                f"PublicSubnet{position_of(letter)}",
                vpc_id=self._vpc.vpc_id,
                availability_zone=zone,
                cidr_block=str(public_cidr(cidr, letter)),
                # The NATs ask for their public addresses themselves; nothing else gets one by being
                # launched here.
                map_public_ip_on_launch=False,
            )
            subnet.add_default_internet_route(gateway.ref, attachment)
            _place(subnet, zone)
            _tag(subnet, "Public")
            subnets.append(subnet)
        return subnets

    def _private_subnets(self, cidr: IPv4Network, zones: Mapping[str, str]) -> list[ec2.Subnet]:
        subnets: list[ec2.Subnet] = []
        for letter, zone in zones.items():
            subnet = ec2.PrivateSubnet(
                self._vpc,
                f"PrivateSubnet{position_of(letter)}",
                vpc_id=self._vpc.vpc_id,
                availability_zone=zone,
                cidr_block=str(private_cidr(cidr, letter)),
                map_public_ip_on_launch=False,
            )
            _place(subnet, zone)
            _tag(subnet, "Private")
            subnets.append(subnet)
        return subnets

    def _selectable(
        self,
        cidr: IPv4Network,
        public: Sequence[ec2.Subnet],
        private: Sequence[ec2.Subnet],
    ) -> ec2.IVpc:
        """Return the VPC as one that knows its subnets: they were not made by it."""
        return ec2.Vpc.from_vpc_attributes(
            self,
            "Selectable",
            vpc_id=self._vpc.vpc_id,
            vpc_cidr_block=str(cidr),
            availability_zones=[zone_of(subnet) for subnet in private],
            public_subnet_ids=[subnet.subnet_id for subnet in public],
            public_subnet_route_table_ids=[row.route_table.route_table_id for row in public],
            private_subnet_ids=[subnet.subnet_id for subnet in private],
            private_subnet_route_table_ids=[row.route_table.route_table_id for row in private],
        )

    def _add_endpoints(self, subnets: Sequence[ec2.ISubnet]) -> None:
        """Add what is free and keeps what is often most of the traffic off the NATs."""
        selection = ec2.SubnetSelection(subnets=subnets)
        services = {
            "S3": ec2.GatewayVpcEndpointAwsService.S3,
            "DynamoDb": ec2.GatewayVpcEndpointAwsService.DYNAMODB,
        }
        for name, service in services.items():
            self._vpc.add_gateway_endpoint(name, service=service, subnets=[selection])


def _place(subnet: ec2.Subnet, zone: str) -> None:
    """Put a subnet into its zone by the zone's id, if that is how it is given."""
    resource = subnet.node.default_child
    if isinstance(resource, ec2.CfnSubnet) and re.fullmatch(ZONE_ID, zone):
        resource.availability_zone, resource.availability_zone_id = None, zone


def _tag(subnet: ec2.Subnet, kind: str) -> None:
    """Tag a subnet as the CDK does, by which `Vpc.from_lookup` tells public from private ones."""
    for name in ("name", "type"):
        cdk.Tags.of(subnet).add(
            f"aws-cdk:subnet-{name}", kind, include_resource_types=["AWS::EC2::Subnet"]
        )
