"""What the constructs know of a network, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A private route table, its Availability Zone, and the subnets whose home it is."""

    table: str
    zone: str
    subnets: tuple[ec2.ISubnet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NatNetwork:
    """A VPC, its IPv4 networks, the public subnets of the NATs, and the private tables they serve.

    The private tables have no default route: the function writes it. `cidrs` are those that the
    NATs' security group admits; they may be tokens.
    """

    vpc: ec2.IVpc
    cidrs: tuple[str, ...]
    public_subnets: tuple[ec2.ISubnet, ...]
    homes: tuple[Home, ...]

    @property
    def private_subnets(self) -> tuple[ec2.ISubnet, ...]:
        """The subnets of all homes."""
        return tuple(subnet for home in self.homes for subnet in home.subnets)

    @property
    def tables(self) -> tuple[str, ...]:
        """The ids of the private route tables."""
        return tuple(home.table for home in self.homes)


def home_of(subnet: ec2.Subnet) -> Home:
    """Return the home of a private subnet that has a route table of its own."""
    # CloudFormation deletes in the opposite order: a subnet takes its association with it, whose id
    # CloudFormation does not know once the function has moved the subnet.
    subnet.node.find_child("Subnet").node.add_dependency(subnet.node.find_child("RouteTable"))
    return Home(
        table=subnet.route_table.route_table_id,
        zone=subnet.availability_zone,
        subnets=(subnet,),
    )
