"""Whether EC2 has what the NATs are to be: their type, their image, the key of their disks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.doctor.findings import Finding, ok, problem, unknown
from lab.doctor.network import public_subnets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.doctor.examined import Examined

_MANAGED_KEY = "alias/aws/ebs"
_ROLE = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
"""The end of the ARN of Auto Scaling's service-linked role ("Required AWS KMS key policy for use
with encrypted volumes", EC2 Auto Scaling user guide)."""

_NO_MORE = datetime(2024, 10, 1, tzinfo=UTC)
"""From when on few accounts may create launch configurations ("Auto Scaling launch configurations",
EC2 Auto Scaling user guide)."""


def zones(examined: Examined) -> Finding:
    """Say whether the zones are there, and have the instance type."""
    network, type_ = examined.settings.network, examined.settings.fleet.instance_type
    key = "network.public_subnets" if network.vpc else "network.zones"
    known = {name: row for row in _zones(examined) for name in (row["ZoneName"], row["ZoneId"])}
    names = sorted({row["ZoneName"] for row in known.values()})
    wanted = network.zones or _zones_of_subnets(examined) or names[: network.nat_subnet_count]
    if len(wanted) < network.nat_subnet_count:
        return problem(
            f"{examined.region} has {len(names)} zones for the {network.nat_subnet_count} that the"
            " stack needs: deploy it in another Region"
        )
    usable = {name for name, row in known.items() if row["State"] == "available"}
    if missing := [zone for zone in wanted if zone not in usable]:
        return problem(
            f"{_list(missing)} is no zone that the account can use in {examined.region}: name"
            f" others of {_list(names)} in {key}"
        )
    offered = {row["Location"] for row in _offers(examined.clients["ec2"], type_)}
    if lacking := [zone for zone in wanted if known[zone]["ZoneName"] not in offered]:
        return problem(
            f"{type_} is not offered in {_list(lacking)}: name zones of {_list(offered) or 'none'}"
            f" in {key}, or another fleet.instance_type"
        )
    return ok(f"{_list(wanted)} have {type_}{_of_the_others(examined, names, offered)}")


def _of_the_others(examined: Examined, names: Iterable[str], offered: set[str]) -> str:
    """Return what to know where no zones are named, and AWS may take others (`Fn::GetAZs`)."""
    network = examined.settings.network
    lacking = [zone for zone in names if zone not in offered]
    if network.zones or network.vpc or not lacking:
        return ""
    return f"; {_list(lacking)} has not, so name network.zones to be sure of them"


def _zones(examined: Examined) -> list[Any]:
    kind = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    reply = examined.clients["ec2"].describe_availability_zones(Filters=kind)
    rows: list[Any] = reply["AvailabilityZones"]
    return rows


def _zones_of_subnets(examined: Examined) -> list[str]:
    """Return the zones of the public subnets of an existing VPC; none where a new one is made."""
    return [row["AvailabilityZone"] for row in public_subnets(examined)]


def _offers(ec2: Any, type_: str) -> list[Any]:  # noqa: ANN401 - a client
    rows: list[Any] = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [type_]}]
    )["InstanceTypeOfferings"]
    return rows


def image(examined: Examined) -> Finding:
    """Say whether there is the image, and whether the instance type can boot it."""
    fleet = examined.settings.fleet
    named = fleet.ami.id if fleet.ami else fleet.public_image
    key = "fleet.ami" if fleet.ami else "fleet.image"
    try:
        id_ = fleet.ami.id if fleet.ami else _value(examined, named)
        (found,) = examined.clients["ec2"].describe_images(ImageIds=[id_])["Images"] or [None]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ParameterNotFound", "InvalidAMIID.NotFound"):
            raise
        found = None
    if not found:
        return problem(
            f"{named} is not there for this account in {examined.region}: name another {key}, or"
            " let the account use it (the Allowed AMIs of its EC2 settings hide all others)"
        )
    if found["State"] != "available" or found.get("ImageAllowed") is False:
        return problem(
            f"{found['ImageId']} ({named}) is {found['State']} and, by the account's Allowed AMIs,"
            f" {'allowed' if found.get('ImageAllowed', True) else 'not allowed'}: name another"
            f" {key}, or allow it"
        )
    can = _architectures(examined)
    if found["Architecture"] not in can:
        return problem(
            f"{found['ImageId']} ({named}) is of {found['Architecture']}, and {fleet.instance_type}"
            f" boots {_list(can) or 'nothing'} here: make {key} and fleet.instance_type agree"
        )
    return ok(f"{found['ImageId']} ({named}) is of {found['Architecture']}")


def _value(examined: Examined, parameter: str) -> str:
    found = examined.clients["ssm"].get_parameter(Name=parameter)
    return str(found["Parameter"]["Value"])


def _architectures(examined: Examined) -> tuple[str, ...]:
    type_ = examined.settings.fleet.instance_type
    try:
        (row,) = examined.clients["ec2"].describe_instance_types(InstanceTypes=[type_])[
            "InstanceTypes"
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidInstanceType":
            raise
        return ()
    return tuple(row["ProcessorInfo"]["SupportedArchitectures"])


def volume_key(examined: Examined) -> Finding:
    """Say whether the disks' key can be used by Auto Scaling.

    A launch template names the key that AWS manages; a launch configuration cannot name any, and
    takes the account's default.
    """
    if examined.settings.fleet.launch == "template":
        return ok(f"the launch template names {_MANAGED_KEY}, whatever the account's default is")
    key = str(examined.clients["ec2"].get_ebs_default_kms_key_id()["KmsKeyId"])
    if key.endswith(_MANAGED_KEY):
        return ok(f"the account's default key for EBS is {_MANAGED_KEY}")
    if _lets_auto_scaling(examined, key):
        return ok(f"the account's default key for EBS, {key}, names Auto Scaling's role")
    return problem(
        f"the account's default key for EBS is {key}, whose policy and grants do not name {_ROLE}:"
        " let that role use it, or set fleet.launch to 'template', which names the key of AWS"
    )


def _lets_auto_scaling(examined: Examined, key: str) -> bool:
    kms = examined.clients["kms"]
    policy = str(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    if _ROLE in policy:
        return True
    grants = kms.get_paginator("list_grants").paginate(KeyId=key)
    return any(
        _ROLE in row.get("GranteePrincipal", "") for page in grants for row in page["Grants"]
    )


def metadata(examined: Examined) -> Finding:
    """Say whether the account's defaults of the metadata service keep an instance from booting.

    What a launch says wins over them, each option by itself ("Order of precedence for instance
    metadata options", EC2 user guide), and it says all but one: a launch configuration cannot say
    that tags are not shown.
    """
    if examined.settings.fleet.launch == "template":
        return ok("the launch template says its own options, whatever the account's defaults are")
    level = examined.clients["ec2"].get_instance_metadata_defaults()["AccountLevel"]
    if level.get("InstanceMetadataTags") == "enabled":
        return problem(
            "the account shows the tags of instances in their metadata, and a launch configuration"
            " cannot say otherwise: a tag whose key has a space or a slash fails each launch, so"
            " set fleet.launch to 'template', or put no such tag on the stack"
        )
    return ok("the account does not show tags in the metadata; the launch says the rest")


def launch_configurations(examined: Examined) -> Finding:
    """Say whether the account may create launch configurations, as far as that shows."""
    if examined.settings.fleet.launch == "template":
        return ok("none is made: fleet.launch is 'template'")
    pages = examined.clients["autoscaling"].get_paginator("describe_launch_configurations")
    made = [row["CreatedTime"] for page in pages.paginate() for row in page["LaunchConfigurations"]]
    if any(time >= _NO_MORE for time in made):
        return ok("the account has made one since AWS lets few accounts do so")
    return unknown(
        "no call of AWS says whether the account may create one, and it has none that is younger"
        f" than {_NO_MORE:%Y-%m-%d}: an account that was made since then may not, so set"
        " fleet.launch to 'template' unless you know"
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
