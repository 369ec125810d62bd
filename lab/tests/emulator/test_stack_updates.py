"""Contracts of stack updates: what is touched, what is replaced, and what a failure leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.drills.inventory import inventory
from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy, reasons, status
from lab.tests.emulator.stacks import LOST, TOPIC, physical, resource, update

if TYPE_CHECKING:
    from lab.emulator.region import Region


def log(**properties: object) -> dict[str, Any]:
    """Return a log group."""
    return resource("Logs::LogGroup", **properties)


def history(region: Region) -> list[tuple[str, str]]:
    """Return what the stack's events say, since its last update began."""
    events = region.client("cloudformation").describe_stack_events(StackName="any")["StackEvents"]
    rows = [(row["LogicalResourceId"], row["ResourceStatus"]) for row in events]
    return rows[: rows.index(("any", "UPDATE_IN_PROGRESS"))][::-1]


def retention(region: Region) -> list[int | None]:
    """Return how long each log group keeps its events."""
    groups = region.client("logs").describe_log_groups()["logGroups"]
    return [group.get("retentionInDays") for group in groups]


@contract_of(StacksFail)
def test_update_touches_only_what_changed(region: Region) -> None:
    """And says of what left the template only in the end that it is deleted."""
    deploy(region, {"Same": TOPIC, "Goes": TOPIC, "Log": log(RetentionInDays=1)})
    changed = {"Same": TOPIC, "Log": log(RetentionInDays=3), "Comes": TOPIC}
    assert update(region, changed) == "UPDATE_COMPLETE"
    assert history(region) == [
        ("Log", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_COMPLETE"),
        ("Comes", "CREATE_IN_PROGRESS"),
        ("Comes", "CREATE_COMPLETE"),
        ("any", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Goes", "DELETE_IN_PROGRESS"),
        ("Goes", "DELETE_COMPLETE"),
        ("any", "UPDATE_COMPLETE"),
    ]
    assert retention(region) == [3]


@contract_of(StacksFail)
def test_update_replaces_what_cannot_be_changed_and_deletes_the_old_one_last(
    region: Region,
) -> None:
    """A new physical resource comes first, what refers to it follows, then the old one goes."""
    follower = log(LogGroupName={"Fn::GetAtt": ["Topic", "TopicName"]})
    fifo = resource("SNS::Topic", TopicName="one.fifo", FifoTopic=True)
    deploy(region, {"Topic": TOPIC, "Log": follower})
    old = physical(region, "Topic")
    assert update(region, {"Topic": fifo, "Log": follower}) == "UPDATE_COMPLETE"
    assert history(region) == [
        ("Topic", "UPDATE_IN_PROGRESS"),
        ("Topic", "UPDATE_IN_PROGRESS"),
        ("Topic", "UPDATE_COMPLETE"),
        ("Log", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_COMPLETE"),
        ("any", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Log", "DELETE_IN_PROGRESS"),
        ("Log", "DELETE_COMPLETE"),
        ("Topic", "DELETE_IN_PROGRESS"),
        ("Topic", "DELETE_COMPLETE"),
        ("any", "UPDATE_COMPLETE"),
    ]
    (topic,) = region.client("sns").list_topics()["Topics"]
    assert topic["TopicArn"] == physical(region, "Topic") != old
    (group,) = region.client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"] == "one.fifo"


@contract_of(StacksFail)
def test_update_retains_what_it_replaced_when_its_policy_says_so(region: Region) -> None:
    """UpdateReplacePolicy decides of the old one."""
    deploy(region, {"Topic": {**TOPIC, "UpdateReplacePolicy": "Retain"}})
    fifo = resource("SNS::Topic", TopicName="one.fifo", FifoTopic=True)
    assert update(region, {"Topic": {**fifo, "UpdateReplacePolicy": "Retain"}}) == "UPDATE_COMPLETE"
    assert len(region.client("sns").list_topics()["Topics"]) == 2


@contract_of(StacksFail)
def test_update_deletes_first_what_can_be_there_only_once(region: Region) -> None:
    """A subnet has one association: its schema says that the old one is deleted before."""
    vpc = resource("EC2::VPC", CidrBlock="10.0.0.0/16")
    table = resource("EC2::RouteTable", VpcId={"Ref": "Vpc"})
    subnet = resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/24")

    def network(to: str) -> dict[str, Any]:
        association = resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId={"Ref": "Subnet"},
            RouteTableId={"Ref": to},
        )
        return {"Vpc": vpc, "A": table, "B": table, "Subnet": subnet, "Association": association}

    deploy(region, network("A"))
    assert update(region, network("B")) == "UPDATE_COMPLETE"
    tables = region.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [physical(region, "Subnet")]}]
    )["RouteTables"]
    assert [row["RouteTableId"] for row in tables] == [physical(region, "B")]


@contract_of(StacksFail)
def test_update_is_refused_when_what_has_a_name_would_be_replaced(region: Region) -> None:
    """The new one could not be created beside the old one."""
    deploy(region, {"Topic": resource("SNS::Topic", TopicName="one.fifo", FifoTopic=True)})
    changed = {"Topic": resource("SNS::Topic", TopicName="one.fifo", FifoTopic="false")}
    assert update(region, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert "when a custom-named resource requires replacing" in reasons(region)


@contract_of(StacksFail)
def test_update_that_fails_goes_back_to_what_was(region: Region) -> None:
    """What was changed is changed back, what was replaced stands again, what was new is deleted."""
    before = {"Log": log(RetentionInDays=1), "Topic": TOPIC}
    deploy(region, before)
    there, topic = inventory(region), physical(region, "Topic")
    fifo = resource("SNS::Topic", TopicName="one.fifo", FifoTopic=True)
    lost = {**LOST, "DependsOn": ["Log", "Topic", "New"]}
    changed = {"Log": log(RetentionInDays=3), "Topic": fifo, "New": TOPIC, "Lost": lost}
    assert update(region, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Lost (AWS::EC2::Subnet)" in reasons(region)
    assert inventory(region) == there
    assert retention(region) == [1]
    assert physical(region, "Topic") == topic
    template = region.client("cloudformation").get_template(StackName="any")["TemplateBody"]
    assert template["Resources"] == before
    statuses = [status for name, status in history(region) if name == "any"]
    assert statuses == [
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


@contract_of(StacksFail)
def test_stack_can_be_updated_after_it_was_rolled_back(region: Region) -> None:
    """The next update starts from what the rollback restored."""
    deploy(region, {"Log": log(RetentionInDays=1)})
    update(region, {"Log": log(RetentionInDays=3), "Lost": {**LOST, "DependsOn": "Log"}})
    assert update(region, {"Log": log(RetentionInDays=3)}) == "UPDATE_COMPLETE"
    assert retention(region) == [3]


@contract_of(StacksFail)
def test_update_that_fails_stays_when_rollback_is_disabled(region: Region) -> None:
    """As `cdk deploy --no-rollback` asks; another update goes on from there."""
    deploy(region, {"Log": log(RetentionInDays=1)})
    changed = {"Log": log(RetentionInDays=3), "Lost": {**LOST, "DependsOn": "Log"}}
    assert update(region, changed, DisableRollback=True) == "UPDATE_FAILED"
    assert retention(region) == [3]
    assert update(region, {"Log": log(RetentionInDays=5)}) == "UPDATE_COMPLETE"
    assert retention(region) == [5]


@contract_of(StacksFail)
def test_update_replaces_nothing_when_rollback_is_disabled(region: Region) -> None:
    """Without a way back the old one could not be kept."""
    deploy(region, {"Topic": TOPIC})
    fifo = resource("SNS::Topic", TopicName="one.fifo", FifoTopic=True)
    assert update(region, {"Topic": fifo}, DisableRollback=True) == "UPDATE_FAILED"
    assert "Replacement type updates not supported" in reasons(region)


@contract_of(StacksFail)
@pytest.mark.parametrize(
    ("option", "ends", "left"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED", 1),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", 1),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", 0),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE", 0),
    ],
    ids=str,
)
def test_creation_that_fails_ends_as_the_request_says(
    region: Region, option: dict[str, Any], ends: str, left: int
) -> None:
    """Nothing is done about it, or all is deleted again, the stack or not."""
    cloudformation = region.client("cloudformation")
    body = json.dumps({"Resources": {"Topic": TOPIC, "Lost": {**LOST, "DependsOn": "Topic"}}})
    created = cloudformation.create_stack(StackName="any", TemplateBody=body, **option)
    stacks = cloudformation.describe_stacks(StackName=created["StackId"])["Stacks"]
    assert stacks[0]["StackStatus"] == ends
    assert len(region.client("sns").list_topics()["Topics"]) == left


@contract_of(StacksFail)
def test_update_stack_says_so_when_there_is_nothing_to_do(region: Region) -> None:
    """`cdk deploy --method=direct` takes it for no changes."""
    deploy(region, {"Topic": TOPIC})
    same = json.dumps({"Resources": {"Topic": {**TOPIC, "Properties": {}}}})
    with pytest.raises(ClientError, match="No updates are to be performed"):
        region.client("cloudformation").update_stack(StackName="any", TemplateBody=same)


def test_update_is_refused_when_the_creation_was_rolled_back(region: Region) -> None:
    """Such a stack can only be deleted."""
    deploy(region, {"Lost": LOST})
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        update(region, {"Topic": TOPIC})


@contract_of(StacksFail)
def test_deletion_goes_on_with_what_nothing_depends_on(region: Region) -> None:
    """What cannot be deleted stays, with all that it needs; the rest is gone."""
    deploy(
        region,
        {
            "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
            "Table": resource("EC2::RouteTable", VpcId={"Ref": "Vpc"}),
            "Topic": TOPIC,
        },
    )
    ec2, vpc = region.client("ec2"), physical(region, "Vpc")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=physical(region, "Table"), SubnetId=subnet)
    region.client("cloudformation").delete_stack(StackName="any")
    assert status(region) == "DELETE_FAILED"
    assert "The following resource(s) failed to delete: [Table]" in reasons(region)
    assert region.client("sns").list_topics()["Topics"] == []
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]


def test_update_fails_when_the_lab_cannot_change_a_property(region: Region) -> None:
    """It does not pretend: it names the property and the type."""
    deploy(region, {"Queue": resource("SQS::Queue")})
    changed = {"Queue": resource("SQS::Queue", MaximumMessageSize=2048)}
    assert update(region, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert "the lab cannot change MaximumMessageSize of a resource of type AWS::SQS::Queue" in (
        reasons(region)
    )


@contract_of(StacksFail)
def test_stack_is_complete_when_what_failed_is_taken_out(region: Region) -> None:
    """After a creation without rollback; there is nothing else to change."""
    body = json.dumps({"Resources": {"Topic": TOPIC, "Lost": {**LOST, "DependsOn": "Topic"}}})
    region.client("cloudformation").create_stack(
        StackName="any", TemplateBody=body, DisableRollback=True
    )
    assert update(region, {"Topic": TOPIC}) == "UPDATE_COMPLETE"
    assert len(region.client("sns").list_topics()["Topics"]) == 1
