"""`NatFailover`: NAT instances that fail over for a network."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, DependencyGroup

from cdk_nat_failover.address import Address
from cdk_nat_failover.function.default_routes import DefaultRoutes
from cdk_nat_failover.function.failover_function import FailoverFunction
from cdk_nat_failover.function.network_check import NetworkCheck
from cdk_nat_failover.function.private_associations import PrivateAssociations
from cdk_nat_failover.instances.elastic_ips import ElasticIps
from cdk_nat_failover.instances.nat_fleet import NatFleet
from cdk_nat_failover.instances.nat_launch import group_name
from cdk_nat_failover.messaging.encryption_key import EncryptionKey
from cdk_nat_failover.messaging.failover_topic import FailoverTopic
from cdk_nat_failover.messaging.notifications_topic import NotificationsTopic
from cdk_nat_failover.network.nat_network import NatNetwork
from cdk_nat_failover.observability.alarms import Observability
from cdk_nat_failover.options.alerts import AlertOptions
from cdk_nat_failover.options.failover import FailoverOptions
from cdk_nat_failover.options.instances import (
    InstanceOptions,
    Size,
    desired_is_not_more_than_max,
    each_nat_has_an_elastic_ip,
    min_is_not_more_than_desired,
)
from cdk_nat_failover.options.logs import LogOptions
from cdk_nat_failover.options.network import MOST_TABLES
from cdk_nat_failover.options.section import OptionsError
from cdk_nat_failover.options.topic import TopicOptions
from nat_failover.contract import FLEET_TAG, Metric, Strategy

if TYPE_CHECKING:
    from aws_cdk import aws_autoscaling as autoscaling
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns


@jsii.implements(ec2.IConnectable)
class NatFailover(Construct):
    """NAT instances, the function that repairs the private tables' default routes, and the alarms.

    There is an instance for each public subnet of the network, unless the options say otherwise.
    Subscribe to `notifications` to hear of what happens.

    Raises:
        OptionsError: when options cannot be used together.
        UserDataError: when what the instances are told is longer than EC2 takes.

    """

    def __init__(  # noqa: PLR0913 - what can be chosen, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        instances: InstanceOptions | None = None,
        failover: FailoverOptions | None = None,
        topic: TopicOptions | None = None,
        alerts: AlertOptions | None = None,
        logs: LogOptions | None = None,
        security_group: ec2.ISecurityGroup | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        chosen_failover = failover or FailoverOptions()
        _must_be_usable(network, chosen_failover)
        _must_be_the_networks(chosen_failover, network)
        self.network = network
        chosen = instances or InstanceOptions()
        size = self._size(chosen, network)
        address = Address.of(self)
        self._tag(network, address.name)
        customer_key = (topic or TopicOptions()).customer_key
        key = EncryptionKey(self, "MessageKey") if customer_key else None
        notifications = NotificationsTopic(
            self, "Outcome", key=key, emails=(alerts or AlertOptions()).emails
        )
        failures = FailoverTopic(self, "NatFailed", key=key)
        elastic_ips = ElasticIps(
            self, "ElasticIps", name=address.name, options=chosen, nats=size.desired
        )
        _must_have_room(network, elastic_ips)
        function = FailoverFunction(
            self,
            "Failover",
            network=network,
            elastic_ips=elastic_ips,
            topic=failures,
            notifications=notifications,
            key=key,
            name=address.name,
            group=group_name(address),
            wanted=size.desired,
            watch=chosen.watch,
            options=chosen_failover,
            log_retention_days=(logs or LogOptions()).retention_days,
        )
        self._fleet = NatFleet(
            self,
            "Fleet",
            address=address,
            network=network,
            topic=failures,
            memory=function.memory,
            listener=function.listening,
            associations=PrivateAssociations(
                self, "PrivateAssociations", network=network, function=function
            ),
            options=chosen,
            size=size,
            security_group=security_group,
            elastic_ips=elastic_ips,
        )
        if elastic_ips.key:
            function.give_elastic_ips_to(self._fleet.launch.version)
        if network.checked:
            self._fleet.group.node.add_dependency(
                NetworkCheck(self, "NetworkCheck", network=network, function=function)
            )
        routes = DefaultRoutes(
            self, "DefaultRoutes", network=network, function=function, fleet=self._fleet
        )
        Observability(
            self,
            "Observability",
            function=function,
            routes=routes,
            notifications=notifications,
        )
        for subnet in network.private_subnets:
            # What waits for a subnet's way out waits for the function's routes.
            way_out = subnet.internet_connectivity_established
            if isinstance(way_out, DependencyGroup):
                way_out.add(routes.served)
        self._metrics = function.metrics
        self.failures: sns.ITopic = failures.topic
        """Whatever is published to it makes the function observe the NATs."""
        self.notifications: sns.ITopic = notifications.topic
        """What happened, and alarms, for people; subscribe to it."""
        self.function: lambda_.IFunction = function.function
        self.elastic_ips: tuple[str, ...] = elastic_ips.addresses
        """The addresses with which private hosts are seen, if the construct made them."""

    def _size(self, instances: InstanceOptions, network: NatNetwork) -> Size:
        instances.check()
        size = instances.size(len(network.public_subnets))
        for rule in (min_is_not_more_than_desired, desired_is_not_more_than_max):
            if mistake := rule(size, ""):
                raise OptionsError(mistake)
        if mistake := each_nat_has_an_elastic_ip(instances, size, ""):
            raise OptionsError(mistake)
        if size.desired == 1:
            cdk.Annotations.of(self).add_warning_v2(
                "nat-failover:one-nat",
                "One NAT instance cannot fail over: when it dies, no private subnet has internet"
                " until its replacement forwards, minutes later. Give the NATs two public subnets,"
                " or desired=2.",
            )
        return size

    def _tag(self, network: NatNetwork, name: str) -> None:
        """Tag the private subnets and their tables, by which drills know what they may touch."""
        for subnet in network.private_subnets:
            cdk.Tags.of(subnet).add(FLEET_TAG, name)

    @property
    def auto_scaling_group(self) -> autoscaling.CfnAutoScalingGroup:
        """The group of the NAT instances."""
        return self._fleet.group

    @property
    def role(self) -> iam.Role:
        """The role of the NAT instances."""
        return self._fleet.launch.role

    @property
    def security_group(self) -> ec2.ISecurityGroup:
        """The security group of the NAT instances; it admits the network's CIDRs."""
        return self._fleet.launch.security_group

    @property
    def connections(self) -> ec2.Connections:
        """What may connect to the NAT instances, and whereto they may."""
        return self.security_group.connections

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a principal make the function observe the NATs, by a message to `failures`."""
        return self.failures.grant_publish(grantee)

    def metric_usable_nats(self) -> cloudwatch.Metric:
        """Return how many NATs may carry traffic; its minimum of each minute."""
        return self._metrics.metric(Metric.USABLE_NATS, cloudwatch.Stats.MINIMUM)

    def metric_no_egress(self) -> cloudwatch.Metric:
        """Return how many private subnets have no working way out; its maximum of each minute."""
        return self._metrics.metric(Metric.NO_EGRESS, cloudwatch.Stats.MAXIMUM)

    def metric_not_ours(self) -> cloudwatch.Metric:
        """Return how many tables and subnets lead elsewhere; its maximum of each minute."""
        return self._metrics.metric(Metric.NOT_OURS, cloudwatch.Stats.MAXIMUM)

    def metric_redundancy_lost(self) -> cloudwatch.Metric:
        """Return whether one more loss would be the last; its maximum of each minute."""
        return self._metrics.metric(Metric.REDUNDANCY_LOST, cloudwatch.Stats.MAXIMUM)

    def metric_moves(self) -> cloudwatch.Metric:
        """Return how many tables came to use another NAT; its sum of each minute."""
        return self._metrics.metric(Metric.MOVES, cloudwatch.Stats.SUM)

    def metric_failures(self) -> cloudwatch.Metric:
        """Return how many runs of the function could not finish; its sum of each minute."""
        return self._metrics.metric(Metric.FAILURES, cloudwatch.Stats.SUM)


def _must_be_the_networks(failover: FailoverOptions, network: NatNetwork) -> None:
    """Raise OptionsError for tables to adopt that are not the network's, if its ids are known."""
    known = not any(map(cdk.Token.is_unresolved, network.tables))
    listed = () if isinstance(failover.adopt, bool) else failover.adopt
    if known and (unknown := set(listed) - set(network.tables)):
        message = (
            f"adopt names {', '.join(sorted(unknown))}, no private route table of"
            f" {network.vpc.node.path}; allowed: {', '.join(sorted(network.tables))}"
        )
        raise OptionsError(message)


def _must_have_room(network: NatNetwork, elastic_ips: ElasticIps) -> None:
    """Raise OptionsError for more tables and Elastic IPs than the function can be told of.

    Three ids of allocations are as long as what is said of a table, and the name of what launches
    the NATs that have them as two.
    """
    count, tables = len(elastic_ips.allocations), len(network.homes)
    most = MOST_TABLES - 2 - ceil(count / 3)
    if count and tables > most:
        message = (
            f"{network.vpc.node.path} has {tables} private route tables to serve, with {count}"
            f" Elastic IPs; allowed: {max(most, 0)} tables at most with these"
        )
        raise OptionsError(message)


def _must_be_usable(network: NatNetwork, failover: FailoverOptions) -> None:
    """Raise OptionsError for what is no network, or one that NATs cannot serve."""
    if not isinstance(network, NatNetwork):
        kind = type(network).__name__
        message = f"network is a {kind}; allowed: a NatNetwork, such as NewNetwork(…).network"
        raise OptionsError(message)
    path, tables = network.vpc.node.path, len(network.homes)
    if not network.public_subnets:
        message = f"{path} has no public subnets for NATs; allowed: one or more"
        raise OptionsError(message)
    if not 1 <= tables <= MOST_TABLES:
        message = (
            f"{path} has {tables} private route tables to serve; allowed: 1 to {MOST_TABLES}, of"
            " subnets such as PRIVATE_WITH_EGRESS"
        )
        raise OptionsError(message)
    swaps = failover.strategy is Strategy.SWAP_ROUTE_TABLE
    if swaps and network.outlives_the_stack:
        message = (
            f"strategy is '{failover.strategy}', but others associate the subnets of {path};"
            " allowed: 'replace-route' for a VPC that somebody else made"
        )
        raise OptionsError(message)
