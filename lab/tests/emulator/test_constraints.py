"""Contracts of documented constraints: what AWS refuses is refused, in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.constraints import ValuesAreConstrained
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_subnets, any_topic, deploy, reasons
from lab.tests.emulator.stacks import resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region

RULE: dict[str, Any] = {"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"}
VPC = resource("EC2::VPC", CidrBlock="10.0.0.0/16")


def group(description: str) -> dict[str, Any]:
    """Return a security group whose one rule has a description."""
    return resource(
        "EC2::SecurityGroup",
        GroupDescription="any",
        VpcId={"Ref": "Vpc"},
        SecurityGroupIngress=[{**RULE, "Description": description}],
    )


@contract_of(ValuesAreConstrained)
def test_deployment_fails_when_the_description_of_a_rule_has_an_apostrophe(region: Region) -> None:
    """In EC2's words, and the stack is rolled back."""
    status = deploy(region, {"Vpc": VPC, "Group": group("The VPC's traffic")})
    assert status == "ROLLBACK_COMPLETE"
    assert "Invalid rule description. Valid descriptions are strings less than" in reasons(region)


@contract_of(ValuesAreConstrained)
def test_update_fails_when_it_brings_an_apostrophe(region: Region) -> None:
    """What was there stays."""
    assert deploy(region, {"Vpc": VPC, "Group": group("Traffic")}) == "CREATE_COMPLETE"
    changed = {"Vpc": VPC, "Group": group("The VPC's traffic")}
    assert update(region, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Invalid rule description" in reasons(region)


@contract_of(ValuesAreConstrained)
def test_call_is_refused_when_the_description_of_a_rule_has_an_apostrophe(region: Region) -> None:
    """EC2's API takes it no more than CloudFormation does."""
    any_subnets(region)
    ec2 = region.client("ec2")
    id_ = ec2.create_security_group(GroupName="any", Description="any")["GroupId"]
    ranges = [{"CidrIp": "10.0.0.0/16", "Description": "The VPC's traffic"}]
    with pytest.raises(ClientError, match="Invalid rule description") as refused:
        ec2.authorize_security_group_ingress(
            GroupId=id_, IpPermissions=[{"IpProtocol": "-1", "IpRanges": ranges}]
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


@contract_of(ValuesAreConstrained)
def test_message_is_refused_when_its_subject_has_a_line_break(region: Region) -> None:
    """A subject is one short line of printable ASCII."""
    topic = any_topic(region)
    with pytest.raises(ClientError, match="Invalid parameter: Subject"):
        region.client("sns").publish(TopicArn=topic, Subject="two\nlines", Message="any")


def test_region_takes_values_that_are_allowed(region: Region) -> None:
    """All the punctuation that descriptions may have."""
    status = deploy(region, {"Vpc": VPC, "Group": group("._-:/()#,@[]+=&;{}!$*")})
    assert status == "CREATE_COMPLETE"
