"""Contracts of tags that AWS keeps to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.tags import ReservedTagsAreRefused
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_instance, group_in_service

if TYPE_CHECKING:
    from lab.emulator.region import Region

GROUP = "aws:autoscaling:groupName"


@contract_of(ReservedTagsAreRefused)
def test_nobody_can_say_of_an_instance_that_it_belongs_to_a_group(region: Region) -> None:
    """The key is Auto Scaling's, and refused whatever the case of its letters."""
    ec2, instance = region.client("ec2"), any_instance(region)
    for key in (GROUP, GROUP.upper()):
        with pytest.raises(ClientError, match="reserved for internal use"):
            ec2.create_tags(Resources=[instance], Tags=[{"Key": key, "Value": "any"}])


@contract_of(ReservedTagsAreRefused)
def test_nobody_can_take_the_group_s_name_from_a_member(region: Region) -> None:
    """A filter on it finds every member of the group, and only those."""
    ec2, members = region.client("ec2"), group_in_service(region)
    any_instance(region)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        ec2.delete_tags(Resources=members, Tags=[{"Key": GROUP}])
    named = {"Name": f"tag:{GROUP}", "Values": ["any"]}
    reply = ec2.describe_instances(Filters=[named])
    found = [row["InstanceId"] for part in reply["Reservations"] for row in part["Instances"]]
    assert sorted(found) == sorted(members)


def test_filter_on_the_vpc_finds_what_is_in_it(region: Region) -> None:
    """Instances and route tables alike, also together with the group's name."""
    ec2, members = region.client("ec2"), group_in_service(region)
    other = any_instance(region)
    (vpc,) = {row["VpcId"] for row in _instances(region, "instance-id", *members)}
    assert other not in [row["InstanceId"] for row in _instances(region, "vpc-id", vpc)]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert [vpc] == [row["VpcId"] for row in tables]


def _instances(region: Region, name: str, *values: str) -> list[dict[str, str]]:
    reply = region.client("ec2").describe_instances(Filters=[{"Name": name, "Values": [*values]}])
    return [row for part in reply["Reservations"] for row in part["Instances"]]
