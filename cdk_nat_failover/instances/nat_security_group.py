"""The security group of the NATs: what may reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_nat_failover.network.nat_network import NatNetwork


class NatSecurityGroup(ec2.SecurityGroup):
    """A group that admits everything from the VPC and what else is served, and each rule once.

    Users of other NAT constructs add a rule for the VPC's CIDR of their own. EC2 keeps one of two
    rules that differ in their descriptions only; CloudFormation takes both with a note, and when
    one is taken out of the template it revokes the rule, after which the NATs would admit nothing
    (aws-cloudformation/cloudformation-coverage-roadmap#612, #1532).
    """

    def __init__(self, scope: Construct, construct_id: str, *, network: NatNetwork) -> None:
        super().__init__(
            scope,
            construct_id,
            vpc=network.vpc,
            description="NAT instances: everything from the VPC, nothing from elsewhere",
            allow_all_outbound=True,
        )
        self._vpc = network.vpc
        self._admitted: set[tuple[str, str]] = set()
        for cidrs, origin in (
            (network.cidrs, "the VPC"),
            (network.served_cidrs, "a served network"),
        ):
            for cidr in cidrs:
                self.add_ingress_rule(
                    ec2.Peer.ipv4(cidr),
                    ec2.Port.all_traffic(),
                    f"Traffic from {origin} to the internet",
                )

    def add_ingress_rule(
        self,
        peer: ec2.IPeer,
        connection: ec2.Port,
        description: str | None = None,
        remote_rule: bool | None = None,  # noqa: FBT001 - the CDK's own signature
    ) -> None:
        """Admit a peer, unless it is admitted already."""
        rule = (self._written(peer.unique_id), repr(connection.to_rule_json()))
        if rule not in self._admitted:
            self._admitted.add(rule)
            super().add_ingress_rule(peer, connection, description, remote_rule)

    def _written(self, peer: str) -> str:
        """Return a peer; where it is the attribute of a new VPC, the CIDR that it will have."""
        resource = self._vpc.node.default_child
        if isinstance(resource, ec2.CfnVPC) and peer == self._vpc.vpc_cidr_block:
            return resource.cidr_block or peer
        return peer
