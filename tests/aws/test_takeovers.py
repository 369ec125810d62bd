"""Tables taken over from NAT gateways, what is remembered of them, and how they are given back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import MEMORY_KEY, Item
from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region

KEY: Any = {MEMORY_KEY: {"S": Item.TAKEOVERS}}


@pytest.fixture
def gateway(region: Region) -> str:
    """Return a NAT gateway to which the table of zone a leads."""
    made = region.ec2.create_nat_gateway(
        SubnetId=region.homes["a"].public, ConnectivityType="private"
    )
    gateway = made["NatGateway"]["NatGatewayId"]
    region.point("a", NatGatewayId=gateway)
    return gateway


@pytest.fixture
def adopting(
    region: Region, gateway: str, deploy: Deploy, cloudformation: CloudFormation
) -> Function:
    """Return a function that has taken the table over."""
    del gateway, cloudformation
    function = deploy(replace(region.settings, adopt=(region.homes["a"].table,)))
    function(messages.SWEEP)
    assert region.served_by() == region.nats
    return function


def remembered(region: Region) -> dict[str, Any]:
    """Return what is stored of each table that was taken over."""
    item = region.dynamodb.get_item(TableName=region.memory, Key=KEY).get("Item", {})
    return {name: json.loads(value["S"]) for name, value in item.items() if "rtb-" in name}


def leads_to(region: Region) -> str | None:
    """Return the NAT gateway to which the table of zone a leads, if it does."""
    return (region.default_route("a") or {}).get("NatGatewayId")


def age(region: Region, seconds: float = 60.0) -> None:
    """Let what is remembered have been written some time ago."""
    for table, row in remembered(region).items():
        row["written"] -= seconds
        text = json.dumps(row, separators=(",", ":"), sort_keys=True)
        region.dynamodb.update_item(
            TableName=region.memory,
            Key=KEY,
            UpdateExpression="SET #table = :row",
            ExpressionAttributeNames={"#table": table},
            ExpressionAttributeValues={":row": {"S": text}},
        )


def test_target_is_remembered_before_the_route_is_written(
    region: Region, gateway: str, adopting: Function
) -> None:
    """Then that the table was taken over; the other table was never anybody's."""
    made = [call.operation for call in adopting.wire.calls]
    assert made.index("UpdateItem") < made.index("ReplaceRoute")
    ((table, row),) = remembered(region).items()
    assert (table, row["target"], row["done"]) == (region.homes["a"].table, gateway, True)
    writes = len(adopting.wire.calls)
    adopting(messages.SWEEP)
    assert "UpdateItem" not in [call.operation for call in adopting.wire.calls[writes:]]


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "DescribeNatGateways"])
def test_table_is_not_taken_over_when_it_cannot_be_remembered(
    operation: str, region: Region, gateway: str, deploy: Deploy
) -> None:
    """It is told why, and the repair of other tables does not wait for it."""
    function = deploy(replace(region.settings, adopt=True))
    function.wire.fail(operation, "UnauthorizedOperation")
    region.lose_route("b")

    returned = function(messages.SWEEP)

    assert leads_to(region) == gateway
    assert function.wire.written() == ["CreateRoute"]
    (row,) = [row for row in returned["now"] if row["table"] == region.homes["a"].table]
    assert row["verdict"] == "not ours"
    assert "so it is not taken over" in row["reason"]


def test_table_is_not_taken_over_when_nobody_can_read_what_is_remembered_of_it(
    region: Region, gateway: str, deploy: Deploy
) -> None:
    """It is not written over: somebody may know what it says."""
    table = region.homes["a"].table
    region.dynamodb.put_item(TableName=region.memory, Item={**KEY, table: {"S": "{"}})

    returned = deploy(replace(region.settings, adopt=True))(messages.SWEEP)

    assert leads_to(region) == gateway
    (row,) = [row for row in returned["now"] if row["table"] == table]
    assert "so it is not taken over" in row["reason"]


@pytest.mark.parametrize("adopt", [(), False])
def test_table_is_given_back_by_the_deployment_that_takes_it_out_of_the_list(  # noqa: PLR0913, PLR0917 - fixtures and rows
    adopt: tuple[str, ...] | bool,  # noqa: FBT001 - as settings have it
    region: Region,
    gateway: str,
    adopting: Function,
    deploy: Deploy,
    cloudformation: CloudFormation,
) -> None:
    """Then nothing is remembered any more, and nothing rings unless nothing may be taken over."""
    del adopting
    function = deploy(replace(region.settings, adopt=adopt))

    function(messages.deployment("Update", cloudformation.url))
    returned = function(messages.SWEEP)

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert leads_to(region) == gateway
    assert remembered(region) == {}
    verdicts = {row["table"]: row["verdict"] for row in returned["now"]}
    assert verdicts[region.homes["a"].table] == ("not ours" if adopt is False else "left")


@pytest.mark.parametrize("code", ["InvalidNatGatewayID.NotFound", "NatGatewayNotFound"])
@pytest.mark.parametrize("adopt", [(), False])
def test_table_stays_when_its_gateway_is_gone(  # noqa: PLR0913, PLR0917 - fixtures and rows
    adopt: tuple[str, ...] | bool,  # noqa: FBT001 - as settings have it
    code: str,
    region: Region,
    gateway: str,
    adopting: Function,
    deploy: Deploy,
    cloudformation: CloudFormation,
) -> None:
    """The gateway is forgotten: EC2 says so of itself, or when it is asked to lead there.

    By either of the codes that it has for that ("Error codes", EC2 API developer guide).
    """
    del adopting
    region.ec2.delete_nat_gateway(NatGatewayId=gateway)
    function = deploy(replace(region.settings, adopt=adopt))
    function.wire.fail("ReplaceRoute", code, mentions=gateway)

    function(messages.deployment("Update", cloudformation.url))

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert region.served_by() == region.nats
    assert remembered(region) == {}


def test_deployment_fails_when_aws_refuses_to_give_a_table_back(
    region: Region,
    gateway: str,
    adopting: Function,
    deploy: Deploy,
    cloudformation: CloudFormation,
) -> None:
    """With AWS's words; the table is served meanwhile, and not forgotten."""
    del adopting
    function = deploy(replace(region.settings, adopt=()))
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation", mentions=gateway)

    function(messages.deployment("Update", cloudformation.url), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert (answer["Status"], "UnauthorizedOperation" in answer["Reason"]) == ("FAILED", True)
    assert region.served_by() == region.nats
    assert len(remembered(region)) == 1


def test_route_that_is_written_back_twice_is_a_conflict_until_a_deployment(
    region: Region, gateway: str, adopting: Function, cloudformation: CloudFormation
) -> None:
    """People are told what to do, and nobody writes to and fro."""
    for expected in (region.nats["a"], None, None):
        age(region)
        region.point("a", NatGatewayId=gateway)
        adopting(messages.SWEEP)
        assert region.served_by()["a"] == expected
    ((subject, text),) = region.notifications()
    assert subject.startswith("DEGRADED")
    assert "conflict" in text
    assert "find out who writes the route back" in text

    adopting(messages.deployment("Update", cloudformation.url))

    assert region.served_by() == region.nats


def test_deployment_is_refused_when_the_list_names_a_table_that_is_not_the_stacks(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """It says which, and which there are; nothing is written."""
    function = deploy(replace(region.settings, adopt=("rtb-other",)))

    function(messages.deployment("Update", cloudformation.url))

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("failover.adopt names rtb-other, no private route table of")
    assert region.homes["a"].table in answer["Reason"]
    assert function.wire.writes == []


@pytest.mark.parametrize("group", ["there", "gone"])
def test_deletion_gives_back_what_was_taken_over(
    group: str, region: Region, gateway: str, adopting: Function, cloudformation: CloudFormation
) -> None:
    """Before the NATs go, and no later run takes it again."""
    if group == "gone":
        adopting.wire.edit(
            "DescribeAutoScalingGroups", lambda answer: answer["AutoScalingGroups"].clear()
        )

    adopting(messages.deployment("Delete", cloudformation.url))
    adopting(messages.SWEEP, seconds=SHORT)

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert leads_to(region) == gateway
    assert remembered(region) == {}
    assert region.served_by()["b"] == region.nats["b"]


def test_deletion_deletes_the_route_when_its_gateway_is_gone(
    region: Region, gateway: str, adopting: Function, cloudformation: CloudFormation
) -> None:
    """Nothing is left that would lead to a NAT that is not there any more."""
    region.ec2.delete_nat_gateway(NatGatewayId=gateway)
    adopting.wire.edit("DescribeNatGateways", lambda answer: answer["NatGateways"].clear())

    adopting(messages.deployment("Delete", cloudformation.url))
    adopting(messages.SWEEP)

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert region.default_route("a") is None
    assert remembered(region) == {}


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("UpdateItem", "ResourceNotFoundException", "SUCCESS"),
        ("GetItem", "InternalServerError", "FAILED"),
        ("DescribeNatGateways", "UnauthorizedOperation", "FAILED"),
    ],
)
def test_deletion_needs_to_know_what_is_remembered(  # noqa: PLR0913, PLR0917 - fixtures and rows
    operation: str,
    code: str,
    status: str,
    region: Region,
    adopting: Function,
    cloudformation: CloudFormation,
) -> None:
    """Unless the memory was deleted, of which nothing comes back."""
    adopting.wire.fail(operation, code)

    adopting(messages.deployment("Delete", cloudformation.url), seconds=SHORT)

    assert [answer["Status"] for answer in cloudformation.answers] == [status]
    assert region.served_by() == region.nats


def test_deletion_succeeds_when_the_vpc_is_gone(
    adopting: Function, cloudformation: CloudFormation
) -> None:
    """There is no table to give back."""
    adopting.wire.edit("DescribeRouteTables", lambda answer: answer["RouteTables"].clear())

    adopting(messages.deployment("Delete", cloudformation.url), seconds=SHORT)

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_stack_that_takes_nothing_over_asks_for_no_gateway(
    region: Region, function: Function, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """And reads nothing more of its memory than before."""
    del region, logged
    function(messages.SWEEP)
    assert function.wire.count("DescribeNatGateways") == 0
    asked = [call.parameters["Key"] for call in function.wire.calls if call.operation == "GetItem"]
    assert KEY not in asked
