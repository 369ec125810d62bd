"""The group of NAT instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from constructs import Construct

from nat_failover.settings import FLEET_TAG
from stacks.constructs.nat_launch import NatLaunch

if TYPE_CHECKING:
    from constructs import DependencyGroup

    from stacks.constructs.failover_topic import FailoverTopic
    from stacks.constructs.network import Network
    from stacks.constructs.private_associations import PrivateAssociations
    from stacks.settings import FleetSettings

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

A minute for EC2 and the system to start, then what the boot script takes at most, and a minute."""

BOOT_PAUSE = "PT5M"
"""What a rolling update gives an instance to boot before it replaces the next.

The boot script gives up before that. Whether CloudFormation waits for launches that a hook holds is
not documented; that one instance must stay in service is."""


def group_name(scope: Construct) -> str:
    """Return the group's name, which instances and function are told before the group exists.

    An instance may complete the actions of that group only, and the function believes that group
    only (decision 0009).
    """
    return f"{cdk.Stack.of(scope).stack_name}-nat"


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
        network: Network,
        topic: FailoverTopic,
        listener: DependencyGroup,
        associations: PrivateAssociations,
        settings: FleetSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = group_name(self)
        launch = NatLaunch(
            self, "Launch", network=network, settings=settings, group=self._name, hook=HOOK
        )
        self.launch_version = launch.version
        self.group = self._group(network, topic, launch, settings)
        self._tag()
        # The first launches are told only to who listens by then, and an instance can fetch its
        # packages only where there is a way out. In reverse: the internet gateway cannot be
        # detached while the instances have public addresses, and moved subnets are released when no
        # NAT is left to move them to.
        self.group.node.add_dependency(listener, topic, associations, *network.public_subnets)

    def _group(
        self, network: Network, topic: FailoverTopic, launch: NatLaunch, settings: FleetSettings
    ) -> autoscaling.CfnAutoScalingGroup:
        group = autoscaling.CfnAutoScalingGroup(
            self,
            "Group",
            auto_scaling_group_name=self._name,
            lifecycle_hook_specification_list=[_launch_hook()],
            launch_template=autoscaling.CfnAutoScalingGroup.LaunchTemplateSpecificationProperty(
                launch_template_id=launch.resource.ref, version=launch.version
            )
            if settings.launch == "template"
            else None,
            launch_configuration_name=launch.resource.ref
            if settings.launch == "configuration"
            else None,
            vpc_zone_identifier=[subnet.subnet_id for subnet in network.public_subnets],
            min_size=str(settings.min),
            max_size=str(settings.max),
            # A deployment sets the size again: it repairs a group that someone left scaled in.
            desired_capacity=str(settings.desired),
            notification_configurations=[
                autoscaling.CfnAutoScalingGroup.NotificationConfigurationProperty(
                    topic_arn=topic.topic.topic_arn, notification_types=list(EVENTS)
                )
            ],
        )
        group.cfn_options.update_policy = cdk.CfnUpdatePolicy(
            auto_scaling_rolling_update=cdk.CfnAutoScalingRollingUpdate(
                min_instances_in_service=1, max_batch_size=1, pause_time=BOOT_PAUSE
            )
        )
        return group

    def _tag(self) -> None:
        """Tag the group and what it launches, once for people and once for the function."""
        stack_name = cdk.Stack.of(self).stack_name
        cdk.Tags.of(self.group).add("Name", f"{stack_name} NAT")
        cdk.Tags.of(self.group).add(FLEET_TAG, stack_name)


def _launch_hook() -> autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty:
    """Return the hook; in the group's own list it also holds the first launches."""
    return autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty(
        lifecycle_hook_name=HOOK,
        lifecycle_transition="autoscaling:EC2_INSTANCE_LAUNCHING",
        heartbeat_timeout=HEARTBEAT_S,
        default_result="ABANDON",
    )
