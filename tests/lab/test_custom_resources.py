"""Contracts of custom resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.aws.cloudformation.custom import CustomResources
from tests.lab.contract import contract_of
from tests.lab.small import any_function, deploy, eventually, reasons

if TYPE_CHECKING:
    from lab.region import Region

ANSWERS = """
import json, urllib.request
def do(event, context):
    body = {{"Status": "{status}", "Reason": "because", "StackId": event["StackId"],
            "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
            "Data": {{"Name": "given"}}}}
    body.update({physical})
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request)
    return event
"""


def function(region: Region, status: str = "SUCCESS", physical: str = "here") -> str:
    """Return the ARN of a function that answers each request in one way."""
    given = {"PhysicalResourceId": physical} if physical else {}
    return any_function(region, ANSWERS.format(status=status, physical=given))


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
    assert deploy(region, custom(function(region, "FAILED"))) == "ROLLBACK_COMPLETE"
    assert "because" in reasons(region)


@contract_of(CustomResources)
def test_stack_fails_when_the_answer_has_no_physical_id(region: Region) -> None:
    """CloudFormation cannot track what has no id."""
    assert deploy(region, custom(function(region, physical=""))) == "ROLLBACK_COMPLETE"
    assert "PhysicalResourceId" in reasons(region)


@contract_of(CustomResources)
def test_stack_fails_when_the_function_is_silent(region: Region) -> None:
    """A function that does not answer within the resource's timeout fails it."""
    token = any_function(region, "def do(event, context):\n    pass\n")
    assert deploy(region, custom(token, ServiceTimeout=1)) == "ROLLBACK_COMPLETE"
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
