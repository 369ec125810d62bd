"""A complete observation of the stack's NATs and route tables, or an error: never a part of it.

Reads at the same time: the group by its name, the instances that carry its name in the tag that
Auto Scaling gives to members (users cannot write tags that begin with `aws:`) and that are in the
VPC, every route table of the VPC, and the VPC's subnets where the stack did not make them. Every
page is read. A group, a field or the VPC's main table that is missing from an answer makes the
observation incomplete. A private table that is missing does not: it may be gone for good, and the
others still have to be repaired. An instance that only one of the two knows is reported with what
is known of it. What the memory knows is read beside, and may be missing, and so may the NAT
gateways of the VPC, which are asked for where tables may be taken over from them.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nat_failover.gateways import WAIT_S, begin_gateways, gateways_in_time
from nat_failover.model import ElasticIp, InstanceState, Nat, Observation
from nat_failover.route_tables import IncompleteError, RouteTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from nat_failover.clients import Clients
    from nat_failover.contract import Settings
    from nat_failover.model import Table
    from nat_failover.recall import Recall

MEMBER_TAG = "aws:autoscaling:groupName"
"""The tag that Auto Scaling gives to the members of a group, with the group's name as its value
("Tag Auto Scaling groups and instances", EC2 Auto Scaling user guide)."""


def observe(
    clients: Clients,
    settings: Settings,
    leaving: frozenset[str] = frozenset(),
    recall: Recall | None = None,
    *,
    group_may_be_gone: bool = False,
) -> Observation:
    """Observe the stack once; `leaving` are the instances that messages say are leaving.

    Without a `recall` nothing is asked of the memory, as if nothing had ever been remembered.
    `group_may_be_gone`: where the stack is being deleted, a group that is not there has no members.

    Raises:
        IncompleteError: when the group, the main route table or a field is missing from an answer.
        botocore.exceptions.BotoCoreError: when a read cannot be made.
        botocore.exceptions.ClientError: when AWS refuses a read.

    """
    read = partial(clients.threads.submit, clients=clients, settings=settings)
    instances, groups, route_tables = read(_instances), read(_groups), read(read_route_tables)
    subnets = read(read_subnets) if settings.observes_subnets else None
    elastic_ips = read(_elastic_ips)
    asked = begin_gateways(clients, settings)
    if recall:
        recall.begin()
    with complete_answers():
        described, listed = instances.result(), groups.result()
        if not listed and not group_may_be_gone:
            message = f"there is no Auto Scaling group named {settings.group}"
            raise IncompleteError(message)
        tables = RouteTables(route_tables.result(), settings, subnets.result() if subnets else ())
        seen = Observation(
            nats=_nats(described, _members(listed), tables, settings.launch),
            tables=tables.private(),
            subnets=tables.subnets(),
            foreign=tables.foreign(),
            leaving=leaving,
            now=time.time(),
            zones=frozenset(zone for group in listed for zone in group["AvailabilityZones"]),
            desired=sum(group["DesiredCapacity"] for group in listed),
            deleting=any(group.get("Status") for group in listed),
            elastic_ips=_in_time(elastic_ips),
        )
    if asked:
        gateways = gateways_in_time(asked, tables)
        takeovers = None if gateways is None else seen.takeovers
        seen = replace(seen, gateways=gateways, takeovers=takeovers)
    return recall.add_to(seen) if recall else seen


def observe_tables(clients: Clients, settings: Settings) -> frozenset[Table]:
    """Return the private route tables, none of a VPC that is gone; raise as `observe` does."""
    with complete_answers():
        answered = read_route_tables(clients, settings)
        return RouteTables(answered, settings).private() if answered else frozenset()


@contextmanager
def complete_answers() -> Iterator[None]:
    """Take an answer that has not the documented shape for an incomplete one."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ResponseParserError) as error:
        message = f"an answer has not the documented shape: {error!r}"
        raise IncompleteError(message) from error


def _instances(clients: Clients, settings: Settings) -> list[Any]:
    pages = clients.ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": f"tag:{MEMBER_TAG}", "Values": [settings.group]},
            {"Name": "vpc-id", "Values": [settings.vpc]},
        ]
    )
    return [
        instance
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


def _groups(clients: Clients, settings: Settings) -> list[Any]:
    pages = clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        AutoScalingGroupNames=[settings.group]
    )
    return [group for page in pages for group in page["AutoScalingGroups"]]


def _members(groups: list[Any]) -> list[Any]:
    return [member for group in groups for member in group["Instances"]]


def read_route_tables(clients: Clients, settings: Settings) -> list[Any]:
    """Return every route table of the VPC, as EC2 describes it."""
    pages = clients.ec2.get_paginator("describe_route_tables").paginate(
        Filters=[{"Name": "vpc-id", "Values": [settings.vpc]}]
    )
    return [table for page in pages for table in page["RouteTables"]]


def read_subnets(clients: Clients, settings: Settings) -> list[Any]:
    """Return every subnet of the VPC, as EC2 describes it."""
    pages = clients.ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [settings.vpc]}]
    )
    return [subnet for page in pages for subnet in page["Subnets"]]


def _in_time(asked: Future[frozenset[ElasticIp] | None]) -> frozenset[ElasticIp] | None:
    """Return the Elastic IPs, None if they could not be read in time."""
    try:
        return asked.result(WAIT_S)
    except TimeoutError:
        return None


def _elastic_ips(clients: Clients, settings: Settings) -> frozenset[ElasticIp] | None:
    """Return the Elastic IPs of the settings that there are, or None when they cannot be read.

    They are asked for by a filter: by their ids, one that is missing would hide the others
    (InvalidAllocationID.NotFound, "Error codes", EC2 API developer guide). A read that fails stops
    no repair of a route.
    """
    if not settings.elastic_ips:
        return frozenset()
    try:
        return frozenset(
            ElasticIp(
                allocation=row["AllocationId"],
                interface=row.get("NetworkInterfaceId") or row.get("AssociationId") or None,
                address=row.get("PrivateIpAddress") or None,
            )
            for row in clients.ec2.describe_addresses(
                Filters=[{"Name": "allocation-id", "Values": list(settings.elastic_ips)}]
            )["Addresses"]
        )
    except (ClientError, BotoCoreError, ResponseParserError, KeyError, TypeError, AttributeError):
        return None


def _nats(
    instances: list[Any], members: list[Any], tables: RouteTables, launch: str
) -> frozenset[Nat]:
    """Join what EC2 and the group say; one that only the group knows is of unknown state."""
    membership = {member["InstanceId"]: member for member in members}
    described = {instance["InstanceId"]: instance for instance in instances}
    unknown: Mapping[str, Any] = {"State": {"Name": InstanceState.UNKNOWN}}
    return frozenset(
        _nat(id_, described.get(id_, unknown), membership.get(id_), tables, launch)
        for id_ in membership.keys() | described.keys()
    )


def _nat(
    id_: str,
    instance: Mapping[str, Any],
    member: Mapping[str, Any] | None,
    tables: RouteTables,
    launch: str,
) -> Nat:
    interfaces = instance.get("NetworkInterfaces", [])
    primary = (i for i in interfaces if i.get("Attachment", {}).get("DeviceIndex", 0) == 0)
    interface: Mapping[str, Any] = next(primary, {})
    launched: datetime | None = instance.get("LaunchTime")
    zone = instance.get("Placement", {}).get("AvailabilityZone")
    return Nat(
        instance=id_,
        interface=interface.get("NetworkInterfaceId"),
        zone=zone or (member or {}).get("AvailabilityZone", ""),
        state=InstanceState(instance["State"]["Name"]),
        lifecycle=member["LifecycleState"] if member else None,
        healthy=member is None or member["HealthStatus"].lower() == "healthy",
        source_dest_check=interface.get("SourceDestCheck", True),
        addressed=bool(instance.get("PublicIpAddress")),
        routed="SubnetId" not in instance or tables.may_lead_out(instance["SubnetId"]),
        address=instance.get("PrivateIpAddress"),
        launched=launched.timestamp() if launched else 0.0,
        stable=bool(launch) and _launch(member or {}) == launch,
        profile=instance.get("IamInstanceProfile", {}).get("Arn"),
    )


def _launch(member: Mapping[str, Any]) -> str | None:
    """Return the id of the launch template of a member, or the name of its launch configuration."""
    template: Mapping[str, Any] = member.get("LaunchTemplate") or {}
    return template.get("LaunchTemplateId") or member.get("LaunchConfigurationName")
