"""The Elastic IPs of the NATs: made here, or given."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from nat_failover.contract import FLEET_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cdk_nat_failover.options.instances import InstanceOptions

RETAINED_TAG = "nat-failover:retained"
"""The tag of an Elastic IP that stays: a property that changes with its deletion policy.

Of a policy that changes alone the deployment might not take notice, and release the address later.
"""


class ElasticIps(Construct):
    """An Elastic IP for each NAT, or none; the function associates them.

    `allocations` are the ids of their allocations, `addresses` those that were made here. `key` is
    another one when NATs have to be replaced to have others, or none.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, options: InstanceOptions, nats: int
    ) -> None:
        super().__init__(scope, construct_id)
        wanted = options.elastic_ips
        self.addresses: tuple[str, ...] = ()
        if isinstance(wanted, tuple):
            self.allocations, self.key = wanted, _digest(wanted)
            return
        made = [self._made(number, name, wanted) for number in range(1, nats + 1) if wanted]
        self.allocations = tuple(each.attr_allocation_id for each in made)
        self.addresses = tuple(each.ref for each in made)
        self.key = f"{nats}-created" if made else ""

    def _made(self, number: int, name: str, wanted: str | None) -> ec2.CfnEIP:
        made = ec2.CfnEIP(self, f"Address{number}", domain="vpc")
        cdk.Tags.of(made).add("Name", f"{name} NAT")
        cdk.Tags.of(made).add(FLEET_TAG, name)
        if wanted == "retained":
            made.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
            cdk.Tags.of(made).add(RETAINED_TAG, "true")
        else:
            made.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return made


def _digest(ids: Iterable[str]) -> str:
    return hashlib.sha256(",".join(sorted(ids)).encode()).hexdigest()[:16]
