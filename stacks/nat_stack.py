"""The stack: a network, NATs that fail over for it, and the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_nat_failover.nat_failover import NatFailover
from cdk_nat_failover.network.existing_network import existing_network
from cdk_nat_failover.network.new_network import NewNetwork

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_nat_failover.network.nat_network import NatNetwork
    from stacks.settings.app import AppSettings

DESCRIPTION = (
    "Private subnets reach the internet through NAT instances; a function, notified by a topic,"
    " repairs their default routes when a NAT fails."
)


class NatStack(cdk.Stack):
    """A VPC whose private subnets keep their internet access when a NAT instance dies."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: AppSettings) -> None:
        self._zones = settings.network.zones
        self._zone_count = settings.network.nat_subnet_count
        super().__init__(
            scope,
            construct_id,
            description=DESCRIPTION,
            env=cdk.Environment(account=settings.account, region=settings.region),
        )
        network = (
            existing_network(self, settings.network)
            if settings.network.vpc
            else NewNetwork(self, "Network", settings.network).network
        )
        nats = NatFailover(
            self,
            "Default",  # which leaves no trace in logical ids
            network=network,
            instances=settings.fleet,
            failover=settings.failover,
            topic=settings.topic,
            alerts=settings.alerts,
            logs=settings.logs,
        )
        self._add_outputs(network, nats)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the settings, or the first ones of whichever Region this is deployed to.

        The CDK would look the zones of a pinned Region up, and synthesis is offline.
        """
        if self._zones:
            return list(self._zones)
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(self._zone_count)]

    def _add_outputs(self, network: NatNetwork, nats: NatFailover) -> None:
        outputs = {
            "Vpc": ("The VPC", network.vpc.vpc_id),
            "PublicSubnets": (
                "Subnets of the NAT instances, one in each zone",
                ",".join(subnet.subnet_id for subnet in network.public_subnets),
            ),
            "PrivateSubnets": (
                "Subnets that reach the internet through a NAT instance, one in each zone",
                ",".join(subnet.subnet_id for subnet in network.private_subnets),
            ),
            "PrivateRouteTables": (
                "Route tables of the private subnets; the function writes their default routes",
                ",".join(network.tables),
            ),
            "NatFailedTopic": (
                "Topic whose messages make the function observe the NAT instances",
                nats.failures.topic_arn,
            ),
            "OutcomeTopic": (
                "Notifications topic, for what happened and for alarms; subscribe to it",
                nats.notifications.topic_arn,
            ),
            "FailoverFunction": (
                "Function that repairs the default routes",
                nats.function.function_name,
            ),
        }
        if nats.elastic_ips:
            outputs["ElasticIps"] = (
                "Addresses with which the private subnets are seen, for allow-lists",
                ",".join(nats.elastic_ips),
            )
        if not network.private_subnets:
            del outputs["PrivateSubnets"]  # those of an existing VPC are observed
        for name, (description, value) in outputs.items():
            cdk.CfnOutput(self, name, description=description, value=value)
