"""Contracts of API throttling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab.emulator.iam.calls import ApiCall
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.services.throttling import ThrottlesCalls
from lab.emulator.throttling import WRITES, Throttling
from lab.emulator.time.clock import VirtualClock
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import any_function, eventually

if TYPE_CHECKING:
    from lab.emulator.region import Region

PATIENT = """
import boto3
from botocore.config import Config
RETRIES = Config(retries={'mode': 'standard', 'total_max_attempts': 20})
def do(event, context):
    getattr(boto3.client(event['service'], config=RETRIES), event['call'])()
"""


@contract_of(ThrottlesCalls)
@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_route_tables", "RequestLimitExceeded"),
        ("autoscaling", "describe_auto_scaling_groups", "Throttling"),
    ],
    ids=["ec2", "autoscaling"],
)
def test_function_is_answered_when_others_leave_tokens_again(
    region: Region, service: str, call: str, code: str
) -> None:
    """Both services refuse in the way that the SDK's standard mode takes for throttling."""
    any_function(region, PATIENT)
    region.aws.throttling.exhaust()
    region.client("lambda").invoke(
        FunctionName="any",
        InvocationType="Event",
        Payload=json.dumps({"service": service, "call": call}),
    )
    region.clock.pass_time(5.0)
    region.aws.throttling.restore()
    relented = region.clock.now()
    assert eventually(region, lambda: bool(region.journal.entries("function answered")))
    *refused, answered = region.journal.entries("call")
    assert {row.detail["error"] for row in refused} == {code}
    assert answered.detail["error"] == ""
    assert answered.at > relented


@pytest.mark.parametrize(
    ("service", "status"),
    [("ec2", "503 Service Unavailable"), ("autoscaling", "400 Bad Request")],
)
def test_refusal_has_the_status_of_its_service(service: str, status: str) -> None:
    """EC2 calls it an error of the server, Auto Scaling one of the client."""
    throttling = Throttling(VirtualClock())
    throttling.exhaust()
    assert refusal(throttling, service, "DescribeAnything") == status


@pytest.mark.parametrize(
    ("operation", "parameters", "capacity", "refill"),
    [
        ("DescribeRouteTables", {}, 100, 20),
        ("DescribeInstances", {"Filter.1.Name": "any", "Filter.1.Value.1": "any"}, 100, 20),
        ("DescribeInstances", {"MaxResults": "5"}, 100, 20),
        ("DescribeInstances", {}, 50, 10),
        ("ReplaceRoute", {}, 50, 5),
        ("ModifyInstanceAttribute", {}, 50, 5),
        ("ModifyNetworkInterfaceAttribute", {}, 100, 5),
        ("RunInstances", {}, 5, 2),
    ],
)
def test_bucket_holds_and_regains_what_the_guide_says(
    operation: str, parameters: dict[str, str], capacity: int, refill: int
) -> None:
    """The table of the guide, as far as a function like ours meets it."""
    clock = VirtualClock()
    throttling = Throttling(clock)

    def answered() -> int:
        tries = (refusal(throttling, "ec2", operation, parameters) for _ in range(capacity + 5))
        return sum(refused is None for refused in tries)

    assert answered() == capacity
    clock.pass_time(1.0)
    assert answered() == refill
    clock.pass_time(1000.0)
    assert answered() == capacity


def test_buckets_fill_from_nothing_when_others_relent() -> None:
    """Who waited for the others has no burst yet."""
    clock = VirtualClock()
    throttling = Throttling(clock)
    throttling.exhaust()
    throttling.restore()
    clock.pass_time(1.0)
    passed = [refusal(throttling, "ec2", "ReplaceRoute") is None for _ in range(50)]
    assert sum(passed) == WRITES.refill


def test_actions_of_ec2_share_no_bucket_and_those_of_auto_scaling_do() -> None:
    """Each EC2 action is judged by itself."""
    throttling = Throttling(VirtualClock())
    for _ in range(100):
        refusal(throttling, "ec2", "DescribeRouteTables")
        refusal(throttling, "autoscaling", "DescribeAutoScalingGroups")
    assert refusal(throttling, "ec2", "DescribeRouteTables")
    assert not refusal(throttling, "ec2", "DescribeSubnets")
    assert refusal(throttling, "autoscaling", "CompleteLifecycleAction")
    assert not refusal(throttling, "sns", "Publish")


def refusal(
    throttling: Throttling, service: str, operation: str, parameters: dict[str, str] | None = None
) -> str | None:
    """Return the status with which a call is refused; None if it passes."""
    call = ApiCall(
        service=service,
        operation=operation,
        parameters=parameters or {},
        account=ACCOUNT,
        region=REGION,
        protocol="any",
    )
    caller: Any = None  # buckets are the account's, whoever calls
    reply = throttling(call, caller)
    return reply.status if reply else None
