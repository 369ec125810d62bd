"""The group of NAT instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from constructs import Construct

from cdk_nat_failover.instances.nat_launch import NatLaunch, group_name
from nat_failover.contract import DRAIN_HOOK, FLEET_TAG

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from constructs import DependencyGroup

    from cdk_nat_failover.address import Address
    from cdk_nat_failover.function.private_associations import PrivateAssociations
    from cdk_nat_failover.instances.elastic_ips import ElasticIps
    from cdk_nat_failover.messaging.failover_topic import FailoverTopic
    from cdk_nat_failover.network.nat_network import NatNetwork
    from cdk_nat_failover.options.instances import InstanceOptions, Size

EVENTS = (
    "autoscaling:EC2_INSTANCE_LAUNCH",
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
    "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
)

HOOK = "proven-to-forward"
"""The launch hook, which an instance completes itself when it has proven that it forwards."""

HEARTBEAT_S = 420
"""How long the group waits for that.

A minute for EC2 and the system to start, 300 s that the boot takes at most until the group is
told, half a minute to tell it of a failure, and 30 s to spare (docs/instance.md)."""

SIGNAL_TIMEOUT = "PT15M"
"""How long a deployment waits for the signal of an instance that forwards.

Long enough for a boot that fails and one that does not, of 405 s at most each. Then it fails, and
goes back (docs/decisions/0018-an-update-never-ends-the-last-nat.md). An update waits for the drain
of the instance before it, too (docs/decisions/0028-drain-and-renewal.md)."""

MIN_HEALTHY, MAX_HEALTHY = 100, 150
"""Between which percentages of its size the group replaces: one more at most, never one less."""


_DAY_S = 86_400


class NatFleet(Construct):
    """An Auto Scaling group over the public subnets that tells the topic about its instances.

    It is written property by property, as `NatLaunch` is: the higher-level group makes a launch
    configuration only of itself, and the two ways to launch should differ in nothing else.
    """

    def __init__(  # noqa: PLR0913 - what the group needs, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        address: Address,
        network: NatNetwork,
        topic: FailoverTopic,
        memory: dynamodb.ITable,
        listener: DependencyGroup,
        associations: PrivateAssociations,
        options: InstanceOptions,
        size: Size,
        security_group: ec2.ISecurityGroup | None,
        elastic_ips: ElasticIps,
    ) -> None:
        super().__init__(scope, construct_id)
        self.group = self._group(group_name(address), network, topic, options, size)
        self.launch = NatLaunch(
            self,
            "Launch",
            network=network,
            options=options,
            security_group=security_group,
            address=address,
            topic=topic,
            memory=memory,
            hook=HOOK,
            resource=cdk.Stack.of(self).resolve(self.group.logical_id),
            elastic_ips=elastic_ips.key,
        )
        self._launch_from(self.launch)
        self._tag(address.name)
        # The first launches are told only to who listens by then, and an instance can fetch its
        # packages only where there is a way out. In reverse: the internet gateway cannot be
        # detached while the instances have public addresses, and moved subnets are released when no
        # NAT is left to move them to.
        self.group.node.add_dependency(listener, topic, associations, *network.public_subnets)

    def _group(
        self,
        name: str,
        network: NatNetwork,
        topic: FailoverTopic,
        options: InstanceOptions,
        size: Size,
    ) -> autoscaling.CfnAutoScalingGroup:
        of = autoscaling.CfnAutoScalingGroup
        group = of(
            self,
            "Group",
            auto_scaling_group_name=name,
            lifecycle_hook_specification_list=[_launch_hook(), _drain_hook(options.drain_s)],
            vpc_zone_identifier=[subnet.subnet_id for subnet in network.public_subnets],
            min_size=str(size.min),
            max_size=str(size.max),
            # A deployment sets the size again: it repairs a group that someone left scaled in.
            desired_capacity=str(size.desired),
            # 0 clears the limit of a group that had one.
            max_instance_lifetime=(options.max_lifetime_days or 0) * _DAY_S,
            instance_maintenance_policy=of.InstanceMaintenancePolicyProperty(
                min_healthy_percentage=MIN_HEALTHY, max_healthy_percentage=MAX_HEALTHY
            ),
            notification_configurations=[
                of.NotificationConfigurationProperty(
                    topic_arn=topic.topic.topic_arn, notification_types=list(EVENTS)
                )
            ],
        )
        # Without these, a group whose instances never boot would be waited for for hours.
        group.cfn_options.creation_policy = cdk.CfnCreationPolicy(
            resource_signal=cdk.CfnResourceSignal(count=size.desired, timeout=SIGNAL_TIMEOUT)
        )
        group.cfn_options.update_policy = cdk.CfnUpdatePolicy(
            auto_scaling_rolling_update=cdk.CfnAutoScalingRollingUpdate(
                min_instances_in_service=1,
                max_batch_size=1,
                wait_on_resource_signals=True,
                pause_time=_update_timeout(options.drain_s),
            )
        )
        return group

    def _launch_from(self, launch: NatLaunch) -> None:
        """Let the group launch from what names the group in turn."""
        if isinstance(launch.resource, autoscaling.CfnLaunchConfiguration):
            self.group.launch_configuration_name = launch.resource.ref
            return
        of = autoscaling.CfnAutoScalingGroup
        self.group.launch_template = of.LaunchTemplateSpecificationProperty(
            launch_template_id=launch.resource.ref,
            version=launch.resource.attr_latest_version_number,
        )

    def _tag(self, name: str) -> None:
        """Tag the group and what it launches, once for people and once for drills."""
        cdk.Tags.of(self.group).add("Name", f"{name} NAT")
        cdk.Tags.of(self.group).add(FLEET_TAG, name)


def _launch_hook() -> autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty:
    """Return the hook; in the group's own list it also holds the first launches."""
    return autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty(
        lifecycle_hook_name=HOOK,
        lifecycle_transition="autoscaling:EC2_INSTANCE_LAUNCHING",
        heartbeat_timeout=HEARTBEAT_S,
        default_result="ABANDON",
    )


def _drain_hook(drain_s: int) -> autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty:
    """Return the hook that holds an instance while its old flows end.

    The function completes its action, and when nobody does the group goes on: it waits for nothing
    but time.
    """
    return autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty(
        lifecycle_hook_name=DRAIN_HOOK,
        lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
        heartbeat_timeout=drain_s,
        default_result="CONTINUE",
    )


def _update_timeout(drain_s: int) -> str:
    """Return how long an update waits for an instance that may be launched after a drain."""
    drain = cdk.Duration.seconds(drain_s)
    return cdk.Duration.parse(SIGNAL_TIMEOUT).plus(drain).to_iso_string()
