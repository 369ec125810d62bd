"""What makes a deployment compare a network that somebody else made with AWS, before the group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_nat_failover.function.failover_function import ANSWER_LIMIT
from nat_failover.contract import Resource

if TYPE_CHECKING:
    from cdk_nat_failover.function.failover_function import FailoverFunction
    from cdk_nat_failover.network.nat_network import NatNetwork


class NetworkCheck(Construct):
    """Made before the group, and made anew whenever what it compares is named differently.

    Synthesis asks nobody, so what only AWS can tell is asked here: the function answers with a
    sentence for each problem, which CloudFormation shows as the reason of its event.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        function: FailoverFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        checked = cdk.CustomResource(
            self,
            "Checked",
            resource_type=Resource.NETWORK,
            service_token=function.function.function_arn,
            service_timeout=ANSWER_LIMIT,
            properties={
                "Vpc": network.vpc.vpc_id,
                "Cidrs": list(network.cidrs),
                "PublicSubnets": [subnet.subnet_id for subnet in network.public_subnets],
                "RouteTables": list(network.tables),
                "ServedCidrs": list(network.served_cidrs),
            },
        )
        # Where the VPC is made in the same app, with its routes.
        checked.node.add_dependency(network.vpc, *network.public_subnets)
