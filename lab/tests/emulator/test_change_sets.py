"""Contracts of change sets: what they say of a deployment before it is executed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.cloudformation.change_sets import (
    ChangeSetsMayBeGone,
    ChangeSetsSayWhatChanges,
)
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy, status

if TYPE_CHECKING:
    from lab.emulator.region import Region

TOPIC = {"Type": "AWS::SNS::Topic"}
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64"


def log(**properties: object) -> dict[str, Any]:
    """Return a log group."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def template_of(version: str, **properties: object) -> dict[str, Any]:
    """Return a launch template, and what asks for its newest version and for its id."""
    data = {"ImageId": "ami-00000000000000000", "InstanceType": version}
    return {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": data, **properties},
        },
        "Version": log(
            RetentionInDays={"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
        ),
        "Id": log(LogGroupName={"Ref": "Template"}),
    }


def propose(region: Region, template: dict[str, Any], **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - what boto3 takes
    """Create a change set; return what it says."""
    cloudformation = region.client("cloudformation")
    values = asked.pop("IncludePropertyValues", False)
    reply = cloudformation.create_change_set(
        StackName="any",
        ChangeSetName="proposal",
        TemplateBody=json.dumps(template),
        **{"ChangeSetType": "UPDATE", **asked},
    )
    described: dict[str, Any] = cloudformation.describe_change_set(
        ChangeSetName=reply["Id"], IncludePropertyValues=values
    )
    return described


def changes(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes by logical id."""
    rows = [row["ResourceChange"] for row in described["Changes"]]
    return {row["LogicalResourceId"]: row for row in rows}


def causes(change: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return which properties change, why, and whether that replaces the resource."""
    return [
        (
            row["Target"]["Name"],
            row["ChangeSource"],
            row.get("CausingEntity", ""),
            row["Evaluation"],
            row["Target"]["RequiresRecreation"],
        )
        for row in change["Details"]
    ]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_lists_what_comes_what_changes_and_what_goes(region: Region) -> None:
    """Each with what becomes of the resource; what stays as it is is not listed."""
    deploy(region, {"Stays": TOPIC, "Goes": TOPIC, "Log": log(RetentionInDays=1)})
    listed = changes(
        propose(
            region,
            {"Resources": {"Stays": TOPIC, "Comes": TOPIC, "Log": log(RetentionInDays=3)}},
        )
    )
    assert {name: row["Action"] for name, row in listed.items()} == {
        "Comes": "Add",
        "Log": "Modify",
        "Goes": "Remove",
    }
    assert listed["Log"]["Replacement"] == "False"
    assert causes(listed["Log"]) == [
        ("RetentionInDays", "DirectModification", "", "Static", "Never")
    ]
    assert listed["Goes"]["PolicyAction"] == "Delete"
    assert listed["Goes"]["PhysicalResourceId"].startswith("arn:aws:sns:")
    assert "BeforeContext" not in listed["Log"]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_follows_a_change_to_what_refers_to_it(region: Region) -> None:
    """An attribute of what is changed in place may change; its id does not."""
    deploy(region, template_of("t3.nano"))
    listed = changes(propose(region, {"Resources": template_of("t3.micro")}))
    assert listed.keys() == {"Template", "Version"}
    assert causes(listed["Version"]) == [
        (
            "RetentionInDays",
            "ResourceAttribute",
            "Template.LatestVersionNumber",
            "Dynamic",
            "Never",
        )
    ]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_follows_a_replacement_to_what_refers_to_it(region: Region) -> None:
    """The id of what is replaced is another one, which replaces what is named by it."""
    deploy(region, template_of("t3.nano", LaunchTemplateName="old"))
    proposed = {"Resources": template_of("t3.nano", LaunchTemplateName="new")}
    listed = changes(propose(region, proposed, IncludePropertyValues=True))
    assert listed["Template"]["Replacement"] == "True"
    assert listed["Template"]["PolicyAction"] == "ReplaceAndDelete"
    assert listed["Id"]["Replacement"] == "True"
    assert causes(listed["Id"]) == [
        ("LogGroupName", "ResourceReference", "Template", "Static", "Always")
    ]
    (target,) = [row["Target"] for row in listed["Id"]["Details"]]
    assert target["BeforeValue"].startswith("lt-")
    assert target["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert json.loads(listed["Template"]["AfterContext"])["Properties"]["LaunchTemplateName"]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_fails_when_nothing_changes(region: Region) -> None:
    """The CDK takes AWS's words for 'no changes'; a parameter's value is what counts."""
    template = {
        "Parameters": {"Days": {"Type": "Number", "Default": 1}},
        "Resources": {"Log": log(RetentionInDays={"Ref": "Days"})},
    }
    execute(region, propose(region, template, ChangeSetType="CREATE"))
    literal = {"Resources": {"Log": log(RetentionInDays=1)}}
    described = propose(region, literal)
    assert described["Status"] == "FAILED"
    assert described["ExecutionStatus"] == "UNAVAILABLE"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")


def execute(region: Region, described: dict[str, Any], **options: bool) -> str:
    """Execute a change set; return the stack's status."""
    region.client("cloudformation").execute_change_set(
        ChangeSetName=described["ChangeSetId"], **options
    )
    return status(region)


@contract_of(ChangeSetsSayWhatChanges)
def test_parameter_keeps_its_previous_value(region: Region) -> None:
    """Also one that names a public parameter: the name is kept, and looked up again."""
    template = {
        "Parameters": {"Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": IMAGE}},
        "Resources": {"Log": log(LogGroupName={"Ref": "Image"})},
    }
    execute(region, propose(region, template, ChangeSetType="CREATE"))
    template["Resources"]["More"] = TOPIC
    kept = [{"ParameterKey": "Image", "UsePreviousValue": True}]
    listed = propose(region, template, Parameters=kept)
    assert changes(listed).keys() == {"More"}
    assert execute(region, listed) == "UPDATE_COMPLETE"
    stacks = region.client("cloudformation").describe_stacks(StackName="any")["Stacks"]
    (parameter,) = stacks[0]["Parameters"]
    assert parameter["ParameterValue"] == IMAGE
    assert parameter["ResolvedValue"].startswith("ami-")


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_names_the_parameter_that_changes_a_property(region: Region) -> None:
    """A property that refers to a parameter changes with its value."""
    template = {
        "Parameters": {"Days": {"Type": "Number"}},
        "Resources": {"Log": log(RetentionInDays={"Ref": "Days"})},
    }
    one, three = ([{"ParameterKey": "Days", "ParameterValue": value}] for value in ("1", "3"))
    execute(region, propose(region, template, ChangeSetType="CREATE", Parameters=one))
    listed = changes(propose(region, template, Parameters=three))
    assert causes(listed["Log"]) == [
        ("RetentionInDays", "ParameterReference", "Days", "Static", "Never")
    ]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_without_changes_of_resources_can_change_outputs(region: Region) -> None:
    """Outputs alone are worth an update."""
    deploy(region, {"Topic": TOPIC})
    output = {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}}
    described = propose(region, {"Resources": {"Topic": TOPIC}, "Outputs": output})
    assert described["Changes"] == []
    assert execute(region, described) == "UPDATE_COMPLETE"
    stacks = region.client("cloudformation").describe_stacks(StackName="any")["Stacks"]
    assert stacks[0]["Outputs"][0]["OutputValue"].startswith("any-Topic-")


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_fails_when_a_resource_becomes_another_type(region: Region) -> None:
    """A logical id keeps its type."""
    deploy(region, {"Thing": TOPIC})
    described = propose(region, {"Resources": {"Thing": log()}})
    assert described["Status"] == "FAILED"
    assert "[Thing]" in described["StatusReason"]


@contract_of(ChangeSetsSayWhatChanges)
def test_change_set_that_does_not_exist_is_not_found(region: Region) -> None:
    """Also when another stack has one of that name: the CDK calls all of its own the same."""
    deploy(region, {"Topic": TOPIC}, name="other")
    deploy(region, {"Topic": TOPIC, "More": TOPIC})
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        region.client("cloudformation").describe_change_set(
            StackName="any", ChangeSetName="change-1"
        )


@contract_of(ChangeSetsMayBeGone)
def test_change_set_that_does_not_exist_can_be_deleted(region: Region) -> None:
    """The CDK deletes a change set by name before it creates one."""
    deploy(region, {"Topic": TOPIC})
    region.client("cloudformation").delete_change_set(StackName="any", ChangeSetName="never-was")


@contract_of(ChangeSetsMayBeGone)
def test_change_set_of_another_stack_stays_when_one_of_that_name_is_deleted(
    region: Region,
) -> None:
    """A name is one within its stack."""
    for name in ("first", "second"):
        deploy(region, {"Topic": TOPIC}, name=name)
    cloudformation = region.client("cloudformation")
    cloudformation.delete_change_set(StackName="second", ChangeSetName="change-1")
    assert cloudformation.describe_change_set(StackName="first", ChangeSetName="change-1")


def test_change_set_is_executed_once(region: Region) -> None:
    """A change set that was executed cannot be executed again."""
    deploy(region, {"Topic": TOPIC})
    with pytest.raises(ClientError, match="cannot be executed"):
        region.client("cloudformation").execute_change_set(
            StackName="any", ChangeSetName="change-1"
        )


def test_stack_is_not_created_twice(region: Region) -> None:
    """A change set of type CREATE is refused once the stack exists."""
    deploy(region, {"Topic": TOPIC})
    with pytest.raises(ClientError, match="already exists"):
        propose(region, {"Resources": {"Topic": TOPIC}}, ChangeSetType="CREATE")


def test_change_sets_of_a_stack_go_with_it(region: Region) -> None:
    """A stack that is created again under its name has none of the former one's."""
    deploy(region, {"Topic": TOPIC})
    cloudformation = region.client("cloudformation")
    cloudformation.delete_stack(StackName="any")
    assert deploy(region, {"Topic": TOPIC, "More": TOPIC}) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        cloudformation.describe_change_set(StackName="any", ChangeSetName="change-1")


def test_change_set_is_gone_once_another_one_was_executed(region: Region) -> None:
    """It was made for a stack that is no longer as it was."""
    deploy(region, {"Topic": TOPIC})
    stale = propose(region, {"Resources": {"More": TOPIC}})
    deploy(region, {"Topic": TOPIC, "More": TOPIC}, kind="UPDATE")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        region.client("cloudformation").describe_change_set(ChangeSetName=stale["ChangeSetId"])
