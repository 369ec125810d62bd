"""A network that was there before the stack, named by ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from cdk_nat_failover.network.nat_network import Home, NatNetwork

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_nat_failover.options.network import NetworkOptions


def existing_network(scope: Construct, options: NetworkOptions) -> NatNetwork:
    """Return the network that the options name; nothing is looked up, and nothing made.

    A deployment compares it with AWS before it makes anything else.
    """
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "ExistingVpc",
        vpc_id=options.vpc or "",
        # Which they are nobody knows yet, and nothing asks: subnets are named by their ids.
        availability_zones=["unknown"],
    )
    return NatNetwork(
        vpc=vpc,
        cidrs=tuple(map(str, options.cidrs)),
        public_subnets=tuple(
            ec2.Subnet.from_subnet_id(scope, f"Existing{subnet}", subnet)
            for subnet in options.public_subnets
        ),
        homes=tuple(Home(table=table) for table in options.route_tables),
        served_cidrs=tuple(map(str, options.served_cidrs)),
        checked=True,
    )
