"""The private subnets' associations, as far as the function may have changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_nat_failover.function.failover_function import ANSWER_LIMIT
from nat_failover.contract import Resource

if TYPE_CHECKING:
    from cdk_nat_failover.function.failover_function import FailoverFunction
    from cdk_nat_failover.network.nat_network import NatNetwork


class PrivateAssociations(Construct):
    """Made before the group and deleted after it: then no NAT is left to move a subnet to.

    With the strategy swap-route-table subnets move under new association ids, and so they do when a
    person associates one anew. When this is deleted,
    also in a deployment that failed halfway, the function releases those that CloudFormation does
    not know, so that it can delete the route tables. It is there with either strategy: were it to
    come and go with the setting, going would release the subnets of a stack that lives on.
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
        cdk.CustomResource(
            self,
            "Known",
            resource_type=Resource.PRIVATE_ASSOCIATIONS,
            service_token=function.function.function_arn,
            service_timeout=ANSWER_LIMIT,
            properties={
                "Associations": [
                    association.ref
                    for subnet in network.private_subnets
                    for association in subnet.node.find_all()
                    if isinstance(association, ec2.CfnSubnetRouteTableAssociation)
                ]
            },
        )
