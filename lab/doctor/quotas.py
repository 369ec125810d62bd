"""Whether the account's quotas have room for what the stack makes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.doctor.findings import Finding, ok, problem, unknown
from lab.doctor.network import vpc_of_the_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.doctor.examined import Examined

VCPUS = ("ec2", "L-1216C47A")
"""Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances, counted in vCPUs ("Service
Quotas examples", AWS CLI user guide); 5 by default, and more in accounts that have used some."""

VPCS = ("vpc", "L-F678F1CE")
"""VPCs per Region ("Amazon VPC quotas", VPC user guide); 5 by default."""

ELASTIC_IPS = ("ec2", "L-0263D0A3")
"""EC2-VPC Elastic IPs ("Elastic IP address quota", EC2 user guide); 5 by default."""

_STANDARD = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
"""What the names of families begin with that count there, up to their generation."""

_STACK = "aws:cloudformation:stack-name"
"""The tag by which a resource of a stack is known."""

PEAK = 1.5
"""How many of its NATs a group has for a while when it replaces one: the maximum of its maintenance
policy."""

_TYPES_AT_ONCE = 100
"""Instance types that one call describes at most (DescribeInstanceTypes, EC2 API reference)."""


def vcpus(examined: Examined) -> Finding:
    """Say whether the NATs fit into the quota, and one more while one is replaced."""
    fleet, ec2 = examined.settings.fleet, examined.clients["ec2"]
    if not _is_standard(fleet.instance_type):
        return unknown(
            f"{fleet.instance_type} counts in another quota than that of the standard families:"
            " look it up in Service Quotas"
        )
    size = fleet.size(examined.settings.network.nat_subnet_count)
    peak = max(size.max, math.ceil(size.desired * PEAK))
    others = [row for row in _running(ec2) if not _is_ours(row, examined.group)]
    each = _vcpus_of(ec2, {fleet.instance_type, *(row["InstanceType"] for row in others)})
    if fleet.instance_type not in each:
        return problem(
            f"{examined.region} has no instance type {fleet.instance_type}: name another one in"
            " fleet.instance_type"
        )
    used = sum(each[row["InstanceType"]] for row in others)
    quota, one = _quota(examined, VCPUS), each[fleet.instance_type]
    if used + peak * one <= quota:
        return ok(
            f"others use {_amount(used)} of {_amount(quota)} vCPUs, {peak} NATs take {peak * one}"
        )
    steady = used + size.desired * one <= quota
    return problem(
        f"others use {_amount(used)} of {_amount(quota)} vCPUs, so that {size.desired} NATs"
        f" {'fit, but not' if steady else 'do not fit, let alone'} the {peak} that there are while"
        f" one is replaced ({one} each): have the quota {VCPUS[1]} of EC2 raised in Service Quotas"
    )


def vpcs(examined: Examined) -> Finding:
    """Say whether the stack's VPC fits into the quota."""
    if vpc := examined.settings.network.vpc or vpc_of_the_stack(examined):
        return ok(f"the stack has its VPC, {vpc}")
    own = [{"Name": "owner-id", "Values": [examined.account]}]
    pages = examined.clients["ec2"].get_paginator("describe_vpcs").paginate(Filters=own)
    used, quota = sum(len(page["Vpcs"]) for page in pages), _quota(examined, VPCS)
    if used < quota:
        return ok(f"{used} of {_amount(quota)} VPCs are used")
    return problem(
        f"{used} of {_amount(quota)} VPCs are used: delete one, or have the quota {VPCS[1]} of VPC"
        " raised in Service Quotas"
    )


def elastic_ips(examined: Examined) -> Finding:
    """Say whether the Elastic IPs of the NATs are there, or fit into the quota."""
    fleet, given = examined.settings.fleet, examined.settings.fleet.elastic_ips
    if given is None:
        return ok("none is wanted: the NATs have the addresses of their launch, which do not count")
    there = examined.clients["ec2"].describe_addresses()["Addresses"]
    if not isinstance(given, str):
        known = {row.get("AllocationId") for row in there}
        if missing := [id_ for id_ in given if id_ not in known]:
            return problem(
                f"{', '.join(missing)} is no Elastic IP of the account in {examined.region}: name"
                " others in fleet.elastic_ips"
            )
        return ok(f"the account has {', '.join(given)}")
    wanted = fleet.size(examined.settings.network.nat_subnet_count).desired
    used = sum(_tag(row, _STACK) != examined.settings.name for row in there)
    quota = _quota(examined, ELASTIC_IPS)
    if used + wanted <= quota:
        return ok(f"others are {used} of {_amount(quota)}, the NATs take {wanted}")
    return problem(
        f"others are {used} of {_amount(quota)} Elastic IPs, and the NATs take {wanted}: release"
        f" some, or have the quota {ELASTIC_IPS[1]} of EC2 raised in Service Quotas"
    )


def _is_standard(type_: str) -> bool:
    return re.sub(r"[^a-z].*", "", type_) in _STANDARD


def _running(ec2: Any) -> Iterator[Any]:  # noqa: ANN401 - a client
    """Yield what counts: On-Demand instances of the standard families that run or will."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    for page in ec2.get_paginator("describe_instances").paginate(Filters=states):
        for reservation in page["Reservations"]:
            for row in reservation["Instances"]:
                if row.get("InstanceLifecycle") != "spot" and _is_standard(row["InstanceType"]):
                    yield row


def _is_ours(instance: Any, group: str) -> bool:  # noqa: ANN401 - JSON
    return _tag(instance, "aws:autoscaling:groupName") == group


def _tag(row: Any, key: str) -> str | None:  # noqa: ANN401 - JSON
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}
    return tags.get(key)


def _vcpus_of(ec2: Any, types: set[str]) -> dict[str, int]:  # noqa: ANN401 - a client
    """Return the vCPUs of instance types; one that is unknown here is left out."""
    rows: list[Any] = []
    names = sorted(types)
    for first in range(0, len(names), _TYPES_AT_ONCE):
        wanted = {"Name": "instance-type", "Values": names[first : first + _TYPES_AT_ONCE]}
        pages = ec2.get_paginator("describe_instance_types").paginate(Filters=[wanted])
        rows += [row for page in pages for row in page["InstanceTypes"]]
    return {row["InstanceType"]: int(row["VCpuInfo"]["DefaultVCpus"]) for row in rows}


def _quota(examined: Examined, quota: tuple[str, str]) -> float:
    """Return the account's value, or AWS's default where the account has none of its own."""
    client = examined.clients["service-quotas"]
    asked = {"ServiceCode": quota[0], "QuotaCode": quota[1]}
    try:
        found = client.get_service_quota(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
        found = client.get_aws_default_service_quota(**asked)
    return float(found["Quota"]["Value"])


def _amount(number: float) -> str:
    return f"{number:g}"
