"""`NatFailoverProvider`: the NATs of an `ec2.Vpc`, in place of NAT gateways or another provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2

from cdk_nat_failover.nat_failover import NatFailover
from cdk_nat_failover.network.nat_network import NatNetwork, home_of
from cdk_nat_failover.options.instances import InstanceOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_autoscaling as autoscaling
    from aws_cdk import aws_iam as iam

    from cdk_nat_failover.options.alerts import AlertOptions
    from cdk_nat_failover.options.failover import FailoverOptions
    from cdk_nat_failover.options.logs import LogOptions
    from cdk_nat_failover.options.topic import TopicOptions


@jsii.implements(ec2.IConnectable)
class NatFailoverProvider(ec2.NatProvider):
    """Gives an `ec2.Vpc` NAT instances that fail over; `nat_failover` is the construct itself.

    `nat_gateways` of the VPC says how many NATs there are, one in each of as many zones.
    `instance_type` goes before that of `instances`, `enable_ssm` before its `session_manager`;
    where neither is said, Session Manager opens shells, as with cdk-fck-nat. A security group of
    one's own admits what it admits, and nothing else. The other arguments are those of cdk-fck-nat
    that mean nothing here: they are taken with a warning.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen, each thing by name
        self,
        *,
        instance_type: ec2.InstanceType | str | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        enable_ssm: bool | None = None,
        instances: InstanceOptions | None = None,
        failover: FailoverOptions | None = None,
        topic: TopicOptions | None = None,
        alerts: AlertOptions | None = None,
        logs: LogOptions | None = None,
        asg_update_policy: object = None,
        cloud_watch_config_param: object = None,
        eip_pool: object = None,
        enable_cloud_watch: object = None,
        key_name: object = None,
        key_pair: object = None,
        machine_image: object = None,
        user_data: object = None,
    ) -> None:
        super().__init__()
        self._instances = _chosen(instances, instance_type, enable_ssm)
        self._security_group = security_group
        self._failover, self._topic, self._alerts, self._logs = failover, topic, alerts, logs
        self._warnings = [
            f"{name} means nothing to NatFailoverProvider: {why}"
            for name, given, why in (
                ("asg_update_policy", asg_update_policy, _UPDATES),
                ("cloud_watch_config_param", cloud_watch_config_param, _METRICS),
                ("eip_pool", eip_pool, _ADDRESSES),
                ("enable_cloud_watch", enable_cloud_watch, _METRICS),
                ("key_name", key_name, _KEYS),
                ("key_pair", key_pair, _KEYS),
                ("machine_image", machine_image, _IMAGES),
                ("user_data", user_data, _SCRIPTS),
            )
            if given
        ]
        self._made: NatFailover | None = None

    def configure_nat(
        self,
        *,
        nat_subnets: Sequence[ec2.PublicSubnet],
        private_subnets: Sequence[ec2.PrivateSubnet],
        vpc: ec2.Vpc,
    ) -> None:
        """Make the NATs of a VPC; the VPC calls this.

        Raises:
            ValueError: when the provider has made those of another VPC.

        """
        if self._made:
            other = self._made.network.vpc.node.path
            message = (
                f"this NatFailoverProvider makes the NATs of {other} already;"
                " allowed: one provider for each VPC"
            )
            raise ValueError(message)
        self._made = NatFailover(
            vpc,
            "NatFailover",
            network=NatNetwork(
                vpc=vpc,
                cidrs=(vpc.vpc_cidr_block,),
                public_subnets=tuple(nat_subnets),
                homes=tuple(map(home_of, private_subnets)),
            ),
            instances=self._instances,
            failover=self._failover,
            topic=self._topic,
            alerts=self._alerts,
            logs=self._logs,
            security_group=self._security_group,
        )
        for warning in self._warnings:
            name = warning.partition(" ")[0]
            cdk.Annotations.of(vpc).add_warning_v2(f"nat-failover:{name}", warning)

    def configure_subnet(self, subnet: ec2.PrivateSubnet) -> None:
        """Refuse: a subnet that is added later is not served.

        Raises:
            ValueError: always.

        """
        message = (
            f"{subnet.node.path} cannot be given NATs after its VPC was made; allowed: name it in"
            " the VPC's subnet_configuration as PRIVATE_WITH_EGRESS"
        )
        raise ValueError(message)

    @property
    def nat_failover(self) -> NatFailover:
        """The construct that the provider made.

        Raises:
            ValueError: while the provider has not been given to a VPC.

        """
        if self._made is None:
            message = (
                "this NatFailoverProvider has made nothing yet; allowed: give it to a VPC first,"
                " ec2.Vpc(…, nat_gateway_provider=provider), which has private subnets with egress"
                " and whose nat_gateways is not 0"
            )
            raise ValueError(message)
        return self._made

    @property
    def configured_gateways(self) -> list[ec2.GatewayConfig]:
        """The zones that have a NAT, each with the name of the NATs' group for a gateway's id.

        An id of an instance or an interface would be wrong as soon as a NAT is replaced.
        """
        group = self.nat_failover.auto_scaling_group.ref
        return [
            ec2.GatewayConfig(az=subnet.availability_zone, gateway_id=group)
            for subnet in self.nat_failover.network.public_subnets
        ]

    @property
    def auto_scaling_groups(self) -> list[autoscaling.CfnAutoScalingGroup]:
        """The one group of all NATs."""
        return [self.nat_failover.auto_scaling_group]

    @property
    def connections(self) -> ec2.Connections:
        """What may connect to the NATs, and whereto they may."""
        return self.nat_failover.connections

    @property
    def role(self) -> iam.Role:
        """The role of the NATs."""
        return self.nat_failover.role

    @property
    def security_group(self) -> ec2.ISecurityGroup:
        """The security group of the NATs."""
        return self.nat_failover.security_group


_UPDATES = "an update replaces the NATs one by one, and waits until the new one forwards"
_METRICS = "the function reports metrics of its own (metric_… of nat_failover), and the NATs none"
_ADDRESSES = "each NAT gets a public address when it is launched, which leaves with it"
_KEYS = "nothing listens for SSH; set enable_ssm for a shell"
_IMAGES = "the NATs boot Amazon Linux 2023; for an image made from it set ami of instances"
_SCRIPTS = "the NATs run their own boot script, and nothing else"


def _chosen(
    instances: InstanceOptions | None,
    instance_type: ec2.InstanceType | str | None,
    enable_ssm: bool | None,  # noqa: FBT001 - as the caller was given it
) -> InstanceOptions:
    chosen = (instances or InstanceOptions()).model_dump(exclude_unset=True)
    if isinstance(instance_type, ec2.InstanceType):
        instance_type = instance_type.to_string()
    if instance_type:
        chosen["instance_type"] = instance_type
    if enable_ssm is not None:
        chosen["session_manager"] = enable_ssm
    options = InstanceOptions(**{"session_manager": True, **chosen})
    options.check()
    return options
