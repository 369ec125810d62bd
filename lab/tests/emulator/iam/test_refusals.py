"""Refusals as boto3 understands them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall
from lab.emulator.iam.permissions import Permissions, Refused
from lab.emulator.iam.refusals import refusal
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.iam.guard import guarded
from tests.iam import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.emulator.region import Region
    from lab.tests.emulator.iam.guard import Client

KEY = "ASIAFUNCTION00000001"
PLACE = f"{REGION}:{ACCOUNT}"
USER = f"arn:aws:sts::{ACCOUNT}:assumed-role/any/any-function"


@pytest.fixture
def client(region: Region) -> Iterator[Client]:
    """Return what makes a client of a caller that may do nothing."""
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    with guarded(Permissions(SIMULATOR), {KEY: Caller(role, "any-function")}) as client:
        yield client


def said(action: str, on: str = "") -> str:
    """Return AWS's words for a permission that is missing."""
    on = f" on resource: {on}" if on else ""
    why = f"because no identity-based policy allows the {action} action"
    return f"User: {USER} is not authorized to perform: {action}{on} {why}"


EC2 = "You are not authorized to perform this operation. "
ENCODED = ". Encoded authorization failure message: "
CALLS = {
    "a write of EC2": (
        ("ec2", "delete_route_table", {"RouteTableId": "rtb-1"}),
        (403, "UnauthorizedOperation"),
        EC2 + said("ec2:DeleteRouteTable", f"arn:aws:ec2:{PLACE}:route-table/rtb-1") + ENCODED,
    ),
    "a look of EC2": (
        ("ec2", "describe_instances", {}),
        (403, "UnauthorizedOperation"),
        EC2 + said("ec2:DescribeInstances"),
    ),
    "the query protocol": (
        ("autoscaling", "set_instance_health", {"InstanceId": "i-1", "HealthStatus": "Unhealthy"}),
        (403, "AccessDenied"),
        said(
            "autoscaling:SetInstanceHealth",
            f"arn:aws:autoscaling:{PLACE}:autoScalingGroup:*:autoScalingGroupName/*",
        ),
    ),
    "SNS": (
        ("sns", "publish", {"TopicArn": f"arn:aws:sns:{PLACE}:any", "Message": "any"}),
        (403, "AuthorizationError"),
        said("SNS:Publish", f"arn:aws:sns:{PLACE}:any"),
    ),
    "SQS": (
        ("sqs", "send_message", {"QueueUrl": f"http://any/{ACCOUNT}/any", "MessageBody": "any"}),
        (400, "AccessDenied"),
        said("sqs:sendmessage", f"arn:aws:sqs:{PLACE}:any"),
    ),
    "the JSON protocol": (
        ("logs", "create_log_stream", {"logGroupName": "any", "logStreamName": "any"}),
        (400, "AccessDeniedException"),
        said("logs:CreateLogStream", f"arn:aws:logs:{PLACE}:log-group:any:log-stream:any"),
    ),
    "REST with JSON": (
        ("lambda", "invoke", {"FunctionName": "any"}),
        (403, "AccessDeniedException"),
        said("lambda:InvokeFunction", f"arn:aws:lambda:{PLACE}:function:any"),
    ),
    "REST with XML": (
        ("s3", "get_object", {"Bucket": "any", "Key": "any"}),
        (403, "AccessDenied"),
        said("s3:GetObject", "arn:aws:s3:::any/any"),
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), CALLS.values(), ids=CALLS)
def test_refusal_is_an_error_that_names_who_what_and_on_what(
    client: Client, call: tuple[str, str, dict[str, Any]], error: tuple[int, str], words: str
) -> None:
    """Each protocol has its code, and each service its spelling; a look is at no resource."""
    service, operation, parameters = call
    with pytest.raises(ClientError) as caught:
        getattr(client(service, KEY), operation)(**parameters)
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == error
    message, encoded, _ = response["Error"]["Message"].partition(ENCODED)
    assert message + encoded == words


def test_refusal_says_so_when_a_policy_denies() -> None:
    """A denial reads otherwise than a permission that is missing."""
    call = ApiCall(
        service="ec2",
        operation="ReplaceRoute",
        parameters={},
        account=ACCOUNT,
        region=REGION,
        protocol="ec2",
    )
    refused = Refused(action="ec2:ReplaceRoute", resource="any", denied=True)
    reply = refusal(call, Caller(f"arn:aws:iam::{ACCOUNT}:role/any", "any-function"), refused)
    words = b"ec2:ReplaceRoute on resource: any with an explicit deny in an identity-based policy"
    assert words in reply.body
