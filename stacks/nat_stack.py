"""The stack: it wires the constructs, adds the outputs, and builds nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_nat_failover.function.default_routes import DefaultRoutes
from cdk_nat_failover.function.failover_function import FailoverFunction
from cdk_nat_failover.function.private_associations import PrivateAssociations
from cdk_nat_failover.instances.nat_fleet import NatFleet, group_name
from cdk_nat_failover.messaging.encryption_key import MessageKey
from cdk_nat_failover.messaging.failover_topic import FailoverTopic
from cdk_nat_failover.messaging.notifications_topic import OutcomeTopic
from cdk_nat_failover.network.new_network import Network
from cdk_nat_failover.observability.alarms import Observability

if TYPE_CHECKING:
    from constructs import Construct

    from stacks.settings.app import AppSettings

DESCRIPTION = (
    "Private subnets reach the internet through NAT instances; a function, notified by a topic,"
    " repairs their default routes when a NAT fails."
)


class NatStack(cdk.Stack):
    """A VPC whose private subnets keep their internet access when a NAT instance dies."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: AppSettings) -> None:
        self._zones = settings.network.zones
        self._zone_count = settings.network.zone_count
        super().__init__(
            scope,
            construct_id,
            description=DESCRIPTION,
            env=cdk.Environment(account=settings.account, region=settings.region),
        )
        network = Network(self, "Network", settings=settings.network)
        key = MessageKey(self, "MessageKey") if settings.topic.customer_key else None
        outcome_topic = OutcomeTopic(self, "Outcome", key=key, emails=settings.alerts.emails)
        failover_topic = FailoverTopic(self, "NatFailed", key=key)
        function = FailoverFunction(
            self,
            "Failover",
            network=network,
            topic=failover_topic,
            outcome_topic=outcome_topic,
            key=key,
            group=group_name(self),
            wanted=settings.fleet.desired,
            settings=settings.failover,
            logs=settings.logs,
        )
        associations = PrivateAssociations(
            self, "PrivateAssociations", network=network, function=function
        )
        fleet = NatFleet(
            self,
            "Fleet",
            network=network,
            topic=failover_topic,
            listener=function.listening,
            associations=associations,
            settings=settings.fleet,
        )
        routes = DefaultRoutes(
            self, "DefaultRoutes", network=network, function=function, fleet=fleet
        )
        Observability(
            self, "Observability", function=function, routes=routes, outcome_topic=outcome_topic
        )
        self._add_outputs(network, failover_topic, outcome_topic, function)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the settings, or the first ones of whichever Region this is deployed to.

        The CDK would look the zones of a pinned Region up, and synthesis is offline.
        """
        if self._zones:
            return list(self._zones)
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(self._zone_count)]

    def _add_outputs(
        self,
        network: Network,
        failover_topic: FailoverTopic,
        outcome_topic: OutcomeTopic,
        function: FailoverFunction,
    ) -> None:
        tables = ",".join(subnet.route_table.route_table_id for subnet in network.private_subnets)
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
                tables,
            ),
            "NatFailedTopic": (
                "Topic whose messages make the function observe the NAT instances",
                failover_topic.topic.topic_arn,
            ),
            "OutcomeTopic": (
                "Notifications topic, for what happened and for alarms; subscribe to it",
                outcome_topic.topic.topic_arn,
            ),
            "FailoverFunction": (
                "Function that repairs the default routes",
                function.function.function_name,
            ),
        }
        for name, (description, value) in outputs.items():
            cdk.CfnOutput(self, name, description=description, value=value)
