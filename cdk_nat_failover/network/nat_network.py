"""What the constructs know of a network, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from cdk_nat_failover.options.section import OptionsError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A private route table, its Availability Zone, and the subnets whose home it is.

    Without zone and subnets the function observes which subnets use the table, and where.
    """

    table: str
    zone: str = ""
    subnets: tuple[ec2.ISubnet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NatNetwork:
    """A VPC, its IPv4 networks, the public subnets of the NATs, and the private tables they serve.

    The private tables have no default route in the template: the function writes it. `cidrs` are
    all IPv4 networks of the VPC, which may be tokens, and `served_cidrs` networks elsewhere; hosts
    of both may use the NATs. With `checked` a deployment compares all of that with AWS first.
    """

    vpc: ec2.IVpc
    cidrs: tuple[str, ...]
    public_subnets: tuple[ec2.ISubnet, ...]
    homes: tuple[Home, ...]
    served_cidrs: tuple[str, ...] = ()
    checked: bool = False

    @classmethod
    def of(
        cls,
        vpc: ec2.IVpc,
        *,
        cidrs: Sequence[str] = (),
        nat_subnets: ec2.SubnetSelection | None = None,
        private_subnets: ec2.SubnetSelection | None = None,
        served_cidrs: Sequence[str] = (),
    ) -> NatNetwork:
        """Return the network of a VPC that somebody else made, in this app or before it.

        The NATs are in its public subnets and serve the tables of its private ones, unless others
        are selected. `cidrs` are all IPv4 networks of the VPC, its first alone if none is named.

        Raises:
            OptionsError: when the VPC does not know what is asked of it.

        """
        public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
        private = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        users = _selected(vpc, private_subnets or private)
        return cls(
            vpc=vpc,
            cidrs=tuple(cidrs) or (_cidr_of(vpc),),
            public_subnets=tuple(_selected(vpc, nat_subnets or public)),
            homes=tuple(Home(table=table) for table in dict.fromkeys(map(_table_of, users))),
            served_cidrs=tuple(served_cidrs),
            checked=True,
        )

    @property
    def outlives_the_stack(self) -> bool:
        """Whether tables were there before the stack, so that they are there after it, too."""
        return not all(home.subnets for home in self.homes)

    @property
    def private_subnets(self) -> tuple[ec2.ISubnet, ...]:
        """The subnets of all homes."""
        return tuple(subnet for home in self.homes for subnet in home.subnets)

    @property
    def tables(self) -> tuple[str, ...]:
        """The ids of the private route tables."""
        return tuple(home.table for home in self.homes)


def _selected(vpc: ec2.IVpc, selection: ec2.SubnetSelection) -> list[ec2.ISubnet]:
    return vpc.select_subnets(
        availability_zones=selection.availability_zones,
        one_per_az=selection.one_per_az,
        subnet_filters=selection.subnet_filters,
        subnet_group_name=selection.subnet_group_name,
        subnets=selection.subnets,
        subnet_type=selection.subnet_type,
    ).subnets


def _cidr_of(vpc: ec2.IVpc) -> str:
    try:
        return vpc.vpc_cidr_block
    except RuntimeError:
        message = f"{vpc.node.path} does not know its IPv4 networks; allowed: name them in cidrs"
        raise OptionsError(message) from None


def _table_of(subnet: ec2.ISubnet) -> str:
    try:
        return subnet.route_table.route_table_id
    except RuntimeError:
        message = (
            f"{subnet.node.path} does not know its route table; allowed: subnets of a VPC that was"
            " looked up, or that were imported with their route tables' ids"
        )
        raise OptionsError(message) from None


def zone_of(subnet: ec2.Subnet) -> str:
    """Return the name of a subnet's zone, which AWS tells where the zone is given by its id."""
    resource = subnet.node.default_child
    if isinstance(resource, ec2.CfnSubnet) and resource.availability_zone_id:
        return resource.attr_availability_zone
    return subnet.availability_zone


def home_of(subnet: ec2.Subnet) -> Home:
    """Return the home of a private subnet that has a route table of its own."""
    # CloudFormation deletes in the opposite order: a subnet takes its association with it, whose id
    # CloudFormation does not know once the function has moved the subnet.
    subnet.node.find_child("Subnet").node.add_dependency(subnet.node.find_child("RouteTable"))
    return Home(
        table=subnet.route_table.route_table_id,
        zone=zone_of(subnet),
        subnets=(subnet,),
    )
