"""Contracts of custom resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.emulator.services.cloudformation.custom import CustomResources
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_function, deploy, eventually, reasons

if TYPE_CHECKING:
    from lab.emulator.region import Region

ANSWERS = """
import json, urllib.request
def do(event, context):
    failed = event["RequestType"] in {failing}
    body = {{"Status": "FAILED" if failed else "SUCCESS", "Reason": "because",
            "StackId": event["StackId"], "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": {{"Name": "given"}}}}
    body.update({physical})
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request)
    return event
"""


HERE = '{"PhysicalResourceId": "here"}'
NAMED = '{"PhysicalResourceId": event["ResourceProperties"]["Value"]}'


def function(region: Region, failing: tuple[str, ...] = (), physical: str = HERE) -> str:
    """Return the ARN of a function that fails some requests, and gives a physical id to each."""
    return any_function(region, ANSWERS.format(failing=failing, physical=physical))


def custom(token: str, **properties: object) -> dict[str, Any]:
    """Return a custom resource, and a queue that is named by its answer."""
    return {
        "Custom": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": token, **properties},
        },
        "Named": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::GetAtt": ["Custom", "Name"]}},
        },
    }


def asked(region: Region) -> list[dict[str, Any]]:
    """Return the requests that the function has answered."""
    rows = region.journal.entries("function answered")
    return [json.loads(row.detail["payload"]) for row in rows]


@contract_of(CustomResources)
def test_stack_waits_for_the_function_and_takes_its_answer(region: Region) -> None:
    """Fn::GetAtt reads the answer's data, so what depends on it comes after it."""
    assert deploy(region, custom(function(region), Count=2, On=True)) == "CREATE_COMPLETE"
    queues = region.client("sqs").list_queues()["QueueUrls"]
    assert [url.rsplit("/", 1)[-1] for url in queues] == ["given"]
    assert eventually(region, lambda: bool(asked(region)))
    (request,) = asked(region)
    assert request["RequestType"] == "Create"
    assert request["ResourceProperties"]["Count"] == "2"
    assert request["ResourceProperties"]["On"] == "true"


@contract_of(CustomResources)
def test_stack_fails_when_the_function_says_failed(region: Region) -> None:
    """The reason that the function gives is the stack's."""
    assert deploy(region, custom(function(region, ("Create",)))) == "ROLLBACK_COMPLETE"
    assert "because" in reasons(region)


@contract_of(CustomResources)
def test_stack_fails_when_the_answer_has_no_physical_id(region: Region) -> None:
    """CloudFormation cannot track what has no id."""
    assert deploy(region, custom(function(region, physical="{}"))) == "ROLLBACK_COMPLETE"
    assert "PhysicalResourceId" in reasons(region)


@contract_of(CustomResources)
def test_stack_fails_when_the_function_is_silent(region: Region) -> None:
    """A function that does not answer within the resource's timeout fails it.

    It does not answer the Delete of the rollback either.
    """
    token = any_function(region, "def do(event, context):\n    pass\n")
    assert deploy(region, custom(token, ServiceTimeout=1)) == "ROLLBACK_FAILED"
    assert "did not answer" in reasons(region)


@contract_of(CustomResources)
def test_function_is_asked_to_delete_when_the_stack_goes(region: Region) -> None:
    """The request names the physical id that the function gave at creation."""
    deploy(region, custom(function(region)))
    region.client("cloudformation").delete_stack(StackName="any")
    assert eventually(region, lambda: len(asked(region)) == 2)
    request = asked(region)[-1]
    assert request["RequestType"] == "Delete"
    assert request["PhysicalResourceId"] == "here"


@contract_of(CustomResources)
def test_function_is_asked_to_update_when_a_property_changes(region: Region) -> None:
    """The request has the new properties and the old ones."""
    token = function(region)
    deploy(region, custom(token, Value="old"))
    changed = {**custom(token, Value="new"), "More": {"Type": "AWS::SNS::Topic"}}
    assert deploy(region, changed, kind="UPDATE") == "UPDATE_COMPLETE"
    assert eventually(region, lambda: len(asked(region)) == 2)
    request = asked(region)[-1]
    assert request["RequestType"] == "Update"
    assert request["ResourceProperties"]["Value"] == "new"
    assert request["OldResourceProperties"]["Value"] == "old"


@contract_of(CustomResources)
def test_function_is_asked_to_delete_what_it_failed_to_create(region: Region) -> None:
    """The rollback asks it under the id that it gave."""
    deploy(region, custom(function(region, ("Create",))))
    assert eventually(region, lambda: len(asked(region)) == 2)
    request = asked(region)[-1]
    assert request["RequestType"] == "Delete"
    assert request["PhysicalResourceId"] == "here"


@contract_of(CustomResources)
def test_function_is_asked_to_go_back_when_an_update_fails(region: Region) -> None:
    """The rollback asks for an update with the properties the other way round."""
    token = function(region)
    deploy(region, custom(token, Value="old"))
    lost = {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": "vpc-0", "CidrBlock": "10.0.0.0/24"},
    }
    changed = {**custom(token, Value="new"), "Lost": {**lost, "DependsOn": "Custom"}}
    assert deploy(region, changed, kind="UPDATE") == "UPDATE_ROLLBACK_COMPLETE"
    assert eventually(region, lambda: len(asked(region)) == 3)
    request = asked(region)[-1]
    assert request["RequestType"] == "Update"
    assert request["ResourceProperties"]["Value"] == "old"
    assert request["OldResourceProperties"]["Value"] == "new"


@contract_of(CustomResources)
def test_function_is_asked_to_delete_the_old_one_when_an_update_gives_a_new_id(
    region: Region,
) -> None:
    """A new physical id means that the function replaced the resource."""
    token = function(region, physical=NAMED)
    deploy(region, custom(token, Value="old"))
    changed = {**custom(token, Value="new"), "More": {"Type": "AWS::SNS::Topic"}}
    assert deploy(region, changed, kind="UPDATE") == "UPDATE_COMPLETE"
    assert eventually(region, lambda: len(asked(region)) == 3)
    requests = [(row["RequestType"], row.get("PhysicalResourceId")) for row in asked(region)]
    assert requests == [("Create", None), ("Update", "old"), ("Delete", "old")]


@contract_of(CustomResources)
def test_update_is_refused_when_it_changes_the_service_token(region: Region) -> None:
    """Another function cannot take a resource over."""
    token = function(region)
    deploy(region, custom(token))
    changed = {**custom(f"{token}x"), "More": {"Type": "AWS::SNS::Topic"}}
    assert deploy(region, changed, kind="UPDATE") == "UPDATE_ROLLBACK_COMPLETE"
    assert "Modifying service token is not allowed" in reasons(region)
